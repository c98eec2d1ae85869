"""ledger merge, prune and backup."""

import contextlib
import os
import shutil
import sqlite3
import stat
import unittest

from support import PostgresCase, SqliteCase, small, wait_until
from test_verify import LEDGER, Editing


class MergeTests(Editing):
    def setUp(self):
        super().setUp()
        self.make_users(8)
        self.define(summary="SELECT count(*) AS n FROM users")

    def run_on(self, ledger, *flags, definition="fill", code=0):
        result = self.tool("run", definition, "--ledger", ledger, "--json", *flags)
        self.assertEqual(result.code, code, result)

    def merge(self, *others, into="all.db"):
        result = self.tool("ledger", "merge", "--ledger", into, "--json", *others)
        self.assertEqual(result.code, 0, result)
        return [(one["runs"], one["runs_completed"], one["batches"], one["links"]) for one in result.json]

    def rows(self, name):
        """All of a ledger but its own numbers."""
        return [sorted(self.ledger(sql, name=name), key=repr) for sql in (
            "SELECT uuid, state, epoch, rows_changed FROM runs",
            "SELECT r.uuid, step, batch, b.state, leaf FROM batch b JOIN runs r USING (run_id)",
            "SELECT r.uuid, identifier, action, before, after FROM changes JOIN runs r USING (run_id)",
            "SELECT r.uuid, step, moment, result FROM summaries JOIN runs r USING (run_id)")]

    def dump(self, name):
        return self.ledger("SELECT count(*), (SELECT count(*) FROM chain), (SELECT count(*) FROM merged_chain), (SELECT"
                           " count(*) FROM block), (SELECT count(*) FROM events), (SELECT max(root) FROM chain) FROM"
                           " runs", name=name) + self.rows(name)

    def stop_at_the_fourth(self):
        """Batches 1 to 3 are in one ledger; the fourth would go now."""
        self.database.execute("UPDATE users SET name = 'filled' WHERE id = 7; CREATE UNIQUE INDEX once ON users"
                              " ((CASE WHEN name = 'filled' AND id IN (4, 7) THEN 1 END))")
        self.run_on("one.db", *small(1), code=6)
        self.database.execute("DROP INDEX once")

    def half_a_run(self):
        """The first half of a run in one ledger, the second in another."""
        self.stop_at_the_fourth()
        self.run_on("two.db", *small(1))

    def test_ledgers_of_several_hosts_in_one(self):
        self.run_on("one.db", *small(2))
        self.define(name="shout", version="20260101000001", pre="SELECT id, name FROM users WHERE :batch(id)",
                    change="UPDATE users SET name = upper(name) WHERE :batch(id) RETURNING id, name")
        self.run_on("two.db", definition="shout")
        self.assertEqual(self.merge("one.db", "two.db"), [(1, 0, 3, 1), (1, 0, 1, 1)])
        self.assertEqual(self.rows("all.db"), [sorted(one + two, key=repr)
                                              for one, two in zip(self.rows("one.db"), self.rows("two.db"))])
        found = self.verify("--deep", "--ledger", "all.db")
        self.assertEqual((found["runs"], found["merged_links"], found["files"]), (2, 2, 8))
        anchor = self.verify("--ledger", "two.db")["head"]
        found = self.verify("--ledger", "all.db", "--anchor", anchor)
        self.assertEqual((found["anchor"], found["anchor_ledger"]),
                         (1, self.ledger("SELECT value FROM meta WHERE name = 'uuid'", name="two.db")[0][0]))
        entries = self.tool("history", "--identifier", "2", "--ledger", "all.db", "--json").json
        self.assertEqual([entry["name"] for entry in entries], ["fill", "shout"])

    def test_an_edit_of_what_was_merged_is_found(self):
        self.run_on("one.db", *small(2))
        self.merge("one.db")
        shutil.copy(self.path("all.db"), self.path("kept.db"))
        for sql in ("UPDATE runs SET ticket = 'OPS-9'", "UPDATE block SET after = replace(after, 'filled', 'FILLED')",
                    "UPDATE merged_chain SET at = '2020-01-01T00:00:00.000Z'", "UPDATE merged_chain SET link = 2",
                    "UPDATE merged_chain SET ledger_uuid = 'aaaaaaaa'", "DELETE FROM merged_chain"):
            with self.subTest(sql):
                self.edit(sql, name="all.db")
                self.verify("--ledger", "all.db", code=4)
                shutil.copy(self.path("kept.db"), self.path("all.db"))

    def test_merging_again_changes_nothing(self):
        self.half_a_run()
        self.merge("one.db", "two.db")
        before = self.dump("all.db")
        with open(self.path("one.db"), "rb") as file:
            other = file.read()
        self.assertEqual(self.merge("one.db", "two.db", "one.db"), [(0, 0, 0, 0)] * 3)
        self.assertEqual(self.dump("all.db"), before)
        with open(self.path("one.db"), "rb") as file:
            self.assertEqual(file.read(), other)

    def test_a_run_that_two_ledgers_have_parts_of(self):
        self.half_a_run()
        self.assertEqual(len(self.ledger("SELECT * FROM elsewhere", name="two.db")), 3)
        for into, first, second in (("all.db", "one.db", "two.db"), ("other.db", "two.db", "one.db")):
            with self.subTest(first):
                self.merge(first, second, into=into)
                self.verify("--deep", "--ledger", into)
                self.assertEqual(self.ledger("SELECT count(*) FROM elsewhere", name=into), [(0,)])
                self.assertEqual(self.ledger("SELECT state, epoch FROM runs", name=into), [("done", 2)])
                self.assertEqual({row[0] for row in self.ledger("SELECT identifier FROM changes", name=into)},
                                 {"1", "2", "3", "4", "5", "6"})
        self.assertEqual(self.rows("all.db")[:3], self.rows("other.db")[:3])
        self.merge("two.db", into="one.db")
        self.assertEqual(self.rows("one.db")[:3], self.rows("all.db")[:3])
        self.verify("--ledger", "one.db")

    def test_the_same_batch_with_another_leaf_is_refused(self):
        self.stop_at_the_fourth()
        # the target goes back to before the third batch, which then is another one
        self.database.execute("DELETE FROM datachange_batches WHERE batch = '3'; DELETE FROM users WHERE id = 3")
        self.run_on("two.db", *small(1))
        before = self.dump("one.db")
        result = self.tool("ledger", "merge", "--ledger", "one.db", "two.db")
        self.assert_failed(result, 4, "step 1 batch 3 has leaf", "in one.db", "in two.db")
        self.assertEqual(self.dump("one.db"), before)

    def test_a_ledger_that_does_not_fit_is_refused(self):
        self.run_on("one.db")
        self.run_on(LEDGER, "--again")
        self.edit("UPDATE runs SET ticket = 'OPS-9'")
        self.assert_failed(self.tool("ledger", "merge", "--ledger", "one.db", LEDGER), 4, "does not fit")
        self.assertEqual(len(self.ledger("SELECT * FROM runs", name="one.db")), 1)

    def test_what_cannot_be_merged(self):
        self.run_on("one.db")
        shutil.copy(self.path("one.db"), self.path("copy.db"))
        self.assert_failed(self.tool("ledger", "merge", "--ledger", "one.db", "copy.db"), 2, "this very ledger")
        self.assert_failed(self.tool("ledger", "merge", "--ledger", "one.db", "none.db"), 5, "no ledger at none.db")


