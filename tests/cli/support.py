"""What the tests of the command line share: a folder, a database, definitions, and the tool run in it."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from databases import PsqlSession, Postgres, Sqlite, numbers
from harness.csv_text import read_evidence

TOOL = os.environ.get("DATACHANGE", "datachange")
KILLABLE = os.environ.get("DATACHANGE_KILLABLE", TOOL)  # the same, which kills itself at the place DATACHANGE_FAILPOINT names
SECTIONS = ("keys", "pre", "change", "post", "summary", "verify", "undo")
FILL = {
    "table": "users",
    "identifier": "id",
    "pre": "SELECT id, name FROM users WHERE name IS NULL AND :batch(id)",
    "change": "UPDATE users SET name = 'filled' WHERE name IS NULL AND :batch(id) RETURNING id, name",
}
STEPS = """-- ticket: OPS-2
-- audit:step names
-- table: users
-- identifier: id
-- audit:pre
SELECT id, name FROM users WHERE name IS NULL AND :batch(id);
-- audit:change
UPDATE users SET name = 'user ' || id WHERE name IS NULL AND :batch(id) RETURNING id, name;
-- audit:step notes
-- table: users
-- identifier: id
-- audit:pre
SELECT id, name, note FROM users WHERE name IN ('user 1', 'user 2') AND :batch(id);
-- audit:change
UPDATE users SET note = 'seen' WHERE name IN ('user 1', 'user 2') AND :batch(id) RETURNING id, name, note;
"""
VERSION = "20260101000000"
DEADLINE = 120  # seconds that anything may take before a test gives up


def definition_text(**parts):
    """A definition from header keys (expect_rows for expect-rows) and sections; FILL's unless given, None: without."""
    parts = {name: value for name, value in {**FILL, **parts}.items() if value is not None}
    header = [f"-- {name.replace('_', '-')}: {value}" for name,
              value in parts.items() if name not in SECTIONS + ("watch", "tail")]
    sections = [f"\n-- audit:{name}\n{parts[name]};" for name in SECTIONS if name in parts]
    return "\n".join([*header, *sections, parts.get("tail", "")]) + "\n"


class Result:
    """How a call of the tool ended."""

    def __init__(self, code, out, err, usage=None):
        self.code, self.out, self.err, self.usage = code, out, err, usage

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit status {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Started:
    """A call of the tool that goes on beside the test."""

    def __init__(self, command, folder, environment):
        self._files = [tempfile.TemporaryFile("w+", encoding="utf-8", dir=folder) for _ in range(2)]
        out, err = self._files
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                        stderr=err)

    @property
    def running(self):
        return self.process.poll() is None

    def send(self, number):
        self.process.send_signal(number)

    def finish(self):
        try:
            self.process.wait(timeout=DEADLINE)
            return Result(self.process.returncode, *map(_content, self._files))
        finally:
            self.end()

    def end(self):
        """Whatever has become of it."""
        if self.running:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        for file in self._files:
            file.close()


def _content(file):
    file.seek(0)
    return file.read()


