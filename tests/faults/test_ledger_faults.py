"""The ledger or the CSVs cannot be written: the change stops before its COMMIT, says what to do, and goes on later."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import unittest

import subjects
from counting import count
from faults import LEDGER, PENDING, both_engines
from support import TOOL, Started

FSYNC_LIBRARY = os.environ.get("DATACHANGE_FAILING_FSYNC")
UNUSABLE = PENDING + (5,)


class UnwritableCase:
    """Stops a run in its third batch, takes the ledger away from it, and lets it go on."""

    def setUp(self):
        super().setUp()
        self.prepare(subjects.RANGE)

    def assert_stopped(self, result, *words):
        """The batch in hand is not in the target, and the message says how to go on."""
        self.assertIn(result.code, PENDING, result)
        for word in ("error: ", "resume", *words):
            self.assertIn(word, result.err)
        self.assertEqual(self.committed(), 2)
        self.assert_nothing_unrecorded()

    def in_third_batch(self, *flags, **variables):
        return self.stopped_at("batch.begun:3", *flags, **variables)

    def let_go_on(self, run):
        run.send(signal.SIGCONT)
        return run.finish()

    def finish_exactly(self, flags=()):
        self.finish(flags=flags)
        self.assert_exact()


class LockTests(UnwritableCase):
    @contextlib.contextmanager
    def held_ledger(self):
        """As somebody's transaction on it that does not end."""
        holder = sqlite3.connect(self.path(LEDGER), isolation_level=None, timeout=10)
        with contextlib.closing(holder):
            holder.execute("BEGIN IMMEDIATE")
            count("ledger locked by another process")
            yield
            holder.execute("ROLLBACK")

    def test_while_a_run_goes_on(self):
        run = self.in_third_batch(DATACHANGE_LEDGER_TIMEOUT="300")
        with self.held_ledger():
            self.assert_stopped(self.let_go_on(run), "locked")
        self.finish_exactly()

    def test_for_less_than_the_timeout(self):
        run = self.in_third_batch()
        with self.held_ledger():
            run.send(signal.SIGCONT)
        self.assertEqual(run.finish().code, 0)
        self.assert_exact()

    def test_before_a_run(self):
        with self.another_place():
            self.prepare(subjects.RANGE)
            self.run_ok(*self.flags())
            ledger = self.path(LEDGER)
            with self.held_ledger():
                self.check_refused_run(ledger)

    def check_refused_run(self, ledger):
        """Another run on the locked ledger."""
        before = self.table()
        self.define(name="other", version="20260101000001", text=subjects.RANGE.text)
        result = self.tool("run", "other", *self.flags(), "--ledger", ledger, DATACHANGE_LEDGER_TIMEOUT="300")
        self.assertEqual(result.code, 5, result)
        self.assertIn("locked", result.err)
        self.assertEqual(self.table(), before)


class SizeLimitTests(UnwritableCase):
    """EFBIG in place of ENOSPC, which needs no rights; only a PostgreSQL target writes no file of its own."""

    def test_no_file_may_grow_further(self):
        if self.engine == "sqlite":
            self.skipTest("the limit would meet the target's own file as well; see the full disk")
        run = self.in_third_batch()
        largest = max(os.path.getsize(self.path(name)) for name in os.listdir(self.folder) if name.startswith(LEDGER))
        subprocess.run(["prlimit", "--pid", str(run.process.pid), f"--fsize={largest}"], check=True)
        count("ledger at the limit of file size")
        self.assert_stopped(self.let_go_on(run), "ledger")
        self.finish_exactly()

    def start(self, *arguments, **variables):
        """With SIGXFSZ ignored, so that a write beyond the limit is an error."""
        started = Started(["env", "--ignore-signal=XFSZ", TOOL, *arguments], self.folder, self.environment(**variables))
        self.addCleanup(started.end)
        return started


class DiskTests(UnwritableCase):
    """A small file system of its own, that is filled."""

    def setUp(self):
        super().setUp()
        self.undisturbed()
        self.disk = self.path("disk")
        os.mkdir(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", self.disk], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mounting a file system takes root; the limit of file size is tested all the same")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)

    def fill(self):
        with open(os.path.join(self.disk, "ballast"), "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(b"x" * 4096)
        count("disk full")

    def make_room(self):
        os.remove(os.path.join(self.disk, "ballast"))

    def ledger(self, sql, *values, name=None):
        return super().ledger(sql, *values, name=name or self.ledger_name)

    def open_ledger(self, name=None):
        return super().open_ledger(name or self.ledger_name)

    ledger_name = LEDGER

    def test_of_the_ledger(self):
        self.ledger_name = os.path.join("disk", LEDGER)
        flags = ("--ledger", self.ledger_name)
        run = self.in_third_batch(*flags)
        self.fill()
        self.assert_stopped(self.let_go_on(run), "ledger")
        self.make_room()
        self.finish_exactly(flags)

    def test_of_the_csvs(self):
        flags = ("--csv-dir", "disk")
        run = self.in_third_batch(*flags)
        self.fill()
        result = self.let_go_on(run)
        self.assertIn(result.code, UNUSABLE, result)
        self.assertIn("resume", result.err)
        self.assert_nothing_unrecorded()
        self.make_room()
        self.finish_exactly(flags)


class FsyncTests(UnwritableCase):
    """fsync of the ledger says EIO for a while."""

    def test_of_the_ledger(self):
        if not FSYNC_LIBRARY:
            self.skipTest("no library that makes fsync fail: it is not built beside sanitizers")
        trigger = self.path("fsync-fails")
        run = self.in_third_batch(LD_PRELOAD=FSYNC_LIBRARY, FAILING_FSYNC_FILE=LEDGER, FAILING_FSYNC_WHEN=trigger)
        self.write("fsync-fails", "")
        count("fsync of the ledger failed")
        result = self.let_go_on(run)
        os.remove(trigger)
        self.assert_stopped(result, "ledger")
        self.finish_exactly()


class LockedResumeTests:
    """The ledger is locked when a killed run is to go on."""

    def test_goes_on_when_the_ledger_is_free(self):
        for subject in (subjects.RANGE, subjects.KEYS):
            with self.subTest(subject.name), self.another_place():
                self.prepare(subject)
                self.killed_at("ledger.staged:2")
                self.check_locked_resume()
                self.finish()
                self.assert_exact()

    def check_locked_resume(self):
        with contextlib.closing(sqlite3.connect(self.path(LEDGER), isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            result = self.go_on(DATACHANGE_LEDGER_TIMEOUT="200")
            count("ledger locked by another process")
            self.assertIn(result.code, UNUSABLE, result)
            self.assertIn("locked", result.err)
        self.assert_nothing_unrecorded()


both_engines(globals(), Lock=LockTests, SizeLimit=SizeLimitTests, Disk=DiskTests, Fsync=FsyncTests,
             LockedResume=LockedResumeTests)
del LockTests, SizeLimitTests, DiskTests, FsyncTests, LockedResumeTests

if __name__ == "__main__":
    unittest.main()