class PruneTests(Editing):
    MARK = "a-value-that-must-go"

    def setUp(self):
        super().setUp()
        self.make_users()
        self.database.execute(f"UPDATE users SET note = '{self.MARK}'")
        parts = {"pre": "SELECT id, name, note FROM users WHERE name IS NULL AND :batch(id)",
                 "summary": "SELECT max(note) AS note FROM users"}
        self.define(change="UPDATE users SET name = 'filled' WHERE name IS NULL AND :batch(id) RETURNING id, name",
                    **parts)
        self.run_ok(*small(2))

    def prune(self, *flags):
        result = self.tool("ledger", "prune", "--before", "2999-01-01", "--json", *flags)
        self.assertEqual(result.code, 0, result)
        return [(one["run"], one["rows"], one["pruned"]) for one in result.json]

    def bytes_with_the_mark(self):
        found = []
        for end in ("", "-wal"):
            if os.path.exists(self.path(LEDGER + end)):
                with open(self.path(LEDGER + end), "rb") as file:
                    found.append(file.read().count(self.MARK.encode()))
        return sum(found)

    def test_values_are_gone_and_the_ledger_still_fits(self):
        head = self.verify()["head"]
        self.assertGreater(self.bytes_with_the_mark(), 0)
        self.assertEqual(self.prune("--dry-run"), [(1, 3, False)])
        self.assertGreater(self.bytes_with_the_mark(), 0)
        self.assertEqual(self.prune(), [(1, 3, True)])
        self.assertEqual(self.bytes_with_the_mark(), 0)
        found = self.verify("--deep", "--anchor", head)
        self.assertEqual((found["pruned_runs"], found["rows"], found["batches"], found["journal_batches"]), ([1], 0, 2, 2))
        self.assertIn("values were pruned", self.tool("verify").out)
        self.assertEqual(self.script().returncode, 0)
        self.assertEqual(self.prune(), [])
        self.assertEqual(len(self.csv_files()), 5)

    def test_what_is_asked_later_says_so(self):
        self.prune()
        self.assertRegex(self.tool("show", "1").out, r"(?m)^  pruned +\d{4}-")
        self.assertTrue(self.tool("show", "1", "--json").json["pruned_at"])
        result = self.tool("history", "--identifier", "2")
        self.assertIn("1 run was pruned", result.err + result.out)
        self.assertEqual(self.ledger("SELECT rows_changed, updated FROM runs"), [(3, 3)])
        self.assertEqual(self.tool("show", "1", "--json").json["batches"][0]["rows"]["updated"], 2)

    def test_an_edit_of_a_pruned_run_is_found(self):
        self.prune()
        shutil.copy(self.path(LEDGER), self.path("kept.db"))
        for sql in ("UPDATE batch SET leaf = 'aa' WHERE id = 1", "UPDATE batch SET updated = 9 WHERE id = 1",
                    "UPDATE summaries SET result_sha256 = 'aa' WHERE moment = 'after'",
                    "UPDATE summaries SET result = '[]'", "UPDATE runs SET pruned_at = NULL",
                    "UPDATE runs SET operator = 'eve'"):
            with self.subTest(sql):
                self.edit(sql)
                self.verify(code=4)
                shutil.copy(self.path("kept.db"), self.path(LEDGER))

    def test_a_digest_beside_a_value_that_was_edited_is_found(self):
        digest = self.ledger("SELECT content FROM chain")[0][0]
        self.edit("UPDATE summaries SET result_sha256 = ?, result = '[]'", digest)
        self.assertIn("digests of values that were dropped", "".join(
            one["message"] for one in self.verify(code=4)["mismatches"]))

    def test_a_run_that_can_go_on_is_kept(self):
        self.define(name="second", version="20260101000001", expect_rows="..1",
                    pre="SELECT id, name FROM users WHERE name = 'filled'",
                    change="UPDATE users SET name = 'x' WHERE name = 'filled' RETURNING id, name")
        self.tool("run", "second")
        self.assertEqual(self.prune(), [(1, 3, True), (2, 0, False)])
        self.verify("--deep")
        self.assertIn("kept, as it is failed, and can still go on",
                      self.tool("ledger", "prune", "--before", "2999-01-01").out)
        self.assertEqual(self.tool("cancel", "2").code, 0)
        self.assertEqual(self.prune(), [(2, 0, True)])
        self.verify("--deep")

    def test_a_run_that_does_not_fit_is_not_pruned(self):
        self.edit("UPDATE runs SET ticket = 'OPS-9'")
        self.assert_failed(self.tool("ledger", "prune", "--before", "2999-01-01"), 4, "run 1 is not pruned")
        self.assertGreater(self.bytes_with_the_mark(), 0)

    def test_a_date_that_has_not_come(self):
        result = self.tool("ledger", "prune", "--before", "2000-01-01")
        self.assertEqual((result.code, result.out), (0, "nothing to prune\n"), result)
        self.assert_failed(self.tool("ledger", "prune", "--before", "yesterday"), 2, "no date", "2026-01-31")

    def test_a_pruned_run_does_not_go_on(self):
        self.prune()
        self.assert_failed(self.tool("retry", "1"), 1, "were pruned")


