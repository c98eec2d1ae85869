"""A dry run does everything and leaves nothing but CSV files that say what they are."""

import os
import unittest

from support import STEPS, PostgresCase, SqliteCase, small


class DryRunTests:
    def rehearse(self, *flags):
        """A dry run; the tables are what they were, and the ledger has no row of it."""
        before, rows = self.database.dump(), self.evidence_rows()
        printed = self.run_ok("--dry-run", *flags)
        self.assertEqual(self.database.dump(), before)
        self.assertEqual(self.evidence_rows(), rows)
        self.assertFalse(self.has_journal())
        self.assertEqual((printed["run"], printed["dry_run"]), (0, True))
        return printed

    def test_nothing_is_left_but_csv_files_that_say_so(self):
        self.make_users()
        self.define()
        printed = self.rehearse()
        self.assertEqual(printed["rows"]["updated"], 3)
        self.assertIn("/dry-run-", printed["csv_directory"])
        self.assertEqual(self.csv(printed["csv"]["post"]),
                         (["id", "name"], [["1", "filled"], ["2", "filled"], ["3", "filled"]]))
        names = sorted(os.path.basename(file) for file in self.csv_files() if file.endswith((".csv", ".txt", ".partial")))
        self.assertEqual(names, ["DRY-RUN.txt", "change.csv", "diff.csv", "post.csv", "pre.csv"])
        with open(self.path(printed["csv_directory"], "DRY-RUN.txt"), encoding="utf-8") as note:
            self.assertIn("rolled back", note.read())

    def test_a_sqlite_file_stays_the_same_byte_for_byte(self):
        self.make_users()
        self.define()
        if self.engine != "sqlite":
            return
        with open(self.database.path, "rb") as file:
            before = file.read()
        self.rehearse()
        with open(self.database.path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_the_text_says_that_it_was_rolled_back(self):
        self.make_users()
        self.define()
        result = self.tool("run", "fill", "--dry-run")
        self.assertEqual(result.code, 0, result)
        self.assertIn("dry run of 20260101000000 fill on ", result.out)
        self.assertIn("everything was rolled back", result.out)

    def test_the_ledger_tells_that_it_took_place(self):
        self.make_users()
        self.define()
        self.rehearse("--operator", "anna")
        self.assertEqual(self.ledger("SELECT version, operator, dry_run, state, error FROM runs"),
                         [("20260101000000", "anna", 1, "done", None)])
        self.assertIn("dry run", self.tool("runs").out)
        self.assertEqual(self.tool("history", "--identifier", "1", "--json").json, [])

    def test_the_real_run_may_follow(self):
        self.make_users()
        self.define()
        rehearsed = self.rehearse()
        self.assertEqual(self.tool("status", "--json").json["definitions"][0]["state"], "pending")
        real = self.run_ok()
        self.assertEqual((real["rows"], real["dry_run"]), (rehearsed["rows"], False))
        for name in ("pre", "change", "post", "diff"):
            self.assertEqual(self.csv(real["csv"][name]), self.csv(rehearsed["csv"][name]), name)
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name = 'filled'"), ["3"])

    def test_it_may_be_repeated_and_follow_the_real_run(self):
        self.make_users()
        self.define()
        self.rehearse()
        self.rehearse()
        self.run_ok()
        rows = self.evidence_rows()
        self.assertEqual(self.run_ok("--dry-run")["rows"]["pre"], 0)
        self.assertEqual((self.evidence_rows(), self.journal()), (rows, [("done", "3", "1")]))

    def test_in_batches_over_steps_of_which_one_lives_on_the_other(self):
        self.make_users(count=7, named=0)
        self.define(text=STEPS)
        printed = self.rehearse(*small(2))
        self.assertEqual(printed["mode"], "batched")
        self.assertEqual([step["rows"]["updated"] for step in printed["steps"]], [7, 2])
        header, rows = self.csv(printed["steps"][1]["csv"]["pre"])
        self.assertEqual((header, rows[0]), (["id", "name", "note"], ["1", "user 1", "note 1"]))
        self.assertEqual([step["rows"] for step in self.run_ok(*small(2))["steps"]],
                         [step["rows"] for step in printed["steps"]])

    def test_in_batches_by_key_list(self):
        self.make_users(count=7, named=0)
        self.define(change="UPDATE users SET name = 'filled' WHERE :affected(id) RETURNING id, name")
        printed = self.rehearse(*small(2))
        self.assertEqual((printed["mode"], printed["batches"], printed["rows"]["updated"]), ("batched", 4, 7))

    def test_what_would_fail_fails(self):
        self.make_users()
        self.define(verify="SELECT id FROM users WHERE name = 'filled'")
        self.refused(1, "verify returned 3 rows", flags=["--dry-run"])
        self.define(expect_rows="4..")
        self.refused(1, "expect-rows is 4..", flags=["--dry-run"])
        self.define(pre="SELECT id, name FROM users WHERE id = 1 AND :batch(id)")
        self.refused(1, "2 rows that pre did not return", flags=["--dry-run"])

    def test_a_verify_that_would_fail_after_batches_fails_as_if_nothing_had_been(self):
        self.make_users()
        self.define(verify="SELECT id FROM users WHERE name = 'filled'")
        before = self.database.dump()
        result = self.tool("run", "fill", "--dry-run", *small(2))
        self.assert_failed(result, 1, "verify returned 3 rows")
        self.assertNotIn("committed before", result.err)
        self.assertEqual((self.database.dump(), self.evidence_rows(), self.has_journal()), (before, [(0, 0)], False))

    def test_a_batch_that_would_fail_leaves_nothing_of_those_before_it(self):
        self.make_users(count=6, named=0)
        self.database.execute("CREATE TABLE limits (id integer PRIMARY KEY, name text CHECK (name <> 'user 4')); "
                              "INSERT INTO limits SELECT id, 'u' FROM users")
        self.define(table="limits", pre="SELECT id, name FROM limits WHERE :batch(id)",
                    change="UPDATE limits SET name = 'user ' || id WHERE :batch(id) RETURNING id, name")
        before = self.database.dump()
        result = self.tool("run", "fill", "--dry-run", *small(2))
        self.assertEqual((result.code, result.out), (1, ""), result)
        self.assertNotIn("committed before", result.err)
        self.assertEqual((self.database.dump(), self.evidence_rows()), (before, [(0, 0)]))
        self.assertEqual([file for file in self.csv_files() if file.endswith(".partial")], [])

    def test_a_schema_that_the_change_makes_is_gone_again(self):
        self.make_users()
        self.define(change="CREATE TABLE copies (id integer PRIMARY KEY, name text);\n"
                           "UPDATE users SET name = 'filled' WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.rehearse()
        self.assertFalse(any("copies" in name for name in self.database.tables()))
        self.run_ok()
        self.assertTrue(any("copies" in name for name in self.database.tables()))


class DryRunOnSqlite(DryRunTests, SqliteCase):
    pass


class DryRunOnPostgres(DryRunTests, PostgresCase):
    def test_others_never_see_it(self):
        self.make_users()
        self.after_trigger("loud", "UPDATE", "PERFORM pg_notify('changed', NEW.id::text)")
        listener = self.session()
        listener.execute("LISTEN changed")
        self.define()
        self.rehearse()
        self.assertEqual(listener.execute("SELECT count(*) FROM users WHERE name IS NULL"), ["3"])
        self.run_ok()
        heard = [line for line in listener.execute("SELECT 1") if "Asynchronous notification" in line]
        self.assertEqual(len(heard), 3)


if __name__ == "__main__":
    unittest.main()
