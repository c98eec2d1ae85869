"""A run that is paused, throttled, stopped and cancelled from outside, and what is said of one that died."""

import hashlib
import os
import signal
import unittest

import subjects
from counting import count
from faults import PostgresFaults, both_engines, stderr_so_far

SLOWLY = ("--sleep", "100ms")


class ControlTests:
    def start_slowly(self, subject=subjects.RANGE, flags=SLOWLY, rows=200):
        self.prepare(subject, rows=rows)
        self.undisturbed()
        run = self.start_run(*flags)
        self.wait_beside(run, lambda: self.committed() >= 2, "two batches are done")
        return run

    def order(self, command, *flags):
        """Gives an order from another process."""
        result = self.tool(command, str(self.ledger_number()), *flags)
        self.assertEqual(result.code, 0, result)
        count(f"{command} from another process, {self.engine}")

    def let_time_pass(self):
        """As long as the tool takes to start and end some times; a running run would commit several batches."""
        for _ in range(5):
            self.tool("status")

    def test_pause_and_resume(self):
        run = self.start_slowly()
        self.order("pause")
        self.wait_beside(run, lambda: self.state() == "paused", "the run is paused")
        held = self.committed()
        self.let_time_pass()
        self.assertEqual((self.committed(), self.state(), run.running), (held, "paused", True))
        self.assertIn("paused", self.tool("runs").out)
        self.order("resume")
        result = run.finish()
        self.assertEqual(result.code, 0, result)
        self.assert_exact()

    def test_a_paused_run_whose_process_dies_goes_on(self):
        run = self.start_slowly()
        self.order("pause")
        self.wait_beside(run, lambda: self.state() == "paused", "the run is paused")
        run.send(signal.SIGKILL)
        run.finish()
        count(f"kill -9 of a paused run, {self.engine}")
        self.finish()
        self.assert_exact()

    def test_cancel(self):
        run = self.start_slowly()
        self.order("cancel")
        result = run.finish()
        self.assertIn(result.code, (3, 6), result)
        self.assertEqual(self.state(), "cancelled")
        self.assertLess(self.committed(), 18)
        self.assert_nothing_unrecorded()
        self.assert_evidence()
        with self.nothing_changes():
            self.assertNotEqual(self.tool("resume", str(self.ledger_number())).code, 0)

    def test_cancel_a_paused_run(self):
        run = self.start_slowly()
        self.order("pause")
        self.wait_beside(run, lambda: self.state() == "paused", "the run is paused")
        self.order("cancel")
        self.assertIn(run.finish().code, (3, 6))
        self.assertEqual(self.state(), "cancelled")
        self.assert_evidence()

    def test_throttle(self):
        # at this rate 900 rows would take three minutes, which is longer than a test waits
        run = self.start_slowly(flags=("--max-rows-per-second", "5"), rows=1000)
        self.order("throttle", "--max-rows-per-second", "1000000")
        self.assertEqual(run.finish().code, 0)
        self.assert_exact()

    def check_held_back(self, reason, release, *flags):
        self.prepare(subjects.RANGE)
        run = self.start_run("--progress", "json", *flags)
        self.wait_beside(run, lambda: reason in stderr_so_far(run), "the run is held back")
        held = self.committed()
        self.let_time_pass()
        self.assertEqual((self.committed(), run.running), (held, True))
        count(f"run held back by a throttle, {self.engine}")
        release()
        self.assertEqual(run.finish().code, 0)
        self.assert_exact()

    def test_a_flag_file(self):
        flag = self.path(self.write("wait", ""))
        self.check_held_back('"throttled":"', lambda: os.remove(flag), "--throttle-flag-file", flag)

    def test_a_throttle_query(self):
        self.database.execute("CREATE TABLE load (value integer); INSERT INTO load VALUES (1)")
        self.check_held_back('"throttled":"', lambda: self.database.execute("UPDATE load SET value = 0"),
                             "--throttle-query", "SELECT value FROM load")


