"""PostgreSQL for faults: a database that is asked often, and servers of a test's own that are stopped and copied."""

import contextlib
import csv
import io
import os
import pwd
import re
import socket
import subprocess
import tempfile

from databases import NULL, SERVER_SCRIPT, Postgres, call, with_database
from support import wait_until


class AskedPostgres(Postgres):
    """A database whose queries go through one psql that stays, since starting one takes longer than most queries."""

    def __init__(self):
        self._psql = None
        super().__init__()

    def rows(self, select):
        try:
            return self._ask(select)
        except (RuntimeError, OSError):
            self.close()
            raise

    def _ask(self, select):
        if self._psql is None:
            self._psql = subprocess.Popen(
                ["psql", "-X", "--quiet", "--csv", "--tuples-only", "--pset", f"null={NULL}", "--dbname", self.url],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
                env={**os.environ, "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=error"})
        self._psql.stdin.write(f"{select};\n\\echo -- end --\n")
        self._psql.stdin.flush()
        lines = []
        for line in self._psql.stdout:
            if line == "-- end --\n":
                text = "".join(lines)
                if text.startswith(("ERROR", "FATAL")):
                    raise RuntimeError(text)
                return [tuple(None if field == NULL else field for field in row) for row in csv.reader(io.StringIO(text))]
            lines.append(line)
        raise RuntimeError("psql has ended: " + "".join(lines))

    def close(self):
        if self._psql is not None:
            with contextlib.suppress(OSError):
                self._psql.stdin.close()
            self._psql.wait(timeout=60)
            self._psql.stdout.close()
            self._psql = None

    def drop(self):
        self.close()
        super().drop()


class DatabaseOfServer(AskedPostgres):
    """A database on a server of the test's own, with which it goes."""

    def __init__(self, server, name="work", create=True):
        self.roles, self._psql, self.name = [], None, name
        self.url = with_database(server.url, name)
        if create:
            server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")

    def drop(self):
        self.close()


class Server:
    """A server of a test's own. It listens on a port that was free."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="datachange-server-", dir="/tmp")
        self.url = call([SERVER_SCRIPT, "start", self.folder]).decode().strip()

    @property
    def port(self):
        return int(re.search(r":(\d+)/", self.url)[1])

    def rows(self, select):
        database = DatabaseOfServer(self, "postgres", create=False)
        with contextlib.closing(database):
            return database.rows(select)

    def execute(self, script):
        DatabaseOfServer(self, "postgres", create=False).execute(script)

    def set(self, name, value):
        """Changes a setting of the whole server while it runs; None: as by default."""
        self.execute(f"ALTER SYSTEM SET {name} = '{value}'" if value is not None else f"ALTER SYSTEM RESET {name}")
        self.execute("SELECT pg_reload_conf()")

    def stop(self, mode="immediate"):
        """immediate: as if it had crashed."""
        self._control("-m", mode, "-w", "stop")

    def start(self):
        self._control("-w", "-l", f"{self.folder}/log", "-o",
                      f"-F -k '{self.folder}' -p {self.port} -c listen_addresses=127.0.0.1", "start")

    def promote(self):
        self._control("-w", "promote")

    def remove(self):
        call([SERVER_SCRIPT, "stop", self.folder])

    def _control(self, *arguments):
        # not by call(): the server would inherit its pipes, and they would never end
        done = subprocess.run(_as_server([program("pg_ctl"), "-D", f"{self.folder}/data", *arguments]), cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pg_ctl {arguments} ended with {done.returncode}; see {self.folder}/log")


class Replica(Server):
    """A streaming replica of another server."""

    def __init__(self, primary):
        self.primary = primary
        self.folder = tempfile.mkdtemp(prefix="datachange-replica-", dir="/tmp")
        if os.geteuid() == 0:
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        call(_as_server([program("pg_basebackup"), "-D", f"{self.folder}/data", "-R", "-X", "stream", "-c", "fast",
                         "--no-sync", "-d", primary.url.rpartition("/")[0]]), cwd="/")
        self.url = f"postgresql://postgres@127.0.0.1:{_free_port()}/postgres"
        self.start()

    def catch_up(self):
        """Waits until everything that the primary has written has been replayed."""
        [(end,)] = self.primary.rows("SELECT pg_current_wal_flush_lsn()")
        wait_until(lambda: self.rows(f"SELECT pg_last_wal_replay_lsn() >= '{end}'") == [("t",)], "the replica has it all")

    def disconnect(self):
        """From here on it gets nothing more. (A replica whose replay is paused would still receive, and replay when
        it is promoted.)"""
        self.set("primary_conninfo", "")
        wait_until(lambda: self.primary.rows("SELECT count(*) FROM pg_stat_replication") == [("0",)], "the replica is cut off")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    """The path of a program that comes with the server."""
    folder = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
    if not os.path.exists(os.path.join(folder, name)):
        folders = sorted(os.scandir("/usr/lib/postgresql"), key=lambda entry: float(entry.name))
        folder = os.path.join(folders[-1].path, "bin")
    return os.path.join(folder, name)


def _as_server(command):
    """PostgreSQL never runs as root: there it runs as the user postgres."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
