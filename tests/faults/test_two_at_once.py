"""Two runs of one version at once, and a run that goes on with another ledger."""

import os
import shutil
import signal
import sqlite3
import unittest

import exactness
import subjects
from counting import count
from faults import LEDGER, VERSION, both_engines
from harness.evidence import check_ledger, read_ledger


class TwoRunsTests:
    def setUp(self):
        super().setUp()
        self.prepare(subjects.RANGE)

    def check_second_is_refused(self, *flags):
        self.undisturbed()
        first = self.stopped_at("ledger.settled:2")
        with self.nothing_changes():
            second = self.tool("run", "fill", *self.flags(), *flags)
        count("second run of a version that is being run")
        self.assertEqual(second.code, 3, second)
        [(owner,)] = self.database.rows("SELECT owner FROM datachange_runs")
        self.assertIn(owner, second.err)
        self.assertIn(str(first.process.pid), second.err)
        first.send(signal.SIGCONT)
        self.assertEqual(first.finish().code, 0)
        self.assert_exact()

    def test_the_second_says_who_has_it(self):
        self.check_second_is_refused()

    def test_with_another_ledger_as_well(self):
        self.check_second_is_refused("--ledger", "another.db", "--csv-dir", "another-csv")

    def check_race(self, *ledgers):
        runs = [self.start_run("--ledger", ledger, "--csv-dir", f"csv-{number}")
                for number, ledger in enumerate(ledgers)]
        codes = sorted(run.finish().code for run in runs)
        count("runs of a version started at the same time")
        # 1: it started when the other had already ended
        self.assertEqual((codes.count(0), [code for code in codes if code not in (0, 1, 3)]), (1, []), codes)
        [winner] = {ledger for ledger in ledgers if self.has_batches(ledger)}
        os.replace(self.path(winner), self.path(LEDGER))
        for name in os.listdir(self.folder):  # what a write-ahead log still has
            if name.startswith(winner + "-"):
                os.replace(self.path(name), self.path(name.replace(winner, LEDGER)))
        self.assert_exact()

    def has_batches(self, ledger):
        return os.path.exists(self.path(ledger)) and self.ledger("SELECT count(*) FROM changes", name=ledger) != [(0,)]

    def test_a_race_on_one_ledger(self):
        self.check_race("one.db", "one.db", "one.db")

    def test_a_race_on_several_ledgers(self):
        self.check_race("one.db", "two.db", "three.db")


class AnotherLedgerTests:
    def test_both_ledgers_together_are_the_truth(self):
        for subject in (subjects.RANGE, subjects.PAIRS):
            with self.subTest(subject.name), self.another_place():
                self.prepare(subject)
                self.check_continued_elsewhere()

    def check_continued_elsewhere(self):
        self.killed_at("batch.begun:4")
        self.wait_until_gone()
        [(first_uuid,)] = self.ledger("SELECT value FROM meta WHERE name = 'uuid'")
        done = exactness.journal_batches(self.database, self.uuid())
        self.assertEqual(len(done), 3)
        os.mkdir(self.path("kept"))
        for name in os.listdir(self.folder):
            if name.startswith(LEDGER):
                shutil.move(self.path(name), self.path("kept", name))
        count("ledger lost between kill and resume")
        result = self.tool(*self.resume_command(VERSION), "--ledger", LEDGER)
        self.assertEqual(result.code, 0, result)
        found = {(step, batch): tuple(rest) for step, batch, *rest in self.ledger(
            "SELECT step, batch, lower_key, upper_key, rows_changed, leaf FROM elsewhere")}
        self.assertEqual(found, done)
        self.assertEqual(self.ledger("SELECT DISTINCT ledger_uuid FROM elsewhere"), [(first_uuid,)])
        self.check_together(done)

    def check_together(self, done):
        """The first ledger's batches, as far as the target has them, and the second's."""
        [step] = self.subject.steps
        truth, problems = exactness.truth_of_step(step, self.before, self.events())
        rows = []
        with self.open_ledger() as ledger:
            rows += read_ledger(ledger, self.ledger_number(), truth)
        first = sqlite3.connect(self.path("kept", LEDGER))
        for (_, batch), (_, _, _, leaf) in done.items():
            # the last one may never have heard that it was committed
            changed = first.execute("UPDATE batch SET state = 'committed' WHERE batch = ? AND leaf = ?", (batch, leaf)).rowcount
            self.assertEqual(changed, 1)
        rows += read_ledger(first, 1, truth)
        first.close()
        self.assertEqual(problems + check_ledger(self.engine, truth, rows)[:20], [])
        self.assertEqual(exactness.check_table(self.before, self.events(), self.table()), [])


both_engines(globals(), TwoRuns=TwoRunsTests, AnotherLedger=AnotherLedgerTests)
del TwoRunsTests, AnotherLedgerTests

if __name__ == "__main__":
    unittest.main()