class SignalTests:
    start_slowly = ControlTests.start_slowly

    def check_stopped_by(self, number):
        run = self.start_slowly()
        run.send(number)
        result = run.finish()
        count(f"SIGINT or SIGTERM, {self.engine}")
        self.assertEqual(result.code, 3, result)
        self.assertIn("resume", result.err)
        self.assertEqual(self.state(), "stopped")
        self.assertLess(self.committed(), 18)
        self.assert_nothing_unrecorded()
        self.finish("run" if number == signal.SIGTERM else "resume")
        self.assert_exact()

    def test_ctrl_c(self):
        self.check_stopped_by(signal.SIGINT)

    def test_sigterm(self):
        self.check_stopped_by(signal.SIGTERM)

    def test_the_batch_in_hand_is_finished(self):
        self.prepare(subjects.RANGE)
        run = self.stopped_at("batch.captured:3")
        run.send(signal.SIGINT)
        run.send(signal.SIGCONT)
        result = run.finish()
        count(f"SIGINT or SIGTERM, {self.engine}")
        self.assertEqual((result.code, self.state(), self.committed()), (3, "stopped", 3), result)
        self.finish()
        self.assert_exact()


class TwoSignalsTests(PostgresFaults):
    def test_the_second_rolls_the_batch_back_at_once(self):
        self.prepare(subjects.RANGE)
        other = self.session()
        other.execute("BEGIN")
        other.execute("SELECT * FROM items WHERE id = 25 FOR UPDATE")
        run = self.start_run("--lock-timeout", "10min")
        self.wait_until_tool_waits(run)
        run.send(signal.SIGINT)
        self.wait_beside(run, lambda: not pending_signals(run), "the first is taken")
        self.assertTrue(run.running)
        run.send(signal.SIGINT)
        result = run.finish()  # though the row is still held
        count("second SIGINT")
        self.assertEqual(result.code, 3, result)
        # other workers may be ahead of the held row, or at work on the batch before it
        self.assertIn(self.committed(), range(1, 2 * self.workers + 2) if self.workers else (2,))
        self.assertEqual(self.database.rows("SELECT batch FROM datachange_batches WHERE batch = '3'"), [])
        other.execute("ROLLBACK")
        self.assert_nothing_unrecorded()
        self.finish()
        self.assert_exact()


def pending_signals(run):
    with open(f"/proc/{run.process.pid}/status", encoding="ascii") as file:
        return any(int(line.split()[1], 16) for line in file if line.startswith(("SigPnd", "ShdPnd")))


class StalledTests:
    def setUp(self):
        super().setUp()
        self.prepare(subjects.RANGE)
        self.undisturbed()
        self.killed_at("ledger.settled:2")

    def test_a_run_whose_process_is_gone_is_stalled(self):
        for command in ("status", "runs"):
            self.assertIn("stalled", self.tool(command).out)
        self.finish()
        for command in ("status", "runs"):
            self.assertNotIn("stalled", self.tool(command).out)
        self.assert_exact()

    def test_an_edited_definition_is_refused(self):
        edited = "-- one more line\n" + subjects.RANGE.text
        self.define(text=edited)
        for command in (("resume", str(self.ledger_number())), ("run", "fill", *self.flags())):
            with self.subTest(command[0]):
                with self.nothing_changes():
                    result = self.tool(*command)
                self.assertIn(result.code, (1, 3), result)
                for text in (subjects.RANGE.text, edited):
                    self.assertIn(hashlib.sha256(text.encode()).hexdigest()[:12], result.err)
        self.define(text=subjects.RANGE.text)
        self.finish()
        self.assert_exact()


class ControlOfWorkers(ControlTests, PostgresFaults):
    """What is asked of a run is asked of all its workers."""
    workers = 2


class TwoSignalsForWorkers(TwoSignalsTests):
    workers = 2


both_engines(globals(), Control=ControlTests, Signal=SignalTests, Stalled=StalledTests)
del ControlTests, SignalTests, StalledTests

if __name__ == "__main__":
    unittest.main()
