"""What the tests of faults share: a subject that is changed, the tool killed in it, and the checks of what is left."""

import contextlib
import dataclasses
import os
import signal
import sqlite3
import tempfile
import time
import unittest

import exactness
import subjects
from counting import count
from servers import AskedPostgres
from support import VERSION, PostgresCase, SqliteCase, wait_until

LEDGER = "datachange-ledger.db"
PENDING = (3, 6)  # stopped, or failed after some batches: the run can go on


@dataclasses.dataclass
class Undisturbed:
    """What a run without faults leaves."""

    table: list
    csvs: dict
    seconds: float


_undisturbed = {}


class FaultCase(unittest.TestCase):
    """Mixed into SqliteCase or PostgresCase: one database with one subject, and one run on it."""

    size = 10  # rows in a batch
    workers = None  # --workers, for tools that have it

    # --- before the run

    def prepare(self, subject, rows=60, spread=1, header=""):
        self.subject, self.rows, self.spread = subject, rows, spread
        subjects.make_items(self.database, rows, spread)
        self.define(text=header + subject.text)
        self.before = self.table()

    def table(self):
        rows = exactness.read_table(self.database, subjects.COLUMNS["items"])
        return sorted(rows, key=lambda row: int(row["id"]))

    def events(self):
        return exactness.read_events(self.database)

    def flags(self):
        return self.subject.flags(self.size) + self.worker_flags()

    def resume_command(self, run=None):
        """@param run by default its number in the ledger"""
        flags = ["--batch-size", str(self.size)] if self.subject.batched else []
        return ["resume", run or str(self.ledger_number()), *flags, *self.worker_flags()]

    def worker_flags(self):
        return ["--workers", str(self.workers or 1)]

    def undisturbed(self):
        """The same definition, run without faults on an identical database; once for all tests of this process."""
        key = (self.engine, self.subject.name, self.rows, self.spread, self.size)
        if key not in _undisturbed:
            with self.another_place():
                self.prepare(self.subject, self.rows, self.spread)
                start = time.monotonic()
                self.run_ok(*self.flags())
                seconds = time.monotonic() - start
                self.assert_exact(compare=False)
                _undisturbed[key] = Undisturbed(self.table(), self.csv_contents(), seconds)
        return _undisturbed[key]

    @contextlib.contextmanager
    def another_place(self):
        """Another folder and database for a while."""
        here = self.folder, self.database, getattr(self, "before", None)
        with tempfile.TemporaryDirectory(prefix="datachange-cli-", ignore_cleanup_errors=True) as self.folder:
            self.database = self.new_database()
            try:
                yield
            finally:
                self.folder, self.database, self.before = here

    # --- the run and its faults

    def start_run(self, *flags, failpoint=None, **variables):
        return self.start("run", "fill", *self.flags(), *flags, DATACHANGE_FAILPOINT=failpoint, **variables)

    def killed_at(self, failpoint, *command, kind=None):
        """Runs the tool, which kills itself there. @param failpoint name:pass"""
        command = command or ("run", "fill", *self.flags())
        result = self.start(*command, DATACHANGE_FAILPOINT=f"{failpoint}:KILL").finish()
        self.assertEqual(result.code, -signal.SIGKILL, f"never came through {failpoint}: {result}")
        count(kind or f"kill -9 at a named point, {self.engine}")

    def stopped_at(self, failpoint, *flags, **variables):
        """A run that has stopped itself there (SIGSTOP), to be sent SIGCONT. @param failpoint name:pass"""
        run = self.start_run(*flags, failpoint=f"{failpoint}:STOP", **variables)
        wait_until(lambda: process_state(run) in ("T", None), f"the run stops at {failpoint}")
        self.assertEqual(process_state(run), "T", f"never came through {failpoint}: {not run.running and run.finish()}")
        return run

    def wait_beside(self, run, condition, what):
        """Polls until it holds, as long as the run goes on."""
        wait_until(lambda: condition() or not run.running, what)
        if not run.running and not condition():
            self.fail(f"the run has ended before {what}: {run.finish()}")

    def go_on(self, by="resume", flags=(), **variables):
        """As a user goes on with a run that stopped: by its number, or by running the definition again."""
        if by == "run" or not self.journal_run() or not self.ledger_number():
            return self.tool("run", "fill", *self.flags(), *flags, **variables)
        return self.tool(*self.resume_command(), *flags, **variables)

    def finish(self, by="resume", tries=1, flags=(), **variables):
        """Goes on until the run is done. @param tries more than one where faults still happen meanwhile"""
        for attempt in range(tries):
            if self.state() == "done":
                return
            result = self.go_on(by, flags, **variables)
            if result.code != 0:
                self.assertIn(result.code, PENDING, result)
                self.assertLess(attempt + 1, tries, result)
        self.assertEqual(self.state(), "done")

    # --- what is left

    def journal_run(self):
        """(uuid, state) of the version's newest run in the target, or None."""
        if not self.has_journal():
            return None
        rows = self.database.rows("SELECT run_uuid, state FROM datachange_runs ORDER BY started_at DESC, run_uuid LIMIT 1")
        return rows[0] if rows else None

    def state(self):
        run = self.journal_run()
        return run and run[1]

    def uuid(self):
        return self.journal_run()[0]

    def ledger_number(self):
        """The run of the target's journal in the ledger; None where it is not there."""
        run = self.journal_run()
        with contextlib.suppress(sqlite3.OperationalError):
            found = self.ledger("SELECT run_id FROM runs WHERE uuid = ?", run and run[0])
            return found[0][0] if found else None
        return None

    def committed(self):
        """Batches that the target has."""
        run = self.journal_run()
        return len(exactness.journal_batches(self.database, run[0])) if run else 0

    def csv_contents(self):
        """{name of the file: bytes} of the run's CSVs."""
        contents = {}
        for (path,) in self.ledger("SELECT path FROM files WHERE run_id = ?", self.ledger_number()):
            with open(path, "rb") as file:
                contents[os.path.basename(path)] = file.read()
        return contents

    def open_ledger(self, name=LEDGER):
        return contextlib.closing(sqlite3.connect(f"file:{self.path(name)}?mode=ro", uri=True))

    def wait_until_gone(self):
        """Until nothing of a killed tool is left in the database: its session outlives it for a moment."""

    def assert_nothing_unrecorded(self):
        """Holds at any moment, so also while the tool is dead."""
        self.wait_until_gone()
        if not self.journal_run():
            self.assertEqual([event for event in self.events() if event.by_tool], [])
            return
        with self.open_ledger() as ledger:
            problems = exactness.check_nothing_unrecorded(
                self.database, ledger, self.ledger_number(), self.uuid(), self.events())
        self.assertEqual(problems, [])

    def assert_exact(self, compare=True):
        """Target, journal, ledger and CSVs of a run that is done agree with the truth, and are as without faults."""
        self.assertEqual(self.state(), "done")
        self.assert_evidence()
        others = "SELECT count(*) FROM batches WHERE state = 'committed' AND run_id <> ?"
        self.assertEqual(self.ledger(others, self.ledger_number()), [(0,)])
        self.assertEqual(self.ledger("SELECT state FROM runs WHERE run_id = ?", self.ledger_number()), [("done",)])
        if compare:
            expected = self.undisturbed()
            self.assertEqual(self.table(), expected.table)
            csvs = self.csv_contents()
            self.assertEqual([name for name in csvs.keys() | expected.csvs.keys()
                              if csvs.get(name) != expected.csvs.get(name)], [], "these CSVs differ from an undisturbed run's")

    def assert_evidence(self):
        """The same for a run that has ended in any way, as far as it came."""
        events = self.events()
        with self.open_ledger() as ledger:
            problems = exactness.check_run(self.database, ledger, self.ledger_number(), self.uuid(), self.subject.steps,
                                           self.before, events)
            path = ledger.execute("PRAGMA database_list").fetchone()[2]
        problems += exactness.check_table(self.before, events, self.table())
        self.assertEqual(problems[:20], [])
        verified = self.tool("verify", "--deep", "--ledger", path)
        self.assertEqual(verified.code, 0, verified)


