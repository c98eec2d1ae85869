"""What can be asked later: status, runs, show, history; and the help."""

import os
import unittest

from support import PostgresCase, SqliteCase, small

COMMANDS = ("new", "init", "check", "run", "status", "runs", "show", "history", "diff", "query", "export", "verify")


class StatusTests:
    def setUp(self):
        super().setUp()
        self.make_users()

    def states(self):
        return {line["name"]: line["state"] for line in self.tool("status", "--json").json["definitions"]}

    def test_pending_then_done(self):
        self.define()
        self.define(name="later", version="20260101000001")
        result = self.tool("status")
        self.assertEqual(result.code, 0, result)
        self.assertRegex(result.out, r"(?m)^20260101000000 +fill +pending$")
        self.assertEqual(self.tool("status", "--exit-code").code, 3)
        self.run_ok("--operator", "anna")
        self.assertRegex(self.tool("status").out, r"(?m)^20260101000000 +fill +done +3 +\d{4}-\d\d-\d\d.* anna$")
        self.assertEqual(self.states(), {"fill": "done", "later": "pending"})
        self.assertEqual(self.tool("status", "--exit-code").code, 3)
        self.run_ok(definition="later")
        self.assertEqual(self.tool("status", "--exit-code").code, 0)

    def test_the_fields_of_json(self):
        self.define()
        uuid = self.run_ok("--operator", "anna")["uuid"]
        printed = self.tool("status", "--json").json
        self.assertIn(":", printed["target"])
        self.assertEqual(printed["runs_elsewhere"], 0)
        (line,) = printed["definitions"]
        self.assertTrue(line.pop("finished_at"))
        self.assertEqual(line,
                         {"version": "20260101000000", "name": "fill", "state": "done", "file": True,
                          "path": "audits/20260101000000_fill.sql",
                                "runs": 1, "rows_changed": 3, "operator": "anna", "uuid": uuid,
                                "undone_by": None, "reason": None, "kind": "data"})

    def test_a_version_whose_file_is_gone(self):
        self.define()
        self.run_ok()
        os.remove(self.path("audits/20260101000000_fill.sql"))
        result = self.tool("status")
        self.assertRegex(result.out, r"(?m)^20260101000000 +\*\*\*\*\* NO FILE \*\*\*\*\* \(fill\) +done")
        (line,) = self.tool("status", "--json").json["definitions"]
        self.assertEqual((line["file"], line["path"], line["state"]), (False, None, "done"))
        self.assertEqual(self.tool("status", "--exit-code").code, 0)

    def test_an_edited_definition(self):
        self.define()
        self.run_ok()
        self.define(ticket="OPS-2")
        self.assertEqual(self.states(), {"fill": "edited"})
        self.assertEqual(self.tool("status", "--exit-code").code, 0)

    def test_a_failed_run(self):
        self.define(expect_rows="100..")
        self.refused(1, "expect-rows")
        self.assertEqual(self.states(), {"fill": "failed"})
        self.assertEqual(self.tool("status", "--exit-code").code, 3)

    def test_runs_that_another_ledger_has(self):
        self.define()
        self.run_ok()
        result = self.tool("status", "--ledger", "other.db")
        self.assertIn("1 run of the journal is not in this ledger", result.out)
        self.assertEqual(self.tool("status", "--ledger", "other.db", "--json").json["runs_elsewhere"], 1)
        self.assertFalse(os.path.exists(self.path("other.db")))

    def test_no_definitions(self):
        os.mkdir(self.path("audits"))
        self.assertIn("no definitions", self.tool("status").out)

    def test_a_folder_that_is_not_there(self):
        self.assert_failed(self.tool("status"), 2, "no such folder of definitions: audits")


