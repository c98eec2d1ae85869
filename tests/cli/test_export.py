"""A run as a file: CSV, JSON and Markdown; what is refused; the commit of the definition."""

import json
import os
import sqlite3
import stat
import subprocess
import unittest

from support import PostgresCase, STEPS, SqliteCase, small

FILES = ("pre", "change", "post", "diff")


class ExportCase:
    """Five users, three of them filled in batches of two."""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define(ticket="OPS-1", summary="SELECT count(*) AS users, count(name) AS named FROM users")

    def read(self, path):
        with open(self.path(path), "rb") as file:
            return file.read()

    def export(self, *flags, run="1", **variables):
        result = self.tool("export", run, *flags, **variables)
        self.assertEqual(result.code, 0, result)
        return result.out


class CsvTests(ExportCase):
    def test_every_file_is_the_evidence_byte_for_byte(self):
        printed = self.run_ok(*small(2))
        for file in FILES:
            with self.subTest(file):
                self.assertEqual(self.export("--format", "csv", "--file", file).encode(), self.read(printed["csv"][file]))
        self.assertEqual(self.export("--format", "csv"), self.export("--format", "csv", "--file", "diff"))

    def test_it_needs_neither_the_csv_files_nor_the_target(self):
        printed = self.run_ok()
        diff = self.read(printed["csv"]["diff"])
        for path in printed["csv"].values():
            os.remove(self.path(path))
        self.assertEqual(self.export("--format", "csv", DATABASE_URL=None).encode(), diff)

    def test_a_run_by_its_uuid(self):
        uuid = self.run_ok()["uuid"]
        self.assertEqual(self.export("--format", "csv", run=uuid[:8]), self.export("--format", "csv"))

    def test_the_table_of_a_run_with_several(self):
        self.define(STEPS, name="steps", version="20260101000001")
        printed = self.run_ok(definition="steps")
        result = self.tool("export", "1", "--format", "csv")
        self.assert_failed(result, 2, "run 1 has 2 tables", "users, users")
        for step, name in enumerate(("names", "notes")):
            self.assertEqual(self.export("--format", "csv", "--table", name).encode(),
                             self.read(printed["steps"][step]["csv"]["diff"]))
        self.assert_failed(self.tool("export", "1", "--format", "csv", "--table", "nope"), 2, "has no table nope")

    def test_a_watched_table_has_no_change_file(self):
        self.database.execute("CREATE TABLE notes (id integer PRIMARY KEY, user_id integer REFERENCES users(id)"
                              " ON DELETE CASCADE); INSERT INTO notes VALUES (7, 1)")
        self.define(name="gone", version="20260101000001", pre="SELECT id, name FROM users WHERE id = 1",
                    change="DELETE FROM users WHERE id = 1 RETURNING id, name",
                    tail="-- audit:watch notes\n-- identifier: id\nSELECT id, user_id FROM notes WHERE user_id = 1;")
        self.run_ok(definition="gone")
        self.assertEqual(self.export("--format", "csv", "--table", "notes"),
                         "identifier,action,column,before,after\r\n7,deleted,id,7,\r\n7,deleted,user_id,1,\r\n")
        result = self.tool("export", "1", "--format", "csv", "--table", "notes", "--file", "change")
        self.assert_failed(result, 2, "notes has no change.csv")

    def test_a_file_is_private_and_whole(self):
        self.run_ok()
        self.export("--output", "out.csv")  # whose name says the format
        self.assertEqual(self.read("out.csv").decode(), self.export("--format", "csv"))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("out.csv")).st_mode), 0o600)
        self.assertFalse(os.path.exists(self.path("out.csv.partial")))

    def test_a_file_that_is_there_stays(self):
        self.run_ok()
        self.write("out.csv", "mine")
        self.assert_failed(self.tool("export", "1", "-o", "out.csv"), 2, "there is a file out.csv already", "--force")
        self.assertEqual(self.read("out.csv"), b"mine")
        self.export("-o", "out.csv", "--force")
        self.assertNotEqual(self.read("out.csv"), b"mine")

    def test_safe_for_spreadsheets(self):
        texts = ["=1+1", "+49 30", "-5", "-0.5e+3", "-x", "@sum", "\tx", "\rx", "\nx", "\uff1dx", 'a"=', '="a"', "a;=b", "ok"]
        self.database.execute("CREATE TABLE cells (id integer PRIMARY KEY, v text)")
        for number, text in enumerate(texts):
            literal = "'" + text.replace("'", "''") + "'"
            self.database.execute(f"INSERT INTO cells VALUES ({number}, {literal})")
        self.define(name="cells", version="20260101000001", table="cells", pre="SELECT id, v FROM cells",
                    change="UPDATE cells SET v = NULL RETURNING id, v")
        printed = self.run_ok(definition="cells")
        safe = self.export("--format", "csv", "--file", "pre", "--csv-safe")
        self.assertEqual(safe, "id,v\r\n0,\"'=1+1\"\r\n1,\"'+49 30\"\r\n2,-5\r\n3,-0.5e+3\r\n4,\"'-x\"\r\n5,\"'@sum\"\r\n"
                         "6,\"'\tx\"\r\n7,\"'\rx\"\r\n8,\"'\nx\"\r\n9,\"'\uff1dx\"\r\n10,\"a\"\"=\"\r\n"
                         "11,\"'=\"\"a\"\"\"\r\n12,\"a;=b\"\r\n13,ok\r\n")
        self.assertEqual(self.export("--format", "csv", "--file", "pre").encode(), self.read(printed["csv"]["pre"]))


