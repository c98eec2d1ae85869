"""What only the rows show to be wrong: it is said, with what to do, and nothing is changed."""

import unittest

from support import PostgresCase, SqliteCase, small


class DataTests:
    """What only the rows show."""

    def test_fewer_rows_than_expected(self):
        self.make_users()
        self.define(expect_rows="4..10")
        self.refused(1, "changes 3 rows", "expect-rows is 4..10")

    def test_more_rows_than_expected(self):
        self.make_users()
        self.define(expect_rows="..2")
        self.refused(1, "changes 3 rows", "expect-rows is 0..2")

    def test_rows_that_stay_the_same_do_not_count_as_expected(self):
        self.make_users()
        self.define(expect_rows="1..",
                    change="UPDATE users SET name = name WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.refused(1, "changes 0 rows", "expect-rows is 1..")

    def test_a_batched_run_that_misses_its_bounds_does_not_begin(self):
        self.make_users(count=20, named=0)
        for bounds in ("..19", "21.."):
            with self.subTest(bounds):
                self.define(expect_rows=bounds)
                self.refused(1, "would change 20 rows", "expect-rows is ",
                             flags=["--batch-threshold", "5", "--batch-size", "5", "--workers", "1"])
        self.assertFalse(self.has_journal())

    def test_a_verify_that_finds_rows_rolls_one_transaction_back(self):
        self.make_users()
        self.define(verify="SELECT id, name FROM users WHERE id > 4")
        self.refused(1, "verify returned 1 row", "must return none", '"user 5"')

    def test_a_verify_that_finds_rows_after_batches_says_what_is_committed(self):
        self.make_users(count=9, named=0)
        self.define(verify="SELECT id FROM users WHERE id = 9")
        result = self.tool("run", "fill", *small(4))
        self.assert_failed(result, 6, "verify returned 1 row", "3 batches with 9 changed rows committed before", "run 1")
        self.assertEqual(self.column("SELECT DISTINCT name FROM users"), ["filled"])
        self.assertEqual(set(self.actions().values()), {"updated"})
        self.assertEqual(len(self.changes()), 9)
        self.assertEqual(self.journal(), [("failed", "9", "3")])
        self.assertEqual(self.ledger("SELECT state, rows_changed FROM runs"), [("failed", 9)])
        (folder,) = {file.rsplit("/", 1)[0] for file in self.csv_files() if file.endswith(".csv")}
        self.assertIn(folder, result.err)
        self.assertEqual(len(self.csv(f"audit-csv/{folder}/diff.csv")[1]), 9)

    def test_the_same_identifier_twice_in_pre(self):
        self.make_users()
        self.database.execute("CREATE TABLE tags (user_id integer, tag text); "
                              "INSERT INTO tags VALUES (2, 'a'), (2, 'b'), (3, 'a')")
        self.define(pre="SELECT u.id, u.name FROM users u JOIN tags t ON t.user_id = u.id WHERE u.name IS NULL AND"
                        " :batch(u.id)")
        self.refused(1, "pre gave the identifier 2 more than once", "join")

    def test_the_same_identifier_twice_in_pre_of_a_batched_run(self):
        self.make_users()
        self.database.execute("CREATE TABLE tags (user_id integer, tag text); "
                              "INSERT INTO tags VALUES (1, 'a'), (1, 'b'), (3, 'a')")
        self.define(pre="SELECT u.id, u.name FROM users u JOIN tags t ON t.user_id = u.id WHERE u.name IS NULL AND"
                        " :batch(u.id)")
        self.refused(1, "pre gave the identifier 1 more than once", flags=small(2))

    def test_a_key_that_is_null(self):
        self.make_coded()
        for flags in ([], ["--batch-threshold", "1"]):
            with self.subTest(flags=flags):
                self.define(table="coded", identifier="code",
                            pre="SELECT code, name FROM coded WHERE name IS NULL AND :batch(code)",
                            change="UPDATE coded SET name = 'x' WHERE name IS NULL AND :batch(code) RETURNING code, name")
                self.refused(1, "pre gives 1 row with NULL in code", "IS NOT NULL", flags=flags)
        self.assertFalse(self.has_journal())

    def make_coded(self):
        self.database.execute("CREATE TABLE coded (code text UNIQUE, name text); "
                              "INSERT INTO coded (code) VALUES ('a'), (NULL), ('c')")

    def test_batches_without_a_unique_key(self):
        self.database.execute("CREATE TABLE loose (id integer, name text); INSERT INTO loose (id) VALUES (1), (2), (3)")
        self.define(table="loose", pre="SELECT id, name FROM loose WHERE name IS NULL AND :batch(id)",
                    change="UPDATE loose SET name = 'x' WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.refused(1, "batches by range need a unique key", "no unique index on (id)", "CREATE UNIQUE INDEX",
                     flags=["--batch-threshold", "1"])
        self.assertFalse(self.has_journal())
        self.assertEqual(self.run_ok()["mode"], "single")  # one transaction needs none

    def test_a_change_of_rows_outside_the_range(self):
        self.database.execute("CREATE TABLE pairs (id integer PRIMARY KEY, other integer UNIQUE, name text);"
                              "INSERT INTO pairs (id, other) VALUES (1, 6), (2, 5), (3, 4), (4, 3), (5, 2), (6, 1)")
        self.define(table="pairs", pre="SELECT id, name FROM pairs WHERE name IS NULL AND :batch(id)",
                    change="UPDATE pairs SET name = 'x' WHERE name IS NULL AND :batch(other) RETURNING id, name")
        self.refused(1, "2 rows that pre did not return", "2 outside this batch's range", flags=small(2))

    def test_a_change_of_rows_that_pre_forgot(self):
        self.make_users()
        self.define(pre="SELECT id, name FROM users WHERE name IS NULL AND id < 3 AND :batch(id)")
        self.refused(1, "change touched 1 row that pre did not return", "id 3")

    def test_a_statement_that_fails_is_named_by_its_place(self):
        self.database.execute("CREATE TABLE strict_names (id integer PRIMARY KEY, name text NOT NULL); "
                              "INSERT INTO strict_names VALUES (1, 'a'), (2, 'b')")
        path = self.define(table="strict_names", pre="SELECT id, name FROM strict_names WHERE :batch(id)",
                           change="UPDATE strict_names SET name = NULL WHERE :batch(id) RETURNING id, name")
        result = self.refused(1, f"{path}:8:1: error: ")
        self.assertRegex(result.err, "(?is)not.null.*(23502|SQLITE_CONSTRAINT_NOTNULL)")


class EmptySetTests:
    def test_an_empty_set_is_done_and_leaves_empty_csvs_with_headers(self):
        self.make_users(count=2, named=2)
        self.define()
        printed = self.run_ok()
        self.assertEqual((printed["state"], printed["mode"], printed["rows"]["pre"], printed["rows"]["updated"]),
                         ("done", "single", 0, 0))
        for name in ("pre", "change", "post"):
            self.assertEqual(self.csv(printed["csv"][name]), (["id", "name"], []), name)
        self.assertEqual(self.csv(printed["csv"]["diff"]), (["identifier", "action", "column", "before", "after"], []))
        self.assertEqual(self.journal(), [("done", "0", "1")])
        self.assertEqual(self.changes(), {})
        self.assertIn("no rows", self.tool("run", "fill", "--again").out)

    def test_an_empty_set_where_batches_are_wished_for(self):
        self.make_users(count=2, named=2)
        self.define(transaction="batched")
        printed = self.run_ok()
        self.assertEqual((printed["state"], printed["rows"]["pre"]), ("done", 0))
        self.assertEqual(self.csv(printed["csv"]["pre"]), (["id", "name"], []))

    def test_a_table_without_rows(self):
        self.database.execute("CREATE TABLE users (id integer PRIMARY KEY, name text)")
        self.define()
        self.assertEqual(self.run_ok("--batch-threshold", "0")["rows"]["pre"], 0)

    def test_an_empty_set_that_is_too_few(self):
        self.make_users(count=2, named=2)
        self.define(expect_rows="1..")
        self.refused(1, "changes 0 rows", "expect-rows is 1..")


class DataOnSqlite(DataTests, SqliteCase):
    pass


class DataOnPostgres(DataTests, PostgresCase):
    def test_a_procedure_that_commits(self):
        self.make_users()
        path = self.define(change="DO $$ BEGIN UPDATE users SET name = 'x' WHERE id = 1; COMMIT; END $$", returning="none")
        self.refused(1, f"{path}:9:1: error: ", "invalid transaction termination")


class EmptySetOnSqlite(EmptySetTests, SqliteCase):
    pass


class EmptySetOnPostgres(EmptySetTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
