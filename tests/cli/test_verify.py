"""verify: an edit of anything that the ledger covers is found, and what is right is said to be right."""

import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

from support import PostgresCase, SqliteCase, small

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../samples/verify_ledger.py")
LEDGER = "datachange-ledger.db"

# What no leaf and no link covers, and why an edit of it changes nothing of what was recorded.
NOT_COVERED = {
    "meta": {"name", "value"},  # the first row: created_at
    "runs": {"csv_directory"},  # where the files are
    "events": {"at", "kind", "detail", "event_id"},  # notes beside the evidence: more are added afterwards
    "files": {"path"},  # where the files are; their names, sizes and hashes are held against the rows
}


def edited(value):
    """Something else of the same type."""
    if value is None:
        return "edited"
    return value + 1000 if isinstance(value, int) else value + "0"


class Editing:
    """Edits of the ledger, behind the tool's back."""

    def edit(self, sql, *values, name=LEDGER):
        ledger = sqlite3.connect(self.path(name), isolation_level=None)
        ledger.execute("PRAGMA foreign_keys = OFF")
        try:
            done = ledger.execute(sql, values)
            self.assertGreater(done.rowcount, 0, sql)
        finally:
            ledger.close()

    def script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, *arguments, self.path(LEDGER)], capture_output=True, text=True,
                              check=False)

    def verify(self, *flags, code=0, **variables):
        result = self.tool("verify", "--json", *flags, **variables)
        self.assertEqual(result.code, code, result)
        return result.json

    def said(self, *flags, **variables):
        """What the first mismatch says."""
        found = self.verify(*flags, code=4, **variables)["mismatches"]
        self.assertTrue(found)
        return found[0]["message"]


