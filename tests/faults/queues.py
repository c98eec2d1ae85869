"""A queue of three versions, workers on it, an application that writes meanwhile, and the checks of what is left."""

import collections
import contextlib
import json
import os
import signal
import sqlite3
import threading

import exactness
import subjects
from faults import FaultCase
from support import wait_until

VERSIONS = ("20260101000000", "20260102000000", "20260103000000")
ROWS = 90
OPEN = [str(i) for i in range(1, ROWS + 1) if i % 10]


def text(number):
    """Appends a digit to every amount, so that a version done twice, left out, or out of turn shows in each row.

    Nothing but the queue keeps the first one from being run again."""
    return subjects.definition(
        "SELECT id, amount, counter FROM items WHERE status = 'open' AND :batch(id)",
        f"UPDATE items SET amount = amount * 10 + {number} WHERE status = 'open' AND :batch(id) RETURNING id, amount, counter",
        header="-- repeatable: yes" if number == 1 else "")


class QueueFaultCase(FaultCase):
    size = 10

    def setUp(self):
        super().setUp()
        subjects.make_items(self.database, ROWS)
        for number, version in enumerate(VERSIONS, 1):
            self.define(text=text(number), name=f"append_{number}", version=version)
        result = self.tool("enqueue", "--all")
        self.assertEqual(result.code, 0, result)
        self.before = self.table()
        self.ledgers = set()

    # --- what goes on

    def work(self, *flags, ledger="datachange-ledger.db", batches=True, **variables):
        self.ledgers.add(ledger)
        if batches:
            flags += ("--batch-threshold", "1", "--batch-size", str(self.size), "--workers", "1")
        return self.start(
            "work", "--once", "--poll-interval", "50ms", "--retry-delay", "100ms", "--max-attempts", "100",
            "--ledger", ledger, "--csv-dir", ledger + "-csv", *flags, **variables)

    @contextlib.contextmanager
    def application(self):
        """Somebody else writes to the rows, one by one, until the end."""
        ended = threading.Event()

        def write():
            number = 0
            while not ended.wait(0.02):
                number = number % ROWS + 1
                with contextlib.suppress(sqlite3.OperationalError, RuntimeError):  # locked for too long: the next one
                    self.database.execute(f"UPDATE items SET counter = counter + 1 WHERE id = {number}")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield
        finally:
            ended.set()
            writer.join()

    def head(self):
        """(state, claim, run_uuid) of the item whose turn it is; None where all is done."""
        rows = self.database.rows("SELECT state, claim, run_uuid FROM datachange_queue WHERE state <> 'done'"
                                  " ORDER BY position LIMIT 1")
        return rows[0] if rows else None

    def finish_all(self, *workers):
        for worker in workers or (self.work(),):
            result = worker.finish()
            self.assertEqual(result.code, 0, result)

    # --- what is left

    def assert_all_exact(self):
        self.assertEqual(
            self.database.rows("SELECT version, state, attempts FROM datachange_queue ORDER BY position"),
            [(version, "done", "0") for version in VERSIONS])
        self.assert_in_order()
        events = self.events()
        self.assertEqual(exactness.check_table(self.before, events, self.table()), [])
        for row in self.table():
            self.assertTrue(row["id"] not in OPEN or row["amount"].endswith("123"), row)
        ledger = self.one_ledger()
        verified = self.tool("verify", "--deep", "--ledger", ledger)
        self.assertEqual(verified.code, 0, verified)
        for number, version in enumerate(VERSIONS, 1):
            self.assert_version(number, version, events, ledger)

    def assert_in_order(self):
        """One run a version, and none begins before the one before it has ended."""
        runs = self.database.rows("SELECT version, state, started_at, finished_at FROM datachange_runs ORDER BY started_at")
        self.assertEqual([run[:2] for run in runs], [(version, "done") for version in VERSIONS])
        for (*_, ended), (_, _, started, _) in zip(runs, runs[1:]):
            self.assertLessEqual(ended, started)

    def one_ledger(self):
        """Where all evidence stands: several ledgers are merged."""
        if len(self.ledgers) == 1:
            return next(iter(self.ledgers))
        # who was killed while it made its ledger has left an empty file
        there = sorted(name for name in self.ledgers
                       if os.path.exists(self.path(name)) and os.path.getsize(self.path(name)) > 0)
        merged = self.tool("ledger", "merge", "--ledger", "all.db", *there)
        self.assertEqual(merged.code, 0, merged)
        return "all.db"

    def assert_version(self, number, version, events, ledger):
        own = [event for event in events if event.old and event.new and event.old["amount"] != event.new["amount"]
               and event.new["amount"].endswith(str(number))]
        truth = {event.old["id"]: event.images(("id", "amount", "counter")) for event in own}
        times = collections.Counter(event.old["id"] for event in own)
        self.assertEqual(times, collections.Counter(OPEN), f"version {number}")
        [(uuid,)] = self.database.rows(f"SELECT run_uuid FROM datachange_runs WHERE version = '{version}'")
        with self.open_ledger(ledger) as connection:
            [(run,)] = connection.execute("SELECT run_id FROM runs WHERE uuid = ?", (uuid,)).fetchall()
            self.assertEqual(exactness.check_journal(self.database, connection, run, uuid), [])
            changes = connection.execute("SELECT identifier, before, after FROM changes WHERE run_id = ?", (run,)).fetchall()
        found = {key: tuple({name: str(value) for name, value in json.loads(image).items()} for image in images)
                 for key, *images in changes}
        self.assertEqual(len(found), len(changes))
        self.assertEqual(found, truth)

    def everything(self):
        """All of the target, without the heartbeat of a worker that still waits."""
        return {"table": self.database.dump(), **{
            name: self.database.rows(f"SELECT * FROM datachange_{name} ORDER BY 1, 2, 3")
            for name in ("runs", "batches", "queue")}}


def kill(started):
    """@return whether it was still alive"""
    started.send(signal.SIGKILL)
    return started.finish().code == -signal.SIGKILL


__all__ = ["QueueFaultCase", "VERSIONS", "kill", "wait_until"]
