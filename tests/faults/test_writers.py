"""Other sessions write to the table while a run goes on: nothing of theirs is lost, and no image is stale."""

import contextlib
import signal
import subprocess
import unittest

import exactness
import subjects
from counting import count
from faults import PostgresFaults
from servers import program
from support import wait_until

HOT = "UPDATE items SET counter = counter + 1 WHERE id = 1501;"
EVERYWHERE = "\\set id random(1, 3000)\nUPDATE items SET counter = counter + 1 WHERE id = :id;"
BEHIND = "INSERT INTO items SELECT max(id) + 1, 'new', max(id) + 1, 'open', 1, NULL, 0 FROM items;"
BETWEEN = """\\set id random(1, 29999)
INSERT INTO items VALUES (:id, 'new', :id, 'open', 1, NULL, 0) ON CONFLICT DO NOTHING;"""
TRIES = 5  # runs, until one has met the writer


class WriterTests(PostgresFaults):
    size = 1000  # batches that last long enough to meet the writer

    @contextlib.contextmanager
    def writer(self, script):
        """pgbench, two hundred times a second, from before the run until after it."""
        self.write("writer.sql", script)
        bench = subprocess.Popen([program("pgbench"), "-n", "-R", "200", "-T", "600", "-c", "2", "-j", "2", "-f",
                                  self.path("writer.sql"), self.database.url], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: self.written() >= 20, "the writer writes")
            yield
            self.assertIsNone(bench.poll(), "the writer has ended by itself")
        finally:
            bench.send_signal(signal.SIGKILL)
            bench.wait()
        wait_until(lambda: self.database.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'"
                                              " AND datname = current_database()") == [("0",)], "the writer is gone")

    def written(self):
        """Rows that the writer has written."""
        return int(self.database.rows("SELECT count(*) FROM truth WHERE who = 'pgbench'")[0][0])

    def run_beside(self, script, codes=(0,), spread=1, subject=subjects.RANGE):
        """Runs beside the writer, and checks. @return (result, the most tries that a batch took)"""
        self.prepare(subject, rows=3000, spread=spread)
        with self.writer(script):
            result = self.tool("run", "fill", *self.flags(), "--json")
        count("run beside a concurrent writer")
        self.assertIn(result.code, codes, result)
        self.assert_evidence()
        increments = sum(int(event.new["counter"]) - int(event.old["counter"])
                         for event in self.events() if event.old and not event.by_tool)
        self.assertEqual(self.database.rows("SELECT sum(counter) FROM items"), [(str(increments),)])
        self.assertGreaterEqual(self.written(), 20)
        return result, self.ledger("SELECT max(attempts) FROM batches")[0][0]

    def test_one_hot_row_of_the_set(self):
        for _ in range(TRIES):
            with self.another_place():
                _, attempts = self.run_beside(HOT)
                self.assertEqual(self.doubled(), 2700)
            if attempts > 1:
                return
        self.fail("no batch had to be tried again: the writer was never met")

    def test_one_hot_row_of_a_set_by_key_list(self):
        # a row whose captured columns have changed since the set was read has drifted, and is left out
        for _ in range(TRIES):
            with self.another_place():
                self.run_beside(HOT, subject=subjects.KEYS)
                if self.doubled() == 2699:
                    return
        self.fail("the hot row never drifted")

    def test_rows_all_over(self):
        for _ in range(TRIES):
            with self.another_place():
                _, attempts = self.run_beside(EVERYWHERE)
                self.assertEqual(self.doubled(), 2700)
            if attempts > 1:
                return
        self.fail("no batch had to be tried again: the writer was never met")

    def test_new_rows_behind_the_set(self):
        result, _ = self.run_beside(BEHIND)
        self.assertIn("of the set", "".join(result.json["warnings"]))

    def test_new_rows_between(self):
        # they belong to a range that is still to come, or to none: the planned count may not be met (4), but what was
        # changed is on record
        self.run_beside(BETWEEN, codes=(0, 4), spread=10)

    def doubled(self):
        """Rows that the run has changed."""
        return len({event.old["id"] for event in exactness.read_events(self.database) if event.by_tool})


if __name__ == "__main__":
    unittest.main()
