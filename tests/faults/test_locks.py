"""Locks that others hold: deadlocks, time limits, and a replica that lags."""

import unittest

import subjects
from counting import count
from faults import PENDING, PostgresFaults, stderr_so_far
from own_server import PairFaults
from support import wait_until

SLOW = """
CREATE OR REPLACE FUNCTION slow(id integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN
    IF id > 33 THEN PERFORM pg_sleep(0.05); END IF; RETURN 0; END $$"""
FAST = "CREATE OR REPLACE FUNCTION slow(id integer) RETURNS integer LANGUAGE sql AS $$ SELECT 0 $$"


class LockTests(PostgresFaults):
    size = 30

    def attempts(self):
        return self.ledger("SELECT max(attempts) FROM batches WHERE state = 'committed'")[0][0]

    def check_deadlock(self, subject):
        """Somebody locks a late row of the batch first, then an early one; the tool goes the other way."""
        self.prepare(subject)
        other = self.session()
        other.execute("SET deadlock_timeout = '60s'")  # so that the tool is the one who is told
        other.execute("BEGIN")
        other.execute("UPDATE items SET counter = counter + 1 WHERE id = 29")
        run = self.start_run("--lock-timeout", "60s")
        self.wait_until_tool_waits(run)
        other.execute("UPDATE items SET counter = counter + 1 WHERE id = 1")  # ends when the tool has given way
        other.execute("COMMIT")
        result = run.finish()
        count("deadlock")
        self.assertEqual(result.code, 0, result)
        self.assertGreater(self.attempts(), 1)

    def test_a_deadlock_is_tried_again(self):
        self.check_deadlock(subjects.RANGE)
        self.assert_evidence()
        self.assertEqual(self.database.rows("SELECT id, counter FROM items WHERE counter > 0 ORDER BY 1"),
                         [("1", "1"), ("29", "1")])

    def test_a_deadlock_by_key_list(self):
        # rows whose captured columns the other session has changed meanwhile have drifted, and are left out
        self.check_deadlock(subjects.KEYS)
        self.assert_evidence()
        self.assertEqual(sum(event.by_tool for event in self.events()), 52)

    def transaction_start(self):
        return self.tool_sessions("xact_start", where="wait_event_type = 'Lock'")

    def check_lock(self, subject):
        """Somebody keeps a row for longer than --lock-timeout, then lets it go."""
        self.prepare(subject)
        other = self.session()
        other.execute("BEGIN")
        other.execute("SELECT * FROM items WHERE id = 17 FOR UPDATE")
        run = self.start_run("--lock-timeout", "200ms", "--retries", "50")
        self.wait_until_tool_waits(run)
        first = self.transaction_start()
        self.wait_beside(run, lambda: self.transaction_start() not in ([], first), "the tool tries again")
        other.execute("ROLLBACK")
        result = run.finish()
        count("lock held for longer than the timeout")
        self.assertEqual(result.code, 0, result)
        self.assertGreater(self.attempts(), 1)
        self.assert_exact()

    def test_a_lock_timeout_is_tried_again(self):
        self.check_lock(subjects.RANGE)

    def test_a_lock_timeout_of_one_transaction(self):
        self.check_lock(subjects.SINGLE)

    def test_a_lock_that_is_never_given_back(self):
        self.prepare(subjects.RANGE)
        other = self.session()
        other.execute("BEGIN")
        other.execute("SELECT * FROM items WHERE id = 47 FOR UPDATE")
        result = self.tool("run", "fill", *self.flags(), "--lock-timeout", "50ms", "--retries", "2")
        count("lock held for longer than the timeout")
        self.assertIn(result.code, PENDING, result)
        self.assertIn("55P03", result.err)
        self.assertEqual(self.committed(), 1)
        self.assert_nothing_unrecorded()
        other.execute("ROLLBACK")
        self.finish()
        self.assert_exact()

    def test_a_statement_timeout_stops(self):
        self.prepare(subjects.RANGE)
        self.undisturbed()
        self.database.execute(SLOW)
        text = subjects.RANGE.text.replace("amount * 2 + 1", "amount * 2 + 1 + slow(id)")
        self.define(text=text)
        result = self.tool("run", "fill", *self.flags(), "--statement-timeout", "200ms")
        count("statement timeout")
        self.assertIn(result.code, PENDING, result)
        self.assertIn("57014", result.err)
        self.assert_nothing_unrecorded()
        self.assertEqual(max(int(event.old["id"]) for event in self.events()), 33)  # the first batch
        self.database.execute(f"DROP FUNCTION slow; {FAST}")
        self.finish()
        self.assert_evidence()
        self.assertEqual(self.table(), self.undisturbed().table)


class LagTests(PairFaults):
    size = 10

    def test_no_batch_while_the_replica_lags(self):
        self.prepare(subjects.RANGE, rows=200)
        self.undisturbed()
        replica = self.replicate()
        replica.catch_up()
        replica.execute("SELECT pg_wal_replay_pause()")
        wait_until(lambda: replica.rows("SELECT pg_get_wal_replay_pause_state()") == [("paused",)], "replay pauses")
        self.database.execute("CREATE TABLE unreplayed (id integer)")
        # the run itself lasts longer than the lag that it is to see
        run = self.start_run("--max-lag", "500ms", "--sleep", "100ms", "--progress", "json")
        self.wait_beside(run, lambda: '"throttled":"replica lags' in stderr_so_far(run), "the run is throttled")
        held, before = self.committed(), self.written_wal()
        wait_until(lambda: self.write_wal() - before > 20, "time passes")
        self.assertEqual(self.committed(), held)
        self.assertLess(held, 18)
        count("replica that lags")
        replica.execute("SELECT pg_wal_replay_resume()")
        result = run.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn("lag", result.err)
        self.assert_exact()

    def written_wal(self):
        return int(self.database.rows("SELECT count(*) FROM unreplayed")[0][0])

    def write_wal(self):
        """One more row, which takes its time: @return how many there are."""
        self.database.execute("INSERT INTO unreplayed SELECT 1 FROM pg_sleep(0.1)")
        return self.written_wal()


if __name__ == "__main__":
    unittest.main()