class VerifyTests(Editing):
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.first = self.run_ok(*small(2))

    def test_what_is_right_fits(self):
        found = self.verify("--deep")
        self.assertEqual((found["fits"], found["runs"], found["batches"], found["rows"], found["files"], found["links"],
                          found["journal_batches"], found["mismatches"], found["missing_files"]),
                         (True, 1, 2, 3, 4, 1, 2, [], []))
        self.assertEqual(found["head"], self.ledger("SELECT root FROM runs")[0][0])
        self.assertIn(found["head"], self.tool("show", "1").out)
        text = self.tool("verify")
        self.assertEqual(text.code, 0, text)
        self.assertIn(f"head      {found['head']}", text.out)

    def test_a_value_that_was_edited(self):
        self.edit("""UPDATE block SET after = replace(after, 'filled', 'FILLED') WHERE id = 3""")
        found = self.verify(code=4)["mismatches"]
        self.assertEqual([(one["run"], one["step"], one["batch"]) for one in found], [(1, 1, "2")])
        self.assertRegex(found[0]["message"], "not those that were recorded.*in the CSV files is 3$")
        self.assertRegex(self.tool("verify").out, r"(?m)^run 1 step 1 batch 2: the rows are not those")

    def test_a_row_that_was_taken_away(self):
        self.edit("DELETE FROM block WHERE id = 3")
        self.assertIn("there are 0 rows (0 updated, 0 inserted, 0 deleted), and the batch says 1", self.said())

    def test_rows_that_were_added(self):
        self.edit("INSERT INTO block SELECT 100, 100, rows, lowest, highest, identifiers, actions, before, after, returned,"
                  " new_identifiers FROM block WHERE id = 1")
        self.assertIn("belong to no batch", self.said())

    def test_a_row_that_was_hidden_from_the_view(self):
        self.edit("UPDATE block SET highest = '1' WHERE id = 1")
        self.assertEqual(len(self.ledger("SELECT * FROM changes WHERE identifier = '2'")), 0)
        self.assertIn("bounds", self.said())

    def test_a_file_that_was_edited_or_is_gone(self):
        path = self.ledger("SELECT path FROM files WHERE name = 'diff.csv'")[0][0]
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text.replace("2,updated,name,,filled", "2,updated,name,,other"))
        self.assertIn("not the one that was recorded; the first row that reads otherwise in the ledger is 2", self.said())
        os.remove(path)
        self.assertEqual(self.verify()["missing_files"], [{"file": path}])
        self.assertEqual(self.said("--require-files"), "it is not there")

    def test_a_file_that_was_exchanged_with_its_hash_is_found_by_a_deep_look(self):
        path = self.ledger("SELECT path FROM files WHERE name = 'post.csv'")[0][0]
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write("id,name\r\n")
        self.edit("UPDATE files SET bytes = 9, sha256 = ? WHERE name = 'post.csv'",
                  "4f52c0ba8f5a6c4c4b2a1d7b7a2f0f7f5ae3a2f7a6a1f2b5d0d8e8c0a3b1f9aa")
        os.remove(path)
        self.verify()
        self.assertIn("not the one that the ledger's rows make", self.said("--deep"))

    def test_the_journal_is_held_against_the_leaves(self):
        self.database.execute("UPDATE datachange_batches SET leaf = 'aa' WHERE batch = '1'")
        self.assertIn("with another leaf", self.said())
        self.database.execute("DELETE FROM datachange_batches WHERE batch = '1'")
        self.assertIn("does not have it", self.said())
        found = self.verify(DATABASE_URL=None)
        self.assertEqual((found["target"], found["journal_batches"]), (None, 0))

    def test_a_ledger_that_was_made_anew_does_not_fit_the_journal(self):
        self.edit("DELETE FROM block WHERE batch_id = 2")
        self.edit("DELETE FROM batch WHERE id = 2")
        self.assertIn("the ledger does not", self.verify(code=4)["mismatches"][-1]["message"])

    def test_a_target_that_is_not_there(self):
        gone = "postgresql://nobody@127.0.0.1:1/none"
        result = self.tool("verify", DATABASE_URL=gone)
        self.assertEqual(result.code, 0, result)
        self.assertIn("warning: the target's journal was not looked at", result.err)
        self.assertEqual(self.tool("verify", "--database", gone).code, 5)

    def test_an_anchor_shows_that_nothing_was_cut_off(self):
        old = self.verify()["head"]
        self.run_ok("--again")
        new = self.verify()["head"]
        self.assertEqual(self.verify("--anchor", old)["anchor"], 1)
        self.assertEqual(self.verify("--anchor", new[:16])["anchor"], 2)
        for table in ("chain", "batch", "files", "collateral", "summaries", "steps", "events"):
            with sqlite3.connect(self.path(LEDGER)) as ledger:
                ledger.execute(f"DELETE FROM {table} WHERE run_id = 2")
        with sqlite3.connect(self.path(LEDGER)) as ledger:
            ledger.execute("DELETE FROM runs WHERE run_id = 2")
        self.verify(DATABASE_URL=None)
        self.assertIn("the anchor is not in the chain", self.said("--anchor", new, DATABASE_URL=None))
        self.assert_failed(self.tool("verify", "--anchor", "abc"), 2, "no head of a ledger")

    def test_one_run(self):
        self.run_ok("--again")
        self.edit("UPDATE runs SET ticket = 'OPS-9' WHERE run_id = 1")
        self.verify("2")
        self.assertEqual(self.verify("1", code=4)["mismatches"][0]["run"], 1)

    def test_a_run_that_stopped_and_goes_on(self):
        self.database.execute("CREATE TABLE stop_here (id integer)")
        self.define(name="second", version="20260101000001", expect_rows="..2",
                    pre="SELECT id, name FROM users WHERE name = 'filled' AND :batch(id)",
                    change="UPDATE users SET name = 'x' WHERE name = 'filled' AND :batch(id) RETURNING id, name")
        self.tool("run", "second", *small(1))
        self.verify("--deep")

    def test_a_run_in_progress_is_no_mismatch(self):
        self.edit("UPDATE runs SET state = 'processing', epoch = 2, finished_at = NULL, error = NULL")
        self.assertEqual(self.verify()["open_runs"], [1])
        self.edit("UPDATE runs SET epoch = 1")
        self.assertIn("altered", self.said())

    def test_the_script_says_the_same(self):
        done = self.script()
        self.assertEqual((done.returncode, done.stdout), (0, f"fits; head {self.verify()['head']}\n"), done.stderr)
        for sql in ("UPDATE block SET before = replace(before, 'null', '\"x\"') WHERE id = 3",
                    "UPDATE runs SET operator = 'eve'", "UPDATE chain SET at = '2020-01-01T00:00:00.000Z'"):
            with self.subTest(sql):
                kept = shutil.copy(self.path(LEDGER), self.path("kept.db"))
                self.edit(sql)
                self.assertEqual(self.script().returncode, 1)
                self.verify(code=4)
                shutil.copy(kept, self.path(LEDGER))
        self.assertEqual(self.script().returncode, 0)


