"""What the numbers were measured on."""

import hashlib
import os
import pathlib
import platform
import re
import subprocess


def describe(scratch, tool):
    """@param scratch the folder in which the databases stand"""
    return {
        "cpu": _first(r"^model name\s*: (.*)$", "/proc/cpuinfo") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int(_first(r"^MemTotal:\s*(\d+) kB$", "/proc/meminfo")) * 1024,
        "kernel": platform.release(),
        "system": _first(r'^PRETTY_NAME="(.*)"$', "/etc/os-release"),
        "filesystem": filesystem(scratch),
        "datachange": subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout.strip(),
        "datachange_sha256": hashlib.sha256(tool.read_bytes()).hexdigest(),
        "load_at_start": os.getloadavg()[0],
    }


def filesystem(folder):
    """@returns its type, with the device"""
    done = subprocess.run(["df", "--output=fstype,source", str(folder)], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.splitlines()[1].split())


def _first(pattern, file):
    found = re.search(pattern, pathlib.Path(file).read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None
