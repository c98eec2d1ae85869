"""A PostgreSQL server for measuring: as Debian has it, with fsync, on a free port."""

import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from errors import BenchError
from measure import clean_environment

_TICKS = os.sysconf("SC_CLK_TCK")


class PostgresServer:
    """Runs inside of a `with`. Its folder is not there before, and stays with whoever named it. PostgreSQL never runs as
    root: there it runs as the user postgres, who must be able to reach the folder. Only this machine gets in, without a
    password."""

    def __init__(self, folder):
        self.folder = folder
        self._programs = _server_programs()
        self._port = 0
        self._postmaster = 0

    def __enter__(self):
        self.folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        try:
            self._control("initdb", "-D", f"{self.folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                          "--locale=C.UTF-8")
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def url(self, database="postgres"):
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def execute(self, *statements, database="postgres"):
        """Each statement in a transaction of its own."""
        self._psql(database, *(part for statement in statements for part in ("-c", statement)))

    def rows(self, select, database="postgres"):
        """@returns tuples of text"""
        lines = self._psql(database, "-A", "-t", "-F", "\t", "-c", select).splitlines()
        return [tuple(line.split("\t")) for line in lines]

    def cpu(self):
        """CPU seconds of the postmaster and all its processes up to now, those that have ended included. The system
        tells it in hundredths of a second."""
        while True:
            before = _cpu_ticks(self._postmaster)
            living = 0
            for child in _children(self._postmaster):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    living += sum(_cpu_ticks(child)[:2])
            # a process that ended meanwhile would count twice, or not at all
            if _cpu_ticks(self._postmaster)[2:] == before[2:]:
                return (sum(before) + living) / _TICKS


    def _start(self):
        for _ in range(5):
            self._port = _free_port()
            # somebody else may take the port in between
            with contextlib.suppress(BenchError):
                self._control("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log",
                              "-o", f"-k '' -p {self._port} -c listen_addresses=127.0.0.1", "start")
                pid_file = self.folder / "data/postmaster.pid"
                self._postmaster = int(pid_file.read_text(encoding="ascii").split()[0])
                return
        raise BenchError("the PostgreSQL server did not start", f"See {self.folder}/log; is the user postgres let into it?")

    def _stop(self):
        """Ends all sessions without a last checkpoint: nobody needs these data any more."""
        with contextlib.suppress(BenchError):
            self._control("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def _control(self, program, *arguments):
        command = [str(self._programs / program), *arguments]
        user = {}
        if os.geteuid() == 0:
            server_user = pwd.getpwnam("postgres")
            user = {"user": server_user.pw_uid, "group": server_user.pw_gid, "extra_groups": []}
        # to a file: the server keeps what it inherits, and a pipe would never end
        with open(self.folder / "control.log", "ab") as log:
            done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                                  env=clean_environment(self.folder), **user)
        if done.returncode != 0:
            raise BenchError(f"{program} ended with {done.returncode}", f"See {self.folder}/control.log.")

    def _psql(self, database, *arguments):
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, self.url(database)], check=False,
                              capture_output=True, text=True, env=clean_environment(self.folder))
        if done.returncode != 0:
            raise BenchError(f"psql ended with {done.returncode}: {done.stderr.strip()}", "This is a mistake of the benchmark.")
        return done.stdout


def _server_programs():
    """The folder of initdb: that of pg_config, else the newest of Debian's."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    config = shutil.which("pg_config")
    if config:
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        found.append(pathlib.Path(told.stdout.strip()))
    for folder in reversed(found):
        if (folder / "initdb").exists():
            return folder
    raise BenchError("no PostgreSQL server is installed", "Install the package postgresql, or say --engine sqlite.")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _children(process):
    return [int(word) for word in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()]


def _cpu_ticks(process):
    """utime, stime, and those of its ended and awaited children"""
    text = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    return [int(word) for word in text.rpartition(")")[2].split()[11:15]]
