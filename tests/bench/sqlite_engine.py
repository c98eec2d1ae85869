"""Databases of SQLite: one file that stays as it is for each table and size, and a copy of it for each run."""

import contextlib
import os
import shutil
import sqlite3
import subprocess

from errors import BenchError
from measure import clean_environment

_SUFFIXES = ("", "-wal", "-shm")


class SqliteEngine:
    """Runs inside of a `with`, as the other engine."""

    name = "sqlite"

    def __init__(self, scratch):
        self._folder = scratch / "sqlite"
        self._template = self._folder / "template.db"
        self._work = self._folder / "work.db"

    def __enter__(self):
        if not shutil.which("sqlite3"):
            raise BenchError("sqlite3 is not installed", "Install the package sqlite3, or say --engine postgresql.")
        self._folder.mkdir()
        return self

    def __exit__(self, *_):
        pass

    @property
    def target(self):
        return str(self._work)

    def make_template(self, dataset, rows):
        _remove(self._template)
        script = ";\n".join(["PRAGMA journal_mode=WAL", *dataset.statements(self.name, rows), "ANALYZE", ""])
        self._shell(self._template, script)

    def restore(self, _dataset, preparation):
        """A fresh copy of the template in WAL mode, on disk and in the cache."""
        _remove(self._work)
        shutil.copyfile(self._template, self._work)
        if preparation:
            self._shell(self._work, preparation)
        with open(self._work, "rb") as file:
            os.fsync(file.fileno())

    def expected_digest(self, dataset):
        """@returns number of rows and a checksum, after the change"""
        return self._digest(dataset.expectation(self.name), dataset, self._template)

    def digest(self, dataset):
        return self._digest(dataset.reality(), dataset, self._work)

    def count(self, select):
        return count_in(self._work, select)

    def cpu(self):
        """None: there is no server."""

    def describe(self):
        with contextlib.closing(sqlite3.connect(":memory:")) as memory:
            library = memory.execute("SELECT sqlite_version()").fetchone()[0]
        shell = subprocess.run(["sqlite3", "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
        names = ("page_size", "cache_size", "synchronous")
        values = self._shell(":memory:", "".join(f"PRAGMA {name};\n" for name in names)).split()
        settings = {"journal_mode": "wal", **{f"{name} of the shell": value for name, value in zip(names, values)}}
        return {"version": library, "shell": shell, "settings": settings}

    def _digest(self, select, dataset, file):
        # the checksum takes the text of its query in as well, so that must be the same for both
        columns = ", ".join(f"c{number}" for number in range(len(dataset.actual.split(","))))
        keys = ", ".join(f"c{number}" for number in range(len(dataset.key)))
        out = self._shell(file, f"""CREATE TEMP VIEW checked ({columns}) AS {select};
            SELECT count(*), hex(sha3_query('SELECT * FROM checked ORDER BY {keys}')) FROM checked;""")
        return tuple(out.strip().split("|"))

    def _shell(self, file, script):
        done = subprocess.run(["sqlite3", "-batch", "-bail", str(file)], input=script, capture_output=True, text=True,
                              check=False, env=clean_environment(self._folder))
        if done.returncode != 0:
            raise BenchError(f"sqlite3 ended with {done.returncode}: {done.stderr.strip()}",
                             "This is a mistake of the benchmark.")
        return done.stdout


def count_in(file, select):
    """The number that a query gives. Nothing is written to the file."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return database.execute(select).fetchone()[0]


def _remove(file):
    for suffix in _SUFFIXES:
        file.with_name(file.name + suffix).unlink(missing_ok=True)
