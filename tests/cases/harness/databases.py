"""Fresh databases, one a run, that the database's own shell loads and dumps."""

import contextlib
import os
import re
import secrets
import subprocess
import tempfile

SERVER_SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "support", "postgres")


class ToolFailed(Exception):
    """A program beside the one under test has failed."""


def call(command, **options):
    done = subprocess.run(command, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise ToolFailed(f"{command[0]} ended with {done.returncode}:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


class SqliteDatabase:
    """A file in a folder that is there already."""

    engine = "sqlite"

    def __init__(self, folder):
        self.path = os.path.join(folder, "target.db")
        self.url = f"sqlite:{self.path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def load(self, script):
        with open(script, "rb") as statements:
            call(["sqlite3", "-bail", self.path], stdin=statements)

    def dump(self, select):
        return call(["sqlite3", "-csv", "-header", "-nullvalue", "\\N", self.path, select])


class PostgresDatabase:
    """A database of its own on the server of a maintenance URL; dropped at the end."""

    engine = "postgresql"

    def __init__(self, maintenance_url):
        self.maintenance_url = maintenance_url
        self.name = f"datachange_case_{os.getpid()}_{secrets.token_hex(6)}"
        self.url = with_database(maintenance_url, self.name)

    def __enter__(self):
        # the dumps were made under this locale, which sorts by code point everywhere
        self._maintain(
            f"CREATE DATABASE {self.name} TEMPLATE template0 ENCODING 'UTF8'"
            " LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        )
        return self

    def __exit__(self, *_):
        self._maintain(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _maintain(self, statement):
        self._psql(self.maintenance_url, "--command", statement)

    def _psql(self, url, *arguments):
        environment = {**os.environ, "PGCLIENTENCODING": "UTF8"}
        command = ["psql", "-X", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url, *arguments]
        return call(command, env=environment)

    def load(self, script):
        self._psql(self.url, "--file", script)

    def dump(self, select):
        return self._psql(
            self.url, "--command", f"\\copy ({select}) to stdout with (format csv, header, null '\\N')"
        )


def with_database(url, name):
    """The URL of another database on the same server."""
    parts = re.fullmatch(r"(postgres(?:ql)?://[^/?]*)(?:/[^?]*)?(\?.*)?", url)
    if parts is None:
        raise ToolFailed("the PostgreSQL URL is not postgresql://...")
    return f"{parts[1]}/{name}{parts[2] or ''}"


@contextlib.contextmanager
def postgres_server(url):
    """The server of a URL, or one of its own while it lasts where there is none."""
    if url:
        yield url
        return
    folder = tempfile.mkdtemp(prefix="datachange-server-")
    try:
        yield call([SERVER_SCRIPT, "start", folder]).decode().strip()
    finally:
        call([SERVER_SCRIPT, "stop", folder])


def fresh_database(engine, folder, maintenance_url):
    return SqliteDatabase(folder) if engine == "sqlite" else PostgresDatabase(maintenance_url)


def scratch_folder():
    return tempfile.TemporaryDirectory(prefix="datachange-case-")