class JsonTests(ExportCase):
    def test_one_object_with_everything(self):
        self.run_ok("--operator", "anna", *small(2))
        printed = json.loads(self.export("--format", "json"))
        shown = self.tool("show", "1", "--json").json
        changes = printed.pop("changes")
        self.assertEqual(printed, shown)
        self.assertEqual(changes, [
            {"step": 1, "batch": batch, "identifier": str(key), "action": "updated", "before": {"id": key, "name": None},
             "after": {"id": key, "name": "filled"}} for key, batch in ((1, "1"), (2, "1"), (3, "2"))])

    def test_a_line_a_row(self):
        self.run_ok()
        lines = [json.loads(line) for line in self.export("--format", "ndjson").splitlines()]
        whole = json.loads(self.export("--format", "json"))
        self.assertEqual(lines[1:], whole.pop("changes"))
        self.assertEqual(lines[0], whole)

    def test_values_keep_every_digit(self):
        self.database.execute("CREATE TABLE n (id bigint PRIMARY KEY, v numeric);"
                              "INSERT INTO n VALUES (9007199254740993, 0.10000000000000000)")
        self.define(name="n", version="20260101000001", table="n", pre="SELECT id, v FROM n",
                    change="UPDATE n SET v = v + 1 RETURNING id, v")
        self.run_ok(definition="n")
        text = self.export("--format", "ndjson")
        self.assertIn('"before":{"id":9007199254740993,"v":%s}' % self.tenth, text)

    def test_rows_of_every_kind(self):
        self.define(name="kinds", version="20260101000001", pre="SELECT id, name FROM users WHERE id IN (1, 2, 4)",
                    change="UPDATE users SET name = 'user 4' WHERE id IN (1, 4) RETURNING id, name")
        self.run_ok(definition="kinds")
        changes = {row["identifier"]: row for row in json.loads(self.export("--format", "json"))["changes"]}
        self.assertEqual({key: row["action"] for key, row in changes.items()},
                         {"1": "updated", "2": "missing", "4": "unchanged"})
        self.assertEqual(changes["4"]["before"], changes["4"]["after"])


