"""Large sets: when a run is batched, and what is refused because batches would be wrong."""

import unittest

from support import FILL, Batched, PostgresCase, SqliteCase, numbers, small

DOUBLES = (
    "SELECT id, email FROM (SELECT id, email, row_number() OVER (PARTITION BY lower(email) ORDER BY id) AS place"
    " FROM people WHERE :batch(id)) ranked WHERE place > 1"
)


class ThresholdTests(Batched):
    def test_ten_thousand_rows_are_one_transaction_and_one_more_are_batches(self):
        self.make_users(count=10_001, named=1)
        self.define()
        self.assertEqual(self.run_ok("--dry-run")["mode"], "single")
        self.database.execute("UPDATE users SET name = NULL")
        printed = self.run_ok("--batch-size", "5000")
        self.assertEqual((printed["mode"], printed["batches"], printed["rows"]["updated"]), ("batched", 3, 10_001))
        bounds = self.check_batches(printed, 10_001)
        self.assertEqual(bounds, [(None, "[5000]", 5000), ("[5000]", "[10000]", 5000), ("[10000]", "[10001]", 1)])
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name = 'filled'"), ["10001"])

    def test_the_threshold_may_be_set(self):
        self.make_users(count=10, named=0)
        self.define(repeatable="yes",
                    change="UPDATE users SET name = NULL WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.assertEqual(self.run_ok("--batch-threshold", "10")["mode"], "single")
        self.assertEqual(self.run_ok("--batch-threshold", "9")["mode"], "batched")

    def test_the_size_of_batches_is_the_definition_s_unless_it_is_given(self):
        self.make_users(count=10, named=0)
        self.define(repeatable="yes", batch_size="4",
                    change="UPDATE users SET name = name WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.assertEqual(self.run_ok("--batch-threshold", "1")["batches"], 3)
        self.assertEqual(self.run_ok(*small(2))["batches"], 5)

    def test_a_small_set_is_batched_where_the_definition_says_so(self):
        self.make_users()
        self.define(transaction="batched", batch_size="2")
        printed = self.run_ok()
        self.assertEqual((printed["mode"], printed["batches"]), ("batched", 2))
        self.check_batches(printed, 3)

    def test_a_large_set_stays_in_one_transaction_where_it_is_said(self):
        self.make_users(count=10, named=0)
        self.define(repeatable="yes",
                    change="UPDATE users SET name = name WHERE name IS NULL AND :batch(id) RETURNING id, name")
        printed = self.run_ok("--single-transaction", *small(2))
        self.assertEqual((printed["mode"], printed["batches"]), ("single", 1))
        self.define(transaction="single")
        printed = self.run_ok("--again", *small(2))
        self.assertEqual((printed["mode"], printed["batches"]), ("single", 1))

    def test_a_set_that_neither_macro_cuts_is_refused(self):
        self.make_users(count=10, named=0)
        self.define(pre="SELECT id, name FROM users WHERE name IS NULL",
                    change="UPDATE users SET name = 'x' WHERE name IS NULL RETURNING id, name")
        self.refused(1, "the set has 10 rows, too many for one transaction (threshold 1)",
                     "change says neither :batch nor :affected",
                     "AND :batch(id)", "AND :affected(id)", "transaction: single", "--single-transaction", flags=small(2))
        self.assertFalse(self.has_journal())
        self.assertEqual(self.run_ok("--single-transaction", *small(2))["rows"]["updated"], 10)

    def test_a_statement_that_a_range_does_not_reach_is_refused(self):
        self.make_users(count=10, named=0)
        path = self.define(change=FILL["change"] + ";\nDELETE FROM users WHERE name = 'user 5' RETURNING id, name")
        self.refused(1, f"{path}:9:1: error: ", "the DELETE in change does not say :batch", "AND :batch(id)",
                     flags=small(2))

    def test_a_pre_without_a_range_is_refused(self):
        self.make_users(count=10, named=0)
        path = self.define(pre="SELECT id, name FROM users WHERE name IS NULL")
        self.refused(1, f"{path}:5:1: error: ", "change says :batch, but pre does not", "AND :batch(id)", flags=small(2))

    def test_sizes_that_are_no_numbers_of_rows(self):
        self.make_users()
        self.define()
        for flags in (["--batch-size", "0"], ["--batch-size", "-5"], ["--batch-size", "many"], ["--batch-threshold", "-1"]):
            with self.subTest(flags):
                self.refused(2, flags[0], flags=flags)


class RefusedRangeTests(Batched):
    """A range in the wrong place changes what the statement means."""

    def setUp(self):
        super().setUp()
        self.database.execute("CREATE TABLE people (id integer PRIMARY KEY, email text);" +
                              f"{numbers(30)} INSERT INTO people SELECT i, CASE WHEN i % 3 = 0 THEN 'A' ELSE 'a' END || (i"
                              f" % 7) FROM n;")

    def refused_range(self, what, pre, change=None):
        path = self.define(table="people", pre=pre,
                           change=change or "DELETE FROM people WHERE :batch(id) RETURNING id, email")
        self.refused(1, path, "cannot be batched", f"a query level with {what}", ":affected", "batch-safe",
                     flags=["--batch-threshold", "0"])
        self.assertFalse(self.has_journal())

    def test_beneath_a_window(self):
        self.refused_range("a window function", DOUBLES)

    def test_beneath_a_group(self):
        self.refused_range("GROUP BY", "SELECT id, email FROM people WHERE :batch(id) GROUP BY id, email")

    def test_beneath_an_aggregate(self):
        self.refused_range("an aggregate",
                           "SELECT id, email FROM people WHERE id = (SELECT max(id) FROM people WHERE :batch(id))")

    def test_beneath_a_limit(self):
        self.refused_range("LIMIT", "SELECT id, email FROM people WHERE :batch(id) ORDER BY email LIMIT 10")

    def test_in_a_set_operation(self):
        self.refused_range("UNION",
                           "SELECT id, email FROM people WHERE :batch(id) UNION SELECT id, email FROM people WHERE email ="
                           " 'a1'")

    def test_in_change(self):
        self.refused_range("LIMIT", "SELECT id, email FROM people WHERE :batch(id)",
                           "DELETE FROM people WHERE id IN (SELECT id FROM people WHERE :batch(id) LIMIT 3) RETURNING id,"
                           " email")

    def test_one_transaction_may_say_it_all_the_same(self):
        self.define(table="people", pre=DOUBLES,
                    change=f"DELETE FROM people WHERE id IN (SELECT id FROM ({DOUBLES}) x) RETURNING id, email")
        self.assertEqual(self.run_ok("--single-transaction", *small(5))["rows"]["deleted"], 23)

    def test_a_reason_in_the_header_overrules(self):
        # the partition is the key itself, so that a range never cuts one
        pre = ("SELECT id, email FROM (SELECT id, email, row_number() OVER (PARTITION BY id) AS place"
               " FROM people WHERE :batch(id)) r WHERE place = 1")
        self.define(table="people", pre=pre, batch_safe="each row is a partition of its own",
                    change="DELETE FROM people WHERE :batch(id) RETURNING id, email")
        printed = self.run_ok(*small(7))
        self.assertEqual((printed["mode"], printed["rows"]["deleted"]), ("batched", 30))
        self.check_batches(printed, 30)


class ThresholdOnSqlite(ThresholdTests, SqliteCase):
    pass


class ThresholdOnPostgres(ThresholdTests, PostgresCase):
    pass


class RefusedRangeOnSqlite(RefusedRangeTests, SqliteCase):
    pass


class RefusedRangeOnPostgres(RefusedRangeTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
