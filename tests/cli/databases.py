"""Databases of a test's own: the same calls for both engines."""

import atexit
import contextlib
import csv
import io
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases"))
from harness.databases import SERVER_SCRIPT, call, with_database  # noqa: E402

NULL = "\\N"


def numbers(count):
    """A CTE `n(i)` with 1 to count, in either dialect; goes before INSERT ... SELECT."""
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"


class Sqlite:
    """A database file in the test's folder."""

    engine = "sqlite"

    def __init__(self, folder, name="target.db"):
        self.path = os.path.join(folder, name)
        self.url = f"sqlite:{self.path}"
        self.execute("CREATE TABLE datachange_test_marker (x)")  # an empty file is no database
        self.execute("DROP TABLE datachange_test_marker")

    def connect(self):
        """A session in which transactions are begun and ended in SQL."""
        return sqlite3.connect(self.path, isolation_level=None)

    def execute(self, script):
        with contextlib.closing(self.connect()) as session:
            session.executescript(script)

    def rows(self, select):
        """Rows of texts; None is NULL."""
        with contextlib.closing(self.connect()) as session:
            return [tuple(map(_text, row)) for row in session.execute(select)]

    def tables(self):
        names = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        return [name for (name,) in names]

    def dump(self):
        """Everything in it, without the journal."""
        with contextlib.closing(self.connect()) as session:
            return [line for line in session.iterdump() if "datachange_" not in line]

    def drop(self):
        pass


class Postgres:
    """A database on the throw-away server, and roles that are dropped with it."""

    engine = "postgresql"

    def __init__(self):
        self.name = f"datachange_cli_{os.getpid()}_{secrets.token_hex(6)}"
        self.url = with_database(server(), self.name)
        self.roles = []
        _psql(server(),
              f"CREATE DATABASE {self.name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")

    def execute(self, script):
        _psql(self.url, script)

    def rows(self, select):
        """Rows of texts; None is NULL."""
        table = _psql(self.url, select, "--csv", "--tuples-only", "--pset", f"null={NULL}")
        return [tuple(None if text == NULL else text for text in row) for row in csv.reader(io.StringIO(table))]

    def tables(self):
        return [name for (name,) in self.rows(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1")]

    def dump(self):
        """Every row of every table, without the journal."""
        tables = [name for name in self.tables() if ".datachange_" not in name]
        selects = [f"SELECT '{name}' AS t, x::text AS r FROM {name} x" for name in tables]
        return self.rows(" UNION ALL ".join(selects) + " ORDER BY 1, 2") if selects else []

    def make_role(self, options=""):
        """A role that may connect, and nothing else."""
        role = f"datachange_cli_{os.getpid()}_{secrets.token_hex(6)}"
        self.execute(f"CREATE ROLE {role} LOGIN {options}")
        self.roles.append(role)
        return role

    def url_of(self, role, password=None):
        user = role if password is None else f"{role}:{password}"
        return re.sub(r"^postgres(ql)?://([^@/]*@)?", f"postgresql://{user}@", self.url)

    def drop(self):
        _psql(server(), f"DROP DATABASE {self.name} WITH (FORCE)")
        for role in self.roles:
            _psql(server(), f"DROP ROLE {role}")


class PsqlSession:
    """A session that stays open, so that it can hold locks."""

    def __init__(self, url):
        self._count = 0
        self._psql = subprocess.Popen(
            ["psql", "-X", "--quiet", "--no-align", "--tuples-only", "--dbname", url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")

    def execute(self, sql):
        """Executes it, and returns when it has been; lines of its result."""
        self._count += 1
        mark = f"-- done {self._count} --"
        self._psql.stdin.write(f"{sql};\n\\echo '{mark}'\n")
        self._psql.stdin.flush()
        lines = []
        for line in self._psql.stdout:
            if line.rstrip("\n") == mark:
                return lines
            if line.startswith("ERROR"):
                raise RuntimeError(line)
            lines.append(line.rstrip("\n"))
        raise RuntimeError("psql has ended: " + "\n".join(lines))

    def close(self):
        """Ends the session; what is open is rolled back."""
        self._psql.stdin.close()
        self._psql.wait(timeout=60)
        self._psql.stdout.close()


_server_url = None


def server():
    """The URL of the throw-away server's maintenance database; without the variable one is started, once."""
    global _server_url
    _server_url = _server_url or os.environ.get("DATACHANGE_TEST_POSTGRES")
    if not _server_url:
        folder = tempfile.mkdtemp(prefix="datachange-server-", dir="/tmp")
        atexit.register(call, [SERVER_SCRIPT, "stop", folder])
        _server_url = call([SERVER_SCRIPT, "start", folder]).decode().strip()
    return _server_url


def _psql(url, script, *options):
    command = ["psql", "-X", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url, *options]
    environment = {**os.environ, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=error"}
    return call(command, input=script.encode(), env=environment).decode()


def _text(value):
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)