class MarkdownTests(ExportCase):
    def test_what_a_ticket_needs(self):
        self.run_ok("--operator", "anna")
        text = self.export("--format", "markdown")
        head = self.ledger("SELECT root FROM runs")[0][0]
        for line in ("# 20260101000000 fill: done", "| ticket | OPS-1 |", f"| head hash | `{head}` |",
                     "| users | 3 | 3 | 3 | 3 | 0 | 0 | 0 | 0 |", "| `named` | `2` | `5` |",
                     "| users | `1` | updated | name | NULL | `filled` |"):
            self.assertIn(line + "\n", text)
        self.assertRegex(text, r"\| operator \| anna on \S+ \|")

    def test_the_first_changes_only(self):
        self.run_ok()
        text = self.export("--format", "markdown", "--limit", "2")
        self.assertIn("| `2` | updated", text)
        self.assertNotIn("| `3` | updated", text)
        self.assertIn("These are the first 2 changed values", text)

    def test_values_are_no_markup(self):
        self.database.execute("UPDATE users SET note = '<b>@all | `x` \n# y' WHERE id = 1")
        self.define(name="note", version="20260101000001", ticket="<i>@all #1",
                    pre="SELECT id, note FROM users WHERE id = 1",
                    change="UPDATE users SET note = '' WHERE id = 1 RETURNING id, note")
        self.run_ok(definition="note")
        text = self.export("--format", "markdown")
        self.assertIn("| ticket | `<i>@all #1` |", text)
        self.assertIn(r"| note | ``<b>@all \| `x` \n# y`` | (empty text) |", text)

    def test_rows_that_failed_and_what_was_changed_besides(self):
        self.database.execute("CREATE TABLE log (id integer)")
        self.after_trigger("note_it", "UPDATE", "INSERT INTO log VALUES (1)")
        self.define(name="fail", version="20260101000001", on_error="skip",
                    change="UPDATE users SET name = 'filled', id = CASE WHEN id = 2 THEN 5 ELSE id END"
                           " WHERE name IS NULL AND :batch(id) RETURNING id, name", pre=
                           "SELECT id, name FROM users WHERE name IS NULL AND :batch(id)")
        self.run_ok(*small(1), definition="fail")
        text = self.export("--format", "markdown")
        self.assertIn("**1 row could not be changed.**", text)
        self.assertRegex(text, r"(?m)^\| `2` \| \S+ \| ")
        self.assertRegex(text, r"(?m)^\| \w+\.log \| 2 \| 0 \| 0 \|$")


