"""Batches by range: keys of every kind, what a batch covers, what comes meanwhile."""

import json
import unittest

from support import Batched, PostgresCase, SqliteCase, numbers, small


class RangeTests(Batched):
    def batched(self, size, planned, **parts):
        self.define(**parts)
        printed = self.run_ok(*small(size))
        self.assertEqual((printed["mode"], printed["rows"]["updated"]), ("batched", planned))
        bounds = self.check_batches(printed, planned)
        self.assertEqual(len(bounds), -(-planned // size))
        self.assertTrue(all(rows == size for _, _, rows in bounds[:-1]))
        return [upper and json.loads(upper) for _, upper, _ in bounds]

    def fill(self, table, *keys):
        columns = ", ".join(keys)
        return {"table": table, "identifier": columns,
                "pre": f"SELECT {columns}, v FROM {table} WHERE v IS NULL AND :batch({columns})",
                "change": f"UPDATE {table} SET v = 'x' WHERE v IS NULL AND :batch({columns}) RETURNING {columns}, v"}

    def test_every_size_covers_the_set(self):
        self.make_users(count=11, named=0)
        for size in (1, 2, 3, 10, 11, 12, 1000):
            with self.subTest(size=size):
                self.database.execute("UPDATE users SET name = NULL")
                self.define(version=f"202601010{size:05}")
                printed = self.run_ok(*small(size), definition=f"202601010{size:05}")
                self.assertEqual((printed["batches"], printed["rows"]["updated"]), (-(-11 // size), 11))
                self.check_batches(printed, 11)

    def test_sparse_keys(self):
        self.database.execute("CREATE TABLE sparse (id bigint PRIMARY KEY, v text);"
                              "INSERT INTO sparse (id) VALUES (-9223372036854775808), (-5), (0), (1), (1000000000000),"
                              " (9223372036854775806), (9223372036854775807)")
        uppers = self.batched(2, 7, **self.fill("sparse", "id"))
        self.assertEqual(uppers, [[-5], [1], [9223372036854775806], [9223372036854775807]])

    def test_text_keys(self):
        keys = ["", " ", "A", "B'; DROP TABLE words; --", "Z", "a", "b\"c", "d\\e", "é", "日本", "🙂"]
        self.database.execute("CREATE TABLE words (word text PRIMARY KEY, v text);" +
                              "".join("INSERT INTO words (word) VALUES ('{}');".format(key.replace("'",
                                  "''")) for key in keys))
        uppers = self.batched(2, len(keys), **self.fill("words", "word"))
        self.assertEqual([upper for (upper,) in uppers], [*keys[1::2], keys[-1]])
        self.assertEqual(set(self.actions()), set(keys))

    def test_composite_keys(self):
        self.database.execute("CREATE TABLE lines (tenant text, line integer, v text, PRIMARY KEY (tenant, line));" +
                              f"{numbers(9)} INSERT INTO lines SELECT CASE WHEN i < 5 THEN 'a' ELSE 'b' END, i % 5, NULL"
                              f" FROM n;")
        uppers = self.batched(4, 9, **self.fill("lines", "tenant", "line"))
        self.assertEqual(uppers, [["a", 4], ["b", 3], ["b", 4]])
        self.assertIn('["b","3"]', self.actions())
        (entry,) = self.tool("history", "--identifier", '["b","3"]', "--json").json
        self.assertEqual((entry["before"], entry["after"]),
                         ({"tenant": "b", "line": 3, "v": None}, {"tenant": "b", "line": 3, "v": "x"}))

    def test_a_key_that_is_not_the_primary_one(self):
        self.database.execute("CREATE TABLE coded (id integer PRIMARY KEY, code text NOT NULL UNIQUE, v text); "
                              "INSERT INTO coded (id, code) VALUES (1, 'c'), (2, 'b'), (3, 'a')")
        self.assertEqual(self.batched(2, 3, **self.fill("coded", "code")), [["b"], ["c"]])

    def test_an_identifier_under_another_name(self):
        self.make_users()
        self.define(identifier="place", pre="SELECT id AS place, name FROM users u WHERE name IS NULL AND :batch(u.id)",
                    change="UPDATE users SET name = 'x' WHERE name IS NULL AND :batch(id) RETURNING id AS place, name",
                    post="SELECT id AS place, name FROM users WHERE :affected(id)")
        self.check_batches(self.run_ok(*small(2)), 3)

    def test_a_set_that_the_change_does_not_make_smaller(self):
        self.make_users(count=7, named=0)
        self.define(pre="SELECT id, note FROM users WHERE :batch(id)",
                    change="UPDATE users SET note = note || '!' WHERE :batch(id) RETURNING id, note")
        printed = self.run_ok(*small(2))
        self.check_batches(printed, 7)
        self.assertEqual(self.column("SELECT note FROM users ORDER BY id"), [f"note {i}!" for i in range(1, 8)])
        self.assertEqual(printed["warnings"], [])

    def test_new_rows_by_the_keys_of_their_source(self):
        self.make_users(count=9, named=0)
        self.database.execute("CREATE TABLE cards (user_id integer PRIMARY KEY, label text); "
                              "INSERT INTO cards VALUES (4, 'old')")
        self.define(table="cards", identifier="user_id", keys="SELECT id FROM users WHERE :batch(id)",
                    pre="SELECT user_id, label FROM cards WHERE 1 = 0 AND :batch(user_id)",
                    change="INSERT INTO cards SELECT id, 'card ' || id FROM users WHERE :batch(id) ON CONFLICT (user_id)"
                           " DO NOTHING RETURNING user_id, label")
        printed = self.run_ok(*small(2))
        self.assertEqual((printed["mode"], printed["batches"], printed["rows"]["inserted"]), ("batched", 5, 8))
        self.assertEqual(set(self.actions().values()), {"inserted"})
        self.assertEqual(self.column("SELECT label FROM cards WHERE user_id IN (3, 4, 5) ORDER BY user_id"),
                         ["card 3", "old", "card 5"])

    def test_the_expected_maximum_stops_batches_whose_rows_could_not_be_counted_before(self):
        self.make_users(count=9, named=0)
        self.database.execute("CREATE TABLE cards (user_id integer PRIMARY KEY, label text)")
        self.define(table="cards", identifier="user_id", expect_rows="..5", keys="SELECT id FROM users WHERE :batch(id)",
                    pre="SELECT user_id, label FROM cards WHERE 1 = 0 AND :batch(user_id)",
                    change="INSERT INTO cards SELECT id, 'card' FROM users WHERE :batch(id) RETURNING user_id, label")
        result = self.tool("run", "fill", *small(2))
        self.assert_failed(result, 6, "changes 6 rows", "expect-rows is 0..5",
                           "2 batches with 4 changed rows committed before")
        self.assertEqual(self.column("SELECT user_id FROM cards ORDER BY 1"), ["1", "2", "3", "4"])

    def test_a_batch_that_fails_leaves_the_ones_before_it(self):
        self.make_users(count=6, named=0)
        self.database.execute("CREATE TABLE limits (id integer PRIMARY KEY, name text CHECK (name <> 'user 4')); "
                              "INSERT INTO limits SELECT id, 'u' FROM users")
        self.define(table="limits", pre="SELECT id, name FROM limits WHERE :batch(id)",
                    change="UPDATE limits SET name = 'user ' || id WHERE :batch(id) RETURNING id, name")
        result = self.tool("run", "fill", *small(2))
        self.assert_failed(result, 6, "id 4 cannot be changed", "2 batches with 3 changed rows committed before", "run 1",
                           "audit-csv/20260101000000_fill/1-")
        self.assertEqual(self.column("SELECT name FROM limits ORDER BY id"), ["user 1", "user 2", "user 3", "u", "u", "u"])
        self.assertEqual(self.actions(), {"1": "updated", "2": "updated", "3": "updated"})
        self.assertEqual([state for state, _, _ in self.journal()], ["failed"])
        self.assertRegex(self.tool("status").out, r"(?m)^20260101000000 +fill +failed +3 ")

    def test_the_csvs_are_those_of_one_transaction(self):
        self.make_users(count=23, named=3)
        self.define(repeatable="yes")
        bytes_of = []
        for flags in (["--single-transaction"], small(1), small(4), small(100)):
            self.database.execute("UPDATE users SET name = NULL WHERE id < 21")
            printed = self.run_ok(*flags)
            parts = []
            for name in ("pre", "change", "post", "diff"):
                with open(self.path(printed["csv"][name]), "rb") as file:
                    parts.append(file.read())
            bytes_of.append(parts)
        self.assertEqual(bytes_of[1:], bytes_of[:1] * 3)

    def test_rows_that_come_behind_the_cursor_are_reported(self):
        self.make_users(count=6, named=0)
        self.late_row()
        self.define()
        printed = self.run_ok(*small(2))
        self.assertEqual(printed["rows"]["updated"], 6)
        (warning,) = printed["warnings"]
        self.assertIn("1 row of the set is left: pre finds 1 after the run", warning)
        self.assertEqual(self.column("SELECT id FROM users WHERE name IS NULL"), ["-1"])

    def late_row(self):
        """A row of the set comes in, below all others, when user 3 is changed."""
        self.after_trigger("late", "UPDATE", "INSERT INTO users (id) SELECT -1 WHERE NEW.id = 3")


class RangeOnSqlite(RangeTests, SqliteCase):
    def test_rowids_are_unique_without_an_index(self):
        self.database.execute("CREATE TABLE loose (v text); INSERT INTO loose VALUES (NULL), (NULL), (NULL)")
        self.define(table="loose", identifier="rowid", pre="SELECT rowid, v FROM loose WHERE v IS NULL AND :batch(rowid)",
                    change="UPDATE loose SET v = 'x' WHERE v IS NULL AND :batch(rowid) RETURNING rowid, v",
                    post="SELECT rowid, v FROM loose WHERE :affected(rowid)")
        self.check_batches(self.run_ok(*small(2)), 3)

    def test_blob_keys(self):
        self.database.execute("CREATE TABLE blobs (id blob PRIMARY KEY, v text); "
                              "INSERT INTO blobs (id) VALUES (x''), (x'00'), (x'00ff'), (x'ff')")
        uppers = self.batched(3, 4, **self.fill("blobs", "id"))
        self.assertEqual(uppers, [[{"$blob": "00ff"}], [{"$blob": "ff"}]])
        self.assertIn("x'00ff'", self.actions())


class RangeOnPostgres(RangeTests, PostgresCase):
    def test_uuid_keys(self):
        self.database.execute("CREATE TABLE docs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), v text); "
                              "INSERT INTO docs (v) SELECT NULL FROM generate_series(1, 25)")
        keys = self.column("SELECT id FROM docs ORDER BY id")
        uppers = self.batched(10, 25, **self.fill("docs", "id"))
        self.assertEqual([upper for (upper,) in uppers], [keys[9], keys[19], keys[24]])

    def test_keys_of_other_types(self):
        types = {"numeric": "1.5, 1.50001, 1e20, 99999999999999999999.5", "smallint": "-3, 0, 7, 5",
                 "timestamptz": "'2026-01-01 12:00+01', '2026-01-01 11:30+00', '-infinity', 'infinity'",
                 "date": "'2026-02-01', '2025-12-31', '2026-01-15', '0044-03-15 BC'",
                 "inet": "'10.0.0.1', '::1', '10.0.0.2', '9.9.9.9'"}
        for number, (name, values) in enumerate(types.items()):
            with self.subTest(name):
                self.database.execute(f"CREATE TABLE t_{name} (id {name} PRIMARY KEY, v text); "
                                      f"INSERT INTO t_{name} (id) SELECT unnest(ARRAY[{values}]::{name}[])")
                self.define(version=f"2026010100000{number}", name=name, **self.fill(f"t_{name}", "id"))
                printed = self.run_ok(*small(3), definition=name)
                self.assertEqual((printed["batches"], printed["rows"]["updated"]), (2, 4))
                self.check_batches(printed, 4)

    def test_rows_of_another_session_behind_the_cursor_are_reported(self):
        self.make_users(count=6, named=0)
        self.define()
        holder = self.session()
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM users WHERE id = 3 FOR UPDATE")
        run = self.start("run", "fill", "--json", *small(2))
        self.wait_until_blocked()
        self.database.execute("INSERT INTO users (id) VALUES (-1), (-2)")
        holder.execute("ROLLBACK")
        result = run.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.json["rows"]["updated"], 6)
        self.assertIn("2 rows of the set are left: pre finds 2 after the run", result.json["warnings"][0])
        self.assertEqual(self.column("SELECT id FROM users WHERE name IS NULL ORDER BY id"), ["-2", "-1"])

    def test_rows_of_another_session_above_the_greatest_key_are_left(self):
        self.make_users(count=6, named=0)
        self.define()
        holder = self.session()
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM users WHERE id = 3 FOR UPDATE")
        run = self.start("run", "fill", "--json", *small(2))
        self.wait_until_blocked()
        self.database.execute("INSERT INTO users (id) VALUES (7)")
        holder.execute("ROLLBACK")
        result = run.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn("1 row of the set is left", result.json["warnings"][0])
        self.assertEqual(self.column("SELECT id FROM users WHERE name IS NULL"), ["7"])


if __name__ == "__main__":
    unittest.main()