class LedgerReportTests:
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define(ticket="OPS-1")
        self.first = self.run_ok("--operator", "anna", *small(2))
        self.define(name="shout", version="20260101000001", ticket="OPS-2",
                    pre="SELECT id, name FROM users WHERE :batch(id)",
                    change="UPDATE users SET name = upper(name) WHERE :batch(id) RETURNING id, name")
        self.second = self.run_ok("--operator", "bert", definition="shout")

    def test_runs_lists_the_newest_first(self):
        lines = self.tool("runs").out.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["run", "2", "1"])
        self.assertIn("shout", lines[1])
        self.assertIn("batched", lines[2])
        printed = self.tool("runs", "--json").json
        self.assertEqual([(run["run"], run["name"], run["state"], run["rows_changed"], run["operator"],
                           run["ticket"]) for run in printed],
                         [(2, "shout", "done", 5, "bert", "OPS-2"), (1, "fill", "done", 3, "anna", "OPS-1")])

    def test_runs_may_be_narrowed(self):
        def runs(*flags):
            return [run["run"] for run in self.tool("runs", "--json", *flags).json]
        self.assertEqual(runs("--limit", "1"), [2])
        self.assertEqual(runs("--version", "20260101000000"), [1])
        self.assertEqual(runs("--version", "20990101000000"), [])
        self.assertEqual(runs("--limit", "0"), [2, 1])

    def test_show_by_number_and_by_uuid(self):
        for name in ("1", self.first["uuid"], self.first["uuid"][:8], self.first["uuid"][:9].upper()):
            with self.subTest(name):
                printed = self.tool("show", name, "--json").json
                self.assertEqual((printed["run"], printed["uuid"]), (1, self.first["uuid"]))

    def test_show_has_everything(self):
        printed = self.tool("show", "1", "--json").json
        with open(self.path("audits/20260101000000_fill.sql"), encoding="utf-8") as file:
            self.assertEqual(printed["definition"], file.read())
        self.assertEqual((printed["mode"], printed["state"], printed["operator"], printed["ticket"],
                          printed["rows_changed"]),
                         ("batched", "done", "anna", "OPS-1", 3))
        (step,) = printed["steps"]
        self.assertEqual((step["table"], step["identifier"], step["evidence"]), ("users", "id", "full"))
        self.assertEqual([(batch["batch"], batch["lower_key"], batch["upper_key"],
                           batch["rows"]["updated"]) for batch in printed["batches"]],
                         [("1", None, [2], 2), ("2", [2], [3], 1)])
        self.assertEqual({file["name"] for file in printed["files"]}, {"pre.csv", "change.csv", "post.csv", "diff.csv"})
        text = self.tool("show", "1").out
        for word in (f"run 1 ({self.first['uuid']}) done", "OPS-1", "anna on ", "batched", "step 1: users by id",
                     "3 updated"):
            self.assertIn(word, text)

    def test_a_run_that_is_not_there(self):
        self.assert_failed(self.tool("show", "99"), 2, "no run 99 in the ledger", "datachange runs")
        self.assert_failed(self.tool("show", "zz"), 2, "no run zz")

    def test_the_history_of_a_row(self):
        entries = self.tool("history", "--table", "users", "--identifier", "2", "--json").json
        fields = ("run", "name", "ticket", "operator", "table", "identifier", "action", "before", "after", "batch")
        self.assertEqual([tuple(entry[field] for field in fields) for entry in entries],
                         [(1, "fill", "OPS-1", "anna", "users", "2", "updated", {"id": 2, "name": None},
                           {"id": 2, "name": "filled"}, "1"),
                          (2, "shout", "OPS-2", "bert", "users", "2", "updated", {"id": 2, "name": "filled"},
                           {"id": 2, "name": "FILLED"}, "1")])

    def test_the_history_of_a_row_as_text(self):
        text = self.tool("history", "--table", "users", "--identifier", "2").out
        self.assertRegex(text,
                         r'(?s)run 1 .*OPS-1.*by anna +users updated.*name +NULL +"filled".*run 2 .*by bert.*name'
                         r' +"filled" +"FILLED"')

    def test_the_history_as_text_has_what_differs_and_nothing_else(self):
        self.define(name="odd", version="20260101000002",
                    pre="SELECT id, NAME, length(name) AS size FROM users WHERE id = 2 AND :batch(id)",
                    change="UPDATE users SET name = 'x', note = 'y' WHERE id = 2 AND :batch(id) RETURNING id, name",
                    post="SELECT id, name, note FROM users WHERE :affected(id)")
        self.run_ok(definition="odd")
        lines = self.tool("history", "--identifier", "2").out.splitlines()[-2:]
        self.assertEqual(lines[0].split(), ["column", "before", "after"])
        self.assertEqual([lines[1].split()[0].lower(), *lines[1].split()[1:]], ["name", '"FILLED"', '"x"'])

    def test_the_history_of_a_row_that_no_run_has_seen(self):
        result = self.tool("history", "--identifier", "77")
        self.assertEqual((result.code, result.out), (0, "nothing is recorded of that row\n"), result)
        self.assertEqual(self.tool("history", "--identifier", "77", "--json").json, [])
        self.assertEqual(self.tool("history", "--table", "orders", "--identifier", "2", "--json").json, [])

    def test_a_table_may_be_named_with_its_schema_or_in_quotes(self):
        for name in ("USERS", '"users"', "public.users"):
            with self.subTest(name):
                self.assertEqual(len(self.tool("history", "--table", name, "--identifier", "2", "--json").json), 2)

    def test_values_cannot_move_the_cursor_of_a_terminal(self):
        escape = "chr(27)" if self.engine == "postgresql" else "char(27)"
        self.database.execute(f"UPDATE users SET name = 'a' || {escape} || '[2Jb' WHERE id = 1")
        self.run_ok("--again", definition="shout")
        text = self.tool("history", "--identifier", "1").out
        self.assertNotIn("\x1b", text)
        self.assertIn("[2J", text)

    def test_reading_leaves_the_ledger_as_it_is(self):
        with open(self.path("datachange-ledger.db"), "rb") as file:
            before = file.read()
        for command in (["runs"], ["show", "1"], ["history", "--identifier", "2"], ["status"],
                        ["diff", "1"], ["query", "SELECT * FROM v_changes"]):
            self.tool(*command)
        with open(self.path("datachange-ledger.db"), "rb") as file:
            self.assertEqual(file.read(), before)