class SpecialRunTests(ExportCase):
    def test_a_dry_run_has_no_rows(self):
        self.run_ok("--dry-run")
        result = self.tool("export", "1", "--format", "csv")
        self.assert_failed(result, 1, "run 1 has no rows to export", "dry run")
        self.assertIn("# 20260101000000 fill: done (dry run)", self.export("--format", "markdown"))

    def test_counts_alone(self):
        self.define(name="counts", version="20260101000001", evidence="counts")
        self.run_ok(definition="counts")
        self.assert_failed(self.tool("export", "1", "--format", "csv"), 1, "counts")
        self.assertIn("keeps counts alone", self.export("--format", "markdown"))
        self.assertEqual(json.loads(self.export("--format", "json"))["changes"], [])

    def test_identifiers_alone(self):
        self.define(name="keys", version="20260101000001", evidence="keys")
        self.run_ok(definition="keys")
        self.assertIn("| users | `1` | updated |  |  |  |\n", self.export("--format", "markdown"))
        self.assertEqual(json.loads(self.export("--format", "json"))["changes"][0]["before"], {"id": 1})

    def test_a_run_that_was_gone_on_with(self):
        self.database.execute("CREATE UNIQUE INDEX one_note ON users (note)")
        self.define(name="stop", version="20260101000001", pre="SELECT id, name, note FROM users WHERE id < 4 AND :batch(id)",
                    change="UPDATE users SET name = 'filled', note = CASE WHEN id = 2 THEN 'note 5' ELSE note END"
                           " WHERE id < 4 AND :batch(id) RETURNING id, name, note")
        self.assertEqual(self.tool("run", "stop", *small(1)).code, 6)
        text = self.export("--format", "markdown")
        self.assertIn("# 20260101000001 stop: failed\n", text)
        self.assertEqual(len(json.loads(self.export("--format", "json"))["changes"]), 1)
        self.database.execute("UPDATE users SET note = 'moved' WHERE id = 5")
        self.assertEqual(self.tool("resume", "1", *small(1)).code, 0)
        text = self.export("--format", "markdown")
        self.assertRegex(text, r"(?m)^## Events\n\n.*\n.*\n(\|.*\n)*\| \S+ \| resumed \| ")
        self.assertEqual(len(json.loads(self.export("--format", "json"))["changes"]), 3)

    def test_a_pruned_run_says_so(self):
        self.run_ok()
        with sqlite3.connect(self.path("datachange-ledger.db")) as ledger:
            ledger.execute("UPDATE runs SET pruned_at = '2027-01-01T00:00:00.000Z'")
            ledger.execute("DELETE FROM block")
        ledger.close()
        self.assert_failed(self.tool("export", "1", "--format", "csv"), 1, "pruned", "2027-01-01")
        for form in ("markdown", "html"):
            self.assertIn("pruned from the ledger at 2027-01-01", self.export("--format", form))

    def test_redacted_values_stay_redacted(self):
        self.define(name="secret", version="20260101000001", redact="name",
                    change="UPDATE users SET name = 'plain' WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.run_ok(definition="secret", DATACHANGE_REDACT_KEY="0123456789abcdef")
        digest = json.loads(self.ledger("SELECT after FROM changes")[0][0])["name"]["$hmac"]
        for form in ("csv", "ndjson", "html"):
            self.assertIn(digest, self.export("--format", form))
        text = self.export("--format", "markdown")
        self.assertIn(f"| users | `1` | updated | name | NULL | `hmac {digest}` |", text)
        self.assertIn("Of name in users only digests are kept", text)


class RefusalTests(ExportCase):
    def test_options_that_would_do_nothing(self):
        self.run_ok()
        for flags, word in ((["--format", "json", "--table", "users"], "--table"),
                            (["--format", "html", "--file", "pre"], "--file"),
                            (["--format", "markdown", "--csv-safe"], "--csv-safe"),
                            (["--format", "csv", "--limit", "1"], "--limit"),
                            (["--format", "csv", "--force"], "--force"),
                            (["--format", "csv", "--csv-split", "1MB"], "--csv-split needs --output"),
                            (["-o", "x.csv", "--csv-split", "0"], "--csv-split cannot be 0"),
                            (["-o", "x.csv", "--csv-split", "1XB"], "--csv-split cannot be 1XB"),
                            (["--format", "excel"], "excel"), (["-o", "x.txt"], "--format is missing"), ([], "--format")):
            with self.subTest(flags):
                self.assert_failed(self.tool("export", "1", *flags), 2, word)
        self.assertFalse(os.path.exists(self.path("x.csv")))

    def test_no_such_run_and_no_ledger(self):
        self.assert_failed(self.tool("export", "1", "--format", "json"), 5, "no ledger")
        self.run_ok()
        self.assert_failed(self.tool("export", "9", "--format", "json"), 2, "no run 9")

    def test_a_folder_that_is_not_there(self):
        self.run_ok()
        result = self.tool("export", "1", "-o", "no/such/out.json")
        self.assertEqual(result.code, 5, result)
        self.assertIn("no/such/out.json", result.err)


class GitTests(ExportCase):
    def git(self, *arguments):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], cwd=self.folder,
                              check=True, capture_output=True, text=True).stdout.strip()

    def test_the_commit_that_the_definition_is_of(self):
        self.run_ok()
        self.assertIsNone(self.tool("show", "1", "--json").json["git_commit"])
        self.git("init", "--quiet")
        self.git("add", "audits")
        self.git("commit", "--quiet", "--message", "definitions")
        self.run_ok("--again")
        commit = self.git("rev-parse", "HEAD")
        self.assertEqual(self.tool("show", "2", "--json").json["git_commit"], commit)
        self.assertIn(f"git commit {commit}", self.tool("show", "2").out)
        self.assertIn(f"| git commit | `{commit}` |", self.export("--format", "markdown", run="2"))
        self.git("pack-refs", "--all")
        self.git("worktree", "add", "--quiet", "other", "-b", "side")
        self.git("-C", "other", "commit", "--quiet", "--allow-empty", "--message", "later")
        self.run_ok("--again", "--dir", "other/audits")
        self.assertEqual(self.tool("show", "3", "--json").json["git_commit"], self.git("rev-parse", "side"))


class CsvOnSqlite(CsvTests, SqliteCase):
    pass


class CsvOnPostgres(CsvTests, PostgresCase):
    pass


class JsonOnSqlite(JsonTests, SqliteCase):
    tenth = "0.10000000000000001"


class JsonOnPostgres(JsonTests, PostgresCase):
    tenth = '"0.10000000000000000"'


class MarkdownOnSqlite(MarkdownTests, SqliteCase):
    pass


class MarkdownOnPostgres(MarkdownTests, PostgresCase):
    pass


class SpecialRunOnSqlite(SpecialRunTests, SqliteCase):
    pass


class SpecialRunOnPostgres(SpecialRunTests, PostgresCase):
    pass


class RefusalOnSqlite(RefusalTests, SqliteCase):
    pass


class GitOnSqlite(GitTests, SqliteCase):
    pass


if __name__ == "__main__":
    unittest.main()