def process_state(started):
    """The letter of a process: T is stopped; None has ended."""
    if not started.running:
        return None
    with open(f"/proc/{started.process.pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


class SqliteFaults(FaultCase, SqliteCase):
    pass


class PostgresFaults(FaultCase, PostgresCase):
    def new_database(self):
        database = AskedPostgres()
        self.addCleanup(database.drop)
        return database

    def tool_sessions(self, columns="pid", where="true"):
        """Of the tool in this test's database."""
        return self.database.rows(
            f"SELECT {columns} FROM pg_stat_activity WHERE datname = current_database()"
            f" AND application_name LIKE 'datachange%' AND pid <> pg_backend_pid() AND {where}")

    def wait_until_gone(self):
        wait_until(lambda: not self.tool_sessions(), "the session of the tool has ended")

    def wait_until_tool_waits(self, run):
        self.wait_beside(run, lambda: self.tool_sessions(where="wait_event_type = 'Lock'"), "the tool waits for a lock")


def stderr_so_far(started):
    """What a call of the tool that still goes on has written; "" when it has ended."""
    with contextlib.suppress(OSError), open(f"/proc/{started.process.pid}/fd/2", encoding="utf-8") as file:
        return file.read()
    return ""


def both_engines(namespace, **groups):
    """Makes NameOnSqlite and NameOnPostgres of each mixin, in a module's namespace."""
    for name, tests in groups.items():
        for base, engine in ((SqliteFaults, "Sqlite"), (PostgresFaults, "Postgres")):
            made = type(f"{name}On{engine}", (tests, base), {"__module__": namespace["__name__"]})
            namespace[made.__name__] = made


def generate(case, name, method):
    """Adds a test to a class; a label of letters, digits and _ is made of the name."""
    label = "test_" + "".join(letter if letter.isalnum() else "_" for letter in name)
    if hasattr(case, label):
        raise ValueError(f"two tests are called {label}")
    setattr(case, label, method)


__all__ = ["LEDGER", "PENDING", "VERSION", "FaultCase", "PostgresFaults", "SqliteFaults", "both_engines", "generate",
           "process_state", "stderr_so_far"]
