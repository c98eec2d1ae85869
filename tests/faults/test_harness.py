"""The checks of this suite themselves: that an undisturbed run passes them, and that they see each kind of tampering."""

import json
import sqlite3
import unittest

import exactness
import subjects
from faults import LEDGER, PostgresFaults, SqliteFaults, both_engines


class UndisturbedTests:
    def test_every_subject_passes(self):
        for subject in subjects.ALL:
            with self.subTest(subject.name), self.another_place():
                self.prepare(subject)
                printed = self.run_ok(*self.flags())
                self.assertEqual(printed["mode"], "batched" if subject.batched else "single")
                self.assertGreaterEqual(printed["batches"], 6 if subject.batched else 1)
                self.assert_nothing_unrecorded()
                self.assert_exact()


class TamperedTests:
    """Each alters one thing of a good run, and one of the checks must fail."""

    def setUp(self):
        super().setUp()
        self.prepare(subjects.RANGE)
        self.run_ok(*self.flags())
        self.undisturbed()
        self.assert_exact()

    def assert_seen(self, *words, check=None):
        with self.assertRaises(AssertionError) as caught:
            (check or self.assert_exact)()
        for word in words:
            self.assertIn(word, str(caught.exception))

    def alter_ledger(self, statement):
        ledger = sqlite3.connect(self.path(LEDGER))
        ledger.execute(statement)
        ledger.commit()
        ledger.close()

    def alter_block(self, identifier, alter):
        """@param alter is given the arrays of the block that has the row, and the row's place in them"""
        for number, *texts in self.ledger("SELECT id, identifiers, before, after FROM block"):
            block = dict(zip(("identifiers", "before", "after"), map(json.loads, texts)))
            if identifier in block["identifiers"]:
                alter(block, block["identifiers"].index(identifier))
                columns = ", ".join(f"{name} = '{json.dumps(column)}'" for name, column in block.items())
                self.alter_ledger(f"UPDATE block SET {columns} WHERE id = {number}")
                return
        self.fail(f"no block has {identifier}")

    def quietly(self, statement):
        """Changes the table without the truth being told, or the truth alone."""
        kept = self.database.rows("SELECT max(n) FROM truth")[0][0]
        self.database.execute(f"{statement}; DELETE FROM truth WHERE n > {kept}")

    def test_a_row_that_was_changed_unseen(self):
        self.quietly("UPDATE items SET amount = amount + 1 WHERE id = 7")
        self.assert_seen("table: ('7',)")

    def test_a_row_that_is_gone(self):
        self.quietly("DELETE FROM items WHERE id = 7")
        self.assert_seen("table: ('7',)")

    def test_a_row_that_was_changed_twice(self):
        self.database.execute("INSERT INTO truth (tab, old, new, who) SELECT tab, new, old, who FROM truth WHERE n = 3;"
                              "INSERT INTO truth (tab, old, new, who) SELECT tab, old, new, who FROM truth WHERE n = 3")
        self.assert_seen("was changed twice")
        self.assert_seen("rows were changed", check=self.assert_nothing_unrecorded)

    def test_a_row_that_the_ledger_lacks(self):
        def take_away(block, place):
            for column in block.values():
                del column[place]
        self.alter_block("7", take_away)
        self.assert_seen("step 1: ledger: ('7',) was updated and is not there")

    def test_a_row_that_the_ledger_has_twice(self):
        def instead_of_the_next(block, place):
            for column in block.values():
                column[place + 1] = column[place]
        self.alter_block("7", instead_of_the_next)
        self.assert_seen("ledger: ('7',) has 2 rows", "ledger: ('8',) was updated and is not there")

    def test_a_wrong_before_image(self):
        def another_amount(block, place):
            block["before"][place][1] = 49
        self.alter_block("7", another_amount)
        self.assert_seen("ledger: ('7',) before.amount")

    def test_a_wrong_after_image(self):
        def another_amount(block, place):
            block["after"][place][1] = 49
        self.alter_block("7", another_amount)
        self.assert_seen("ledger: ('7',) after.amount")

    def test_a_batch_that_the_ledger_lacks(self):
        self.alter_ledger("UPDATE batch SET state = 'rolled_back' WHERE batch = '2'")
        self.assert_seen("journal: batch (1, '2')")
        self.assert_seen("ledger: batch (1, '2')", check=self.assert_nothing_unrecorded)

    def test_a_batch_that_is_left_in_doubt(self):
        self.alter_ledger("UPDATE batch SET state = 'prepared' WHERE batch = '2'")
        self.assert_seen("are left in doubt")

    def test_a_batch_that_the_journal_lacks(self):
        self.database.execute("DELETE FROM datachange_batches WHERE batch = '2'")
        self.assert_seen("journal: batch (1, '2')")
        self.assert_seen("rows were changed", check=self.assert_nothing_unrecorded)

    def test_a_leaf_that_differs(self):
        self.database.execute("UPDATE datachange_batches SET leaf = 'x' WHERE batch = '2'")
        self.assert_seen("journal: batch (1, '2')")

    def test_files_that_were_altered(self):
        for name, old, new in (("pre.csv", b"\r\n7,", b"\r\n8,"), ("change.csv", b"\r\n7,", b"\r\n77,"),
                               ("post.csv", b"\r\n7,", b"\r\n8,"), ("diff.csv", b"7,updated", b"7,deleted")):
            with self.subTest(name):
                [(path,)] = self.ledger("SELECT path FROM files WHERE name = ?", name)
                with open(path, "rb") as file:
                    content = file.read()
                self.assertIn(old, content)
                with open(path, "wb") as file:
                    file.write(content.replace(old, new, 1))
                self.assert_seen(f"{name}: ", "is not as the ledger says")
                with open(path, "wb") as file:
                    file.write(content)
                self.assert_exact()

    def test_files_in_another_order(self):
        [(path,)] = self.ledger("SELECT path FROM files WHERE name = 'post.csv'")
        with open(path, "rb") as file:
            header, *lines = file.read().splitlines(keepends=True)
        content = b"".join([header, *reversed(lines)])
        with open(path, "wb") as file:
            file.write(content)
        sha256 = exactness.hashlib.sha256(content).hexdigest()
        self.alter_ledger(f"UPDATE files SET sha256 = '{sha256}' WHERE name = 'post.csv'")
        self.assert_seen("post.csv")  # each row is right; that the ledger gives other bytes tells

    def test_a_file_that_is_half_written(self):
        [(path,)] = self.ledger("SELECT path FROM files WHERE name = 'post.csv'")
        with open(path + ".partial", "wb"):
            self.assert_seen("post.csv.partial was left")

    def test_a_run_that_never_ended(self):
        self.database.execute("UPDATE datachange_runs SET state = 'processing'")
        self.assert_seen("'processing' != 'done'")


both_engines(globals(), Undisturbed=UndisturbedTests, Tampered=TamperedTests)


class FailpointTests(SqliteFaults):
    def test_a_point_that_does_not_exist_is_seen(self):
        self.prepare(subjects.RANGE)
        with self.assertRaisesRegex(AssertionError, "never came through no.such.point"):
            self.killed_at("no.such.point:1")
        self.database.execute("DROP TABLE datachange_batches; DROP TABLE datachange_runs")
        with self.assertRaisesRegex(AssertionError, "never came through no.such.point"):
            self.stopped_at("no.such.point:1", "--again")


class SessionTests(PostgresFaults):
    def test_other_sessions_are_told_apart(self):
        self.prepare(subjects.RANGE)
        self.database.execute("UPDATE items SET counter = counter + 1 WHERE id = 1")
        self.run_ok(*self.flags())
        self.assertEqual(sum(event.by_tool for event in self.events()), 54)
        self.assertEqual(len(self.events()), 55)


if __name__ == "__main__":
    unittest.main()