class HelpTests(SqliteCase):
    """Needs no database."""

    def test_every_command_has_help_with_an_example(self):
        for command in COMMANDS:
            with self.subTest(command):
                result = self.tool(command, "--help", DATABASE_URL=None)
                self.assertEqual((result.code, result.err), (0, ""), result)
                self.assertRegex(result.out, rf"(?m)^Example:\n +datachange {command}\b")

    def test_the_help_of_all(self):
        for flag in ("--help", "-h"):
            result = self.tool(flag)
            self.assertEqual((result.code, result.err), (0, ""), result)
            for word in (*COMMANDS, "Exit status: 0 done"):
                self.assertIn(word, result.out)

    def test_the_version(self):
        result = self.tool("--version")
        self.assertEqual(result.code, 0, result)
        self.assertRegex(result.out, r"^datachange \d+\.\d+\.\d+\n$")

    def test_an_unknown_command(self):
        for word, meant in (("stats", "status"), ("rum", "run"), ("histry", "history"), ("shows", "show")):
            with self.subTest(word):
                result = self.tool(word)
                self.assertEqual((result.code, result.out), (2, ""), result)
                self.assertIn(f"did you mean {meant}?", result.err)
                self.assertIn(word, result.err)

    def test_no_command(self):
        result = self.tool()
        self.assertEqual((result.code, result.out), (2, ""), result)
        self.assertIn("datachange --help", result.err)

    def test_arguments_that_are_missing_or_too_many(self):
        for arguments in (["run"], ["show"], ["history"], ["run", "a", "b"], ["runs", "--limit", "few"], ["new"]):
            with self.subTest(arguments):
                result = self.tool(*arguments)
                self.assertEqual((result.code, result.out), (2, ""), result)
                self.assertIn(f"see datachange {arguments[0]} --help", result.err)


class StatusOnSqlite(StatusTests, SqliteCase):
    pass


class StatusOnPostgres(StatusTests, PostgresCase):
    pass


class LedgerReportOnSqlite(LedgerReportTests, SqliteCase):
    pass


class LedgerReportOnPostgres(LedgerReportTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