class CliCase(unittest.TestCase):
    """One test: a folder that is the working directory, and a database. Subclasses say which engine."""

    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="datachange-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.database = self.new_database()

    def new_database(self):
        raise NotImplementedError

    # --- what the test puts there

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return name

    def make_users(self, count=5, named=2, database=None):
        """A table of users 1 to count; the last `named` have a name, the others NULL."""
        (database or self.database).execute(f"""
            CREATE TABLE users (id integer PRIMARY KEY, name text, note text);
            {numbers(count)} INSERT INTO users
            SELECT i, CASE WHEN i > {count - named} THEN 'user ' || i END, 'note ' || i FROM n;""")

    def define(self, text=None, name="fill", version=VERSION, **parts):
        """Writes a definition into audits/; see definition_text."""
        return self.write(f"audits/{version}_{name}.sql", definition_text(**parts) if text is None else text)

    # --- the tool

    def environment(self, **variables):
        """Nothing of the developer's own settings, and the test's database as DATABASE_URL."""
        kept = {name: value for name,
                value in os.environ.items() if not name.startswith(("PG", "DATACHANGE", "DATABASE_URL"))}
        own = {"HOME": self.folder, "LC_ALL": "C.UTF-8", "TERM": "dumb", "DATABASE_URL": self.database.url, **variables}
        return {name: value for name, value in {**kept, **own}.items() if value is not None}

    def tool(self, *arguments, prefix=(), folder=None, **variables):
        """Runs the tool to its end. Keywords are environment variables; None: without."""
        done = subprocess.run(
            [*prefix, TOOL, *arguments], cwd=folder or self.folder, env=self.environment(**variables),
            stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False)
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments, **variables):
        tool = KILLABLE if variables.get("DATACHANGE_FAILPOINT") else TOOL
        started = Started([tool, *arguments], self.folder, self.environment(**variables))
        self.addCleanup(started.end)
        return started

    def run_ok(self, *flags, definition="fill", **variables):
        """Runs a definition, which must succeed. @return what --json printed."""
        result = self.tool("run", definition, "--json", *flags, **variables)
        self.assertEqual(result.code, 0, result)
        return result.json

    def refused(self, code, *words, flags=(), definition="fill", **variables):
        """Runs a definition, which must fail so, and change nothing."""
        with self.nothing_changes():
            result = self.tool("run", definition, *flags, **variables)
        self.assert_failed(result, code, *words)
        return result

    def assert_failed(self, result, code, *words):
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out, "", result)
        self.assertIn("error: ", result.err)
        for word in words:
            self.assertIn(word, result.err)
        self.assertRegex(result.err, r"(?m)^hint: \S", result)

    # --- evidence

    @contextlib.contextmanager
    def nothing_changes(self):
        """Neither in the tables, nor in the ledger's rows, nor among the CSV files."""
        tables, rows, files = self.database.dump(), self.evidence_rows(), self.csv_files()
        yield
        self.assertEqual(self.database.dump(), tables)
        self.assertEqual(self.evidence_rows(), rows)
        self.assertEqual(self.csv_files(), files)

    def evidence_rows(self):
        """Rows that the ledger holds, seen by the view or not."""
        with contextlib.suppress(sqlite3.Error):
            return self.ledger("SELECT (SELECT count(*) FROM changes), (SELECT count(*) FROM change)")
        return [(0, 0)]

    def csv_files(self):
        """All files, and the folders of runs, below audit-csv."""
        found = []
        for folder, _, files in os.walk(self.path("audit-csv")):
            inside = os.path.relpath(folder, self.path("audit-csv"))
            found += [os.path.join(inside, file) for file in files] + ([inside] if "/" in inside else [])
        return sorted(found)

    def ledger(self, sql, *values, name="datachange-ledger.db"):
        """Rows of the ledger; an error if there is none."""
        ledger = sqlite3.connect(f"file:{self.path(name)}?mode=ro", uri=True)
        try:
            return ledger.execute(sql, values).fetchall()
        finally:
            ledger.close()

    def last_run(self):
        return self.ledger("SELECT max(run_id) FROM runs")[0][0]

    def changes(self, step=1, run=None):
        """{identifier: (action, before, after)} of a run, by default the last; images are dicts."""
        rows = self.ledger(
            "SELECT identifier, action, before, after FROM changes WHERE run_id = ? AND step = ?", run or self.last_run(),
            step)
        found = {key: (action, *(image and json.loads(image) for image in images)) for key, action, *images in rows}
        self.assertEqual(len(found), len(rows), "an identifier stands twice in the ledger")
        return found

    def actions(self, step=1, run=None):
        return {key: action for key, (action, _, _) in self.changes(step, run).items()}

    def csv(self, path):
        """(header, rows) of a CSV; NULL is None."""
        with open(self.path(path), "rb") as file:
            return read_evidence(file.read())

    def column(self, select):
        """The first column of a query on the target."""
        return [row[0] for row in self.database.rows(select)]

    def journal(self):
        """(state, rows_changed, batches) of each run in the target, oldest first."""
        return self.database.rows(
            "SELECT state, rows_changed, (SELECT count(*) FROM datachange_batches b WHERE b.run_uuid = r.run_uuid)"
            " FROM datachange_runs r ORDER BY started_at, run_uuid")

    def has_journal(self):
        return any("datachange_" in name for name in self.database.tables())


def small(size):
    """Flags for batches of a size, one after the other, however small the set."""
    return ["--batch-threshold", "1", "--batch-size", str(size), "--workers", "1"]


def wait_until(condition, what):
    """Polls until it holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain until {what}")


class SqliteCase(CliCase):
    engine = "sqlite"

    def new_database(self, name="target.db"):
        return Sqlite(self.folder, name)

    def after_trigger(self, name, event, statement, table="users"):
        """Executes a statement with NEW after each row."""
        self.database.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {statement}; END")


class PostgresCase(CliCase):
    engine = "postgresql"

    def new_database(self):
        database = Postgres()
        self.addCleanup(database.drop)
        return database

    def after_trigger(self, name, event, statement, table="users"):
        """Executes a statement with NEW after each row."""
        self.database.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$;"
            f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")

    def session(self):
        session = PsqlSession(self.database.url)
        self.addCleanup(session.close)
        return session

    def wait_until_blocked(self):
        """Until the tool waits for a lock of somebody else."""
        wait_until(lambda: self.column(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'datachange:%' AND wait_event_type = 'Lock'") == ["1"], "the tool is blocked")


def without_rights(*command):
    """The command as somebody whom file modes bind: for root without the capability to pass over them."""
    if os.geteuid() != 0:
        return command
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--", *command)


class Batched:
    """What holds for every batched run."""

    def check_batches(self, printed, planned, step=1):
        """The batches are what the set was cut into, in the ledger as in the journal, and together they are all of it."""
        bounds = self.ledger("SELECT lower_key, upper_key, rows FROM batches WHERE run_id = ? AND step = ? ORDER BY"
                             " CAST(batch AS integer)", printed["run"], step)
        for (_, upper, _), (lower, _, _) in zip(bounds, bounds[1:]):
            self.assertEqual(lower, upper)
        self.assertEqual(bounds[0][0], None)
        self.assertEqual(sum(rows for _, _, rows in bounds), planned)
        self.assertEqual(len(self.changes(step, printed["run"])), planned)
        journal = self.database.rows("SELECT lower_key, upper_key, rows_changed FROM datachange_batches"
                                     f" WHERE run_uuid = '{printed['uuid']}' AND step = {step} ORDER BY CAST(batch AS"
                                     f" integer)")
        self.assertEqual([row[:2] for row in journal], [row[:2] for row in bounds])
        self.assertEqual(sum(int(row[2]) for row in journal), planned)
        self.assertEqual(self.ledger("SELECT DISTINCT state FROM batches WHERE run_id = ?", printed["run"]),
                         [("committed",)])
        return bounds