class EveryColumn(Editing, SqliteCase):
    """A small ledger with rows in all tables; each column of each is edited, one at a time."""

    def make_ledger(self):
        """A run that another host began, with a row that failed at first, and rows that a trigger changes besides."""
        self.make_users(8)
        self.database.execute("CREATE TABLE songs (id integer PRIMARY KEY, user_id integer)")
        sing = "INSERT INTO songs (user_id) VALUES (NEW.id)"
        self.after_trigger("sing", "UPDATE", f"{sing}; SELECT RAISE(ABORT, 'not this one') WHERE NEW.id = 4")
        self.define(summary="SELECT count(*) AS n FROM users", ticket="OPS-1", author="ann")
        self.assertEqual(self.tool("run", "fill", "--ledger", "other.db", *small(1)).code, 6)
        self.assertEqual(self.tool("run", "fill", *small(1)).code, 6)
        self.database.execute("DROP TRIGGER sing")
        self.after_trigger("sing", "UPDATE", sing)
        self.run_ok(*small(1))

    def columns(self):
        """Of each table of the ledger that has rows."""
        ledger = sqlite3.connect(self.path(LEDGER))
        tables = [name for name, in ledger.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
        found = [(table, column[1]) for table in tables for column in ledger.execute(f"PRAGMA table_info({table})")
                 if ledger.execute(f"SELECT count(*) FROM {table}").fetchone()[0]]
        ledger.close()
        return found

    def edit_one(self, table, column):
        """One value of the column becomes another."""
        last = f"SELECT * FROM {table} ORDER BY {column} IS NULL LIMIT 1"
        ledger = sqlite3.connect(self.path(LEDGER), isolation_level=None)
        ledger.row_factory = sqlite3.Row
        row = ledger.execute(last).fetchone()
        ledger.close()
        same = " AND ".join(f"{name} IS ?" for name in row.keys())
        self.edit(f"UPDATE {table} SET {column} = ? WHERE {same}", edited(row[column]), *row)

    def test_an_edit_of_each_is_found(self):
        self.make_ledger()
        self.verify("--deep")
        shutil.copy(self.path(LEDGER), self.path("kept.db"))
        columns = self.columns()
        self.assertEqual({table for table, _ in columns},
                         {"batch", "block", "chain", "collateral", "elsewhere", "events", "failures", "files", "meta",
                          "runs", "steps", "summaries"})
        for table, column in columns:
            with self.subTest(f"{table}.{column}"):
                shutil.copy(self.path("kept.db"), self.path(LEDGER))
                self.edit_one(table, column)
                covered = column not in NOT_COVERED.get(table, ())
                result = self.tool("verify", "--deep", DATABASE_URL=None)
                self.assertEqual(result.code, 4 if covered else 0, result)

class VerifyOnSqlite(VerifyTests, SqliteCase):
    pass


class VerifyOnPostgres(VerifyTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