class BackupTests(Editing):
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()

    def test_a_copy_is_a_ledger(self):
        self.run_ok()
        result = self.tool("ledger", "backup", "copy.db")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("copy.db")).st_mode), 0o600)
        self.assertEqual(self.verify("--ledger", "copy.db"), {**self.verify(), "ledger": "copy.db"})
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("copy.db.")], [])

    def test_a_file_that_is_there_is_kept(self):
        self.run_ok()
        self.write("copy.db", "mine")
        self.assert_failed(self.tool("ledger", "backup", "copy.db"), 2, "is there already", "--force")
        with open(self.path("copy.db"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")
        self.assertEqual(self.tool("ledger", "backup", "copy.db", "--force").code, 0)
        self.verify("--ledger", "copy.db")
        self.assert_failed(self.tool("ledger", "backup", LEDGER, "--force"), 2, "the ledger itself")
        self.assert_failed(self.tool("ledger", "backup", "none/copy.db"), 5, "cannot write the copy")
        self.assert_failed(self.tool("ledger", "backup", "x.db", "--ledger", "none.db"), 5, "no ledger at none.db")

    def two_batches_are_there(self):
        with contextlib.suppress(sqlite3.OperationalError):
            return self.ledger("SELECT count(*) FROM batch WHERE state = 'committed'")[0][0] >= 2
        return False

    def test_while_a_run_is_writing(self):
        self.database.execute("DELETE FROM users")
        self.database.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
                              " INSERT INTO users SELECT i, NULL, 'note' FROM n")
        run = self.start("run", "fill", "--max-rows-per-second", "1000", *small(100))
        wait_until(self.two_batches_are_there, "two batches are there")
        for name in ("a.db", "b.db"):
            result = self.tool("ledger", "backup", name)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(self.verify("--ledger", name, "--deep", DATABASE_URL=None)["open_runs"], [1])
        self.assertEqual(self.verify()["open_runs"], [1])
        self.assertEqual(run.finish().code, 0)
        self.assertEqual(self.verify("--deep")["rows"], 3000)


class HelpTests(SqliteCase):
    """Needs no database."""

    def test_every_command_has_help_with_an_example(self):
        for command in ("merge", "prune", "backup"):
            with self.subTest(command):
                result = self.tool("ledger", command, "--help", DATABASE_URL=None)
                self.assertEqual((result.code, result.err), (0, ""), result)
                self.assertRegex(result.out, rf"(?m)^Example:\n +datachange ledger {command}\b")


for case in (MergeTests, PruneTests, BackupTests):
    for engine in (SqliteCase, PostgresCase):
        name = case.__name__.removesuffix("Tests") + "On" + engine.__name__.removesuffix("Case")
        globals()[name] = type(name, (case, engine), {"__module__": __name__})
del case, engine


if __name__ == "__main__":
    unittest.main()
