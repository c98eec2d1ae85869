"""Batches by key list: the set is read once, and each row again before it is changed."""

import unittest

from support import Batched, PostgresCase, SqliteCase, numbers, small

DOUBLES = (
    "SELECT id, email FROM (SELECT id, email, row_number() OVER (PARTITION BY lower(email) ORDER BY id) AS place FROM"
    " people) ranked"
    " WHERE place > 1"
)


class KeyListTests(Batched):
    DEDUPE = {"table": "people", "pre": DOUBLES, "change": "DELETE FROM people WHERE :affected(id) RETURNING id, email"}

    def make_people(self, database=None):
        (database or self.database).execute(
            "CREATE TABLE people (id integer PRIMARY KEY, email text);" +
            f"{numbers(200)} INSERT INTO people SELECT i, CASE WHEN i % 3 = 0 THEN 'A' ELSE 'a' END || ((i * 7) % 40) FROM"
            f" n;")

    def test_a_deduplication_in_batches_is_the_one_that_is_done_by_hand(self):
        self.make_people()
        left = set(self.column("SELECT min(id) FROM people GROUP BY lower(email)"))
        gone = set(self.column("SELECT id FROM people")) - left
        self.define(**self.DEDUPE)
        printed = self.run_ok(*small(13))
        self.assertEqual((printed["mode"], printed["rows"]["deleted"]), ("batched", len(gone)))
        self.assertEqual(set(self.column("SELECT id FROM people")), left)
        self.assertEqual(self.column("SELECT lower(email) FROM people GROUP BY lower(email) HAVING count(*) > 1"), [])
        self.assertEqual(set(self.actions()), gone)
        self.assertEqual(set(self.actions().values()), {"deleted"})
        slices = self.ledger("SELECT lower_key, upper_key, rows FROM batches ORDER BY CAST(batch AS integer)")
        self.assertEqual(len(slices), -(-len(gone) // 13))
        self.assertEqual(sum(rows for _, _, rows in slices), len(gone))
        self.assertEqual(printed["warnings"], [])

    def test_in_one_transaction_it_is_the_same(self):
        self.make_people()
        left = set(self.column("SELECT min(id) FROM people GROUP BY lower(email)"))
        self.define(**self.DEDUPE)
        self.assertEqual(self.run_ok()["mode"], "single")
        self.assertEqual(set(self.column("SELECT id FROM people")), left)

    def test_nothing_of_the_list_stays_in_the_ledger(self):
        self.make_people()
        self.define(**self.DEDUPE)
        self.run_ok(*small(50))
        self.assertEqual(self.ledger("SELECT count(*) FROM spool"), [(0,)])

    def test_a_row_that_has_changed_since_the_list_was_made_is_left_out(self):
        self.make_users(count=6, named=0)
        self.after_trigger("drift", "UPDATE", "UPDATE users SET name = 'by somebody else' WHERE id = 5 AND NEW.id = 1")
        self.define(change="UPDATE users SET name = 'filled' WHERE :affected(id) RETURNING id, name")
        printed = self.run_ok(*small(2))
        self.assertEqual((printed["mode"], printed["rows"]["updated"]), ("batched", 5))
        self.assertEqual(self.column("SELECT name FROM users WHERE id = 5"), ["by somebody else"])
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name = 'filled'"), ["5"])
        self.assertNotIn("5", self.actions())
        warning = " ".join(printed["warnings"])
        self.assertIn("1 row had changed since the set was read", warning)
        self.assertIn("for example 5", warning)

    def test_a_row_that_is_gone_is_left_out(self):
        self.make_users(count=6, named=0)
        self.after_trigger("gone", "UPDATE", "DELETE FROM users WHERE id = 6 AND NEW.id = 1")
        self.define(change="UPDATE users SET name = 'filled' WHERE :affected(id) RETURNING id, name")
        printed = self.run_ok(*small(2))
        self.assertEqual(printed["rows"]["updated"], 5)
        self.assertIn("1 row had changed since the set was read", " ".join(printed["warnings"]))

    def test_rows_that_come_later_are_not_of_the_list(self):
        self.make_users(count=6, named=0)
        self.after_trigger("late", "UPDATE", "INSERT INTO users (id) SELECT 7 WHERE NEW.id = 1")
        self.define(change="UPDATE users SET name = 'filled' WHERE :affected(id) RETURNING id, name")
        printed = self.run_ok(*small(2))
        self.assertEqual(printed["rows"]["updated"], 6)
        self.assertIn("pre finds 1 after the run", " ".join(printed["warnings"]))

    def test_a_composite_key(self):
        self.database.execute("CREATE TABLE lines (tenant text, line integer, v text, PRIMARY KEY (tenant, line));" +
                              f"{numbers(9)} INSERT INTO lines SELECT CASE WHEN i < 5 THEN 'a' ELSE 'b' END, i % 5, NULL"
                              f" FROM n;")
        self.define(table="lines", identifier="tenant, line", pre="SELECT tenant, line, v FROM lines WHERE line > 0",
                    change="UPDATE lines SET v = 'x' WHERE :affected(tenant, line) RETURNING tenant, line, v")
        printed = self.run_ok(*small(3))
        self.assertEqual((printed["mode"], printed["batches"], printed["rows"]["updated"]), ("batched", 3, 8))
        self.assertEqual(self.column("SELECT count(*) FROM lines WHERE v IS NULL"), ["1"])

    def test_a_list_without_a_table_is_refused(self):
        self.make_users(count=6, named=0)
        self.define(table=None, change="UPDATE users SET name = 'x' WHERE :affected(id) RETURNING id, name",
                    post="SELECT id, name FROM users WHERE :affected(id)")
        self.refused(1, "no table is named", "-- table: NAME", flags=small(2))

    def test_an_identifier_that_the_table_does_not_have_is_refused(self):
        self.make_users(count=6, named=0)
        self.define(identifier="double", pre="SELECT id * 2 AS double, name FROM users",
                    post="SELECT id * 2 AS double, name FROM users WHERE :affected(id * 2)",
                    change="UPDATE users SET name = 'x' WHERE :affected(id * 2) RETURNING id * 2 AS double, name")
        with self.nothing_changes():
            result = self.tool("run", "fill", *small(2))
        self.assert_failed(result, 2, "double is not a column of users")


class KeyListOnSqlite(KeyListTests, SqliteCase):
    pass


class KeyListOnPostgres(KeyListTests, PostgresCase):
    def test_uuid_keys(self):
        self.database.execute("CREATE TABLE docs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), v text); "
                              "INSERT INTO docs (v) SELECT NULL FROM generate_series(1, 25)")
        self.define(table="docs", pre="SELECT id, v FROM docs",
                    change="UPDATE docs SET v = 'x' WHERE :affected(id) RETURNING id, v")
        self.assertEqual(self.run_ok(*small(10))["rows"]["updated"], 25)

    def test_a_row_that_another_session_changes_meanwhile_is_left_out(self):
        self.make_users(count=6, named=0)
        self.define(change="UPDATE users SET name = 'filled' WHERE :affected(id) RETURNING id, name")
        holder = self.session()
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM users WHERE id = 3 FOR UPDATE")
        run = self.start("run", "fill", "--json", *small(2))
        self.wait_until_blocked()
        self.database.execute("UPDATE users SET name = 'by somebody else' WHERE id = 5")
        holder.execute("ROLLBACK")
        result = run.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.json["rows"]["updated"], 5)
        self.assertIn("1 row had changed since the set was read", " ".join(result.json["warnings"]))
        self.assertEqual(self.column("SELECT name FROM users WHERE id = 5"), ["by somebody else"])


if __name__ == "__main__":
    unittest.main()
