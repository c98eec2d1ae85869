"""One program under the clock."""

import dataclasses
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

from errors import WrongData

LAUNCHER = pathlib.Path(__file__).parent / "launcher.py"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Command:
    """A program with its arguments, and the text that it reads from stdin."""

    arguments: tuple
    stdin: str = ""


@dataclasses.dataclass(frozen=True)
class Usage:
    """What one call took: seconds, and bytes at the peak. The CPU is that of the program and what it waited for."""

    wall: float
    user: float
    system: float
    peak_bytes: int
    server: float | None  # CPU of the database server, where there is one
    others: float  # CPU of everybody else on the machine meanwhile, the kernel's own threads among them


def run_timed(command, folder, server_cpu=lambda: None):
    """Runs it in `folder`, which gets stdin, stdout and stderr as files.

    @param server_cpu tells the CPU seconds of the server up to now
    @throws WrongData where it does not end well
    """
    (folder / "stdin").write_text(command.stdin, encoding="utf-8")
    server_before, machine_before, children_before = server_cpu(), _machine_cpu(), _children_cpu()
    used = _launch(command, folder)
    children_after, machine_after, server_after = _children_cpu(), _machine_cpu(), server_cpu()
    if used["status"] != 0:
        raise WrongData(f"ended with {used['status']}: {_last_words(folder)}")
    server = None if server_before is None else server_after - server_before
    ours = children_after - children_before + (server or 0)
    others = max(0.0, machine_after - machine_before - ours)
    return Usage(used["wall"], used["user"], used["system"], used["peak_bytes"], server, others)


def clean_environment(home):
    """Nobody's settings: no PG* or DATACHANGE_* variables, no ~/.psqlrc or ~/.sqliterc."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home)}


def _launch(command, folder):
    result = folder / "usage.json"
    with open(folder / "stdin", "rb") as stdin, open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        launcher = subprocess.Popen([sys.executable, "-I", "-S", str(LAUNCHER), str(result), *command.arguments],
                                    stdin=stdin, stdout=out, stderr=err, cwd=folder, env=clean_environment(folder),
                                    start_new_session=True)
        try:
            launcher.wait()
        except BaseException:
            os.killpg(launcher.pid, signal.SIGKILL)
            launcher.wait()
            raise
    return json.loads(result.read_text(encoding="utf-8"))


def _last_words(folder):
    text = (folder / "stderr").read_text(encoding="utf-8", errors="replace").strip()
    return text[-1000:] or "without a word"


def _children_cpu():
    """CPU seconds of the clients up to now, with the launchers."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _machine_cpu():
    """CPU seconds of the whole machine since it was started, without those that it was idle or waiting."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _waiting, irq, softirq = (int(word) for word in stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / _TICKS
