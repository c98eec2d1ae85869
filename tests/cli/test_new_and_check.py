"""From the template to the run: `new` and `check`."""

import os
import unittest

from support import FILL, PostgresCase, SqliteCase


class NewTests:
    def test_a_new_definition_is_checked_and_run(self):
        self.make_users()
        path = self.tool("new", "Fill in the names!", "--table", "users", "--ticket", "OPS-4").out.strip()
        self.assertRegex(path, r"^audits/\d{14}_fill_in_the_names\.sql$")
        with open(self.path(path), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("-- ticket: OPS-4", text)
        self.write(path, text.replace("my_column", "name"))
        check = self.tool("check")
        self.assertEqual(check.code, 0, check)
        self.assertIn(path, check.out)
        self.assertIn("3 rows, one transaction", check.out)
        self.assertEqual(self.run_ok(definition=path)["rows"]["updated"], 3)
        self.assertEqual(self.column("SELECT DISTINCT name FROM users WHERE id < 4"), ["value"])

    def test_the_template_itself_is_a_definition(self):
        self.database.execute("CREATE TABLE my_table (id integer PRIMARY KEY, my_column text); "
                              "INSERT INTO my_table (id) VALUES (1)")
        for name in ("x", "note", "fix: the names", "Two words"):
            with self.subTest(name):
                self.database.execute("UPDATE my_table SET my_column = NULL")
                path = self.tool("new", name, "--dir", f"audits_{len(name)}", "--json").json["path"]
                self.assertEqual(self.run_ok("--again", definition=path)["rows"]["updated"], 1)

    def test_a_name_without_letters_is_refused(self):
        self.assert_failed(self.tool("new", "!!!"), 2, "cannot name a definition")
        self.assertFalse(os.path.exists(self.path("audits")))

    def test_a_folder_that_cannot_be_written(self):
        self.write("notes.txt", "a file")
        self.assert_failed(self.tool("new", "fill", "--dir", "notes.txt/audits"), 1, "notes.txt/audits", "--dir")


class CheckTests:
    def test_every_definition_is_judged(self):
        self.make_users()
        self.define()
        self.define(name="bad", version="20260101000001", change=FILL["change"].replace("name", "nmae"))
        self.define(name="large", version="20260101000002")
        result = self.tool("check", "--batch-threshold", "2")
        self.assertEqual(result.code, 2, result)
        self.assertRegex(result.out, r"(?m)^ok +audits/20260101000000_fill.sql +3 rows, in batches$")
        self.assertRegex(result.out, r"(?m)^FAIL +audits/20260101000001_bad.sql$")
        self.assertIn("nmae", result.out)

    def test_as_json(self):
        self.make_users()
        self.define()
        self.define(name="bad", version="20260101000001", table="userz")
        result = self.tool("check", "--json")
        good, bad = result.json
        self.assertEqual((good["version"], good["ok"], good["mode"], good["rows"], good["error"]),
                         ("20260101000000", True, "single", [3], None))
        self.assertEqual((bad["name"], bad["ok"], bad["error"]), ("bad", False, "no such table: userz"))
        self.assertTrue(bad["where"].startswith("audits/20260101000001_bad.sql:"))
        self.assertIn("users", bad["hint"])

    def test_a_large_set_that_cannot_be_batched_is_found(self):
        self.make_users()
        self.define(change="UPDATE users SET name = 'x' WHERE name IS NULL RETURNING id, name")
        result = self.tool("check", "fill", "--batch-threshold", "1")
        self.assertEqual(result.code, 1, result)
        self.assertIn("cannot be batched", result.out)


class NewOnSqlite(NewTests, SqliteCase):
    pass


class NewOnPostgres(NewTests, PostgresCase):
    pass


class CheckOnSqlite(CheckTests, SqliteCase):
    pass


class CheckOnPostgres(CheckTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
