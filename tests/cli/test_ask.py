"""What is asked of the ledger months later: diff and history, what values cannot do to a terminal, and the pager."""

import contextlib
import csv
import glob
import io
import json
import os
import sqlite3
import subprocess
import unittest

from asking import COUNTING, LEDGER, AskCase
from support import DEADLINE, TOOL, PostgresCase, SqliteCase, small


class DiffTests(AskCase):
    def setUp(self):
        super().setUp()
        self.define(ticket="OPS-1")
        self.run_ok("--operator", "anna", *small(4))

    def test_every_changed_column_has_a_line(self):
        lines = self.diff().splitlines()
        self.assertRegex(lines[0], r"^run 1  done  \d{4}-.* fill  OPS-1  by anna on \S")
        self.assertEqual(lines[1], "9 updated")
        self.assertEqual(lines[3:6], ["users", "  identifier  action   column  before  after",
                                      "  1           updated  name    NULL    \"filled\""])
        self.assertEqual(len(lines), 5 + 9)

    def test_json_is_an_array_of_exact_rows(self):
        rows = json.loads(self.diff("--json"))
        self.assertEqual(rows[0], {"run": 1, "step": 1, "table": "users", "batch": "1", "identifier": "1",
                                   "new_identifier": None, "action": "updated", "changed": ["name"],
                                   "before": {"id": 1, "name": None}, "after": {"id": 1, "name": "filled"}})
        self.assertEqual([row["identifier"] for row in rows], [str(i) for i in range(1, 10)])

    def test_a_range_of_identifiers_goes_by_number(self):
        self.assertEqual(self.keys("--from", "2", "--to", "4"), ["2", "3", "4"])
        self.assertEqual(self.keys("--from", "8"), ["8", "9"])
        self.assertEqual(self.keys("--to", "1.5"), ["1"])
        self.run_ok("--again", definition=self.define(name="all", version="20260101000001",
                    pre="SELECT id, name FROM users WHERE :batch(id)",
                    change="UPDATE users SET name = 'x' WHERE :batch(id) RETURNING id, name"))
        self.assertEqual(self.keys("--from", "9", "--to", "11", run="2"), ["9", "10", "11"])

    def test_a_range_of_texts_goes_by_bytes(self):
        self.database.execute("CREATE TABLE tags (tag text PRIMARY KEY, n integer);"
                              "INSERT INTO tags VALUES ('10', 1), ('9', 1), ('a', 1), ('b', 1), ('é', 1),"
                              " ('2026-01-31', 1), ('2026-02-01', 1)")
        self.run_ok(definition=self.define(name="tags", version="20260101000001", table="tags", identifier="tag",
                    pre="SELECT tag, n FROM tags", change="UPDATE tags SET n = 2 RETURNING tag, n"))
        self.assertEqual(sorted(self.keys("--from", "a", "--to", "b", run="2")), ["a", "b"])
        self.assertEqual(sorted(self.keys("--from", "b", run="2")), ["b", "é"])
        self.assertEqual(sorted(self.keys("--to", "A", run="2")), ["10", "2026-01-31", "2026-02-01", "9"])
        self.assertEqual(self.keys("--from", "2026-02-01", "--to", "2026-12-31", run="2"), ["2026-02-01"])
        self.assertEqual(self.keys("--from", "9.5", "--to", "10.5", run="2"), ["10"])

    def test_one_row(self):
        self.assertEqual(self.keys("--identifier", "3"), ["3"])
        self.assertEqual(self.keys("--identifier", "33"), [])
        self.assertIn("no row to show", self.diff("--identifier", "33"))

    def test_a_limit(self):
        self.assertEqual(self.keys("--limit", "2"), ["1", "2"])
        self.assertIn("the first 2 rows: there may be more", self.diff("--limit", "2"))

    def test_a_run_is_named_by_uuid_or_version_too(self):
        uuid = self.ledger("SELECT uuid FROM runs")[0][0]
        self.assertEqual(self.diff(run=uuid[:8]), self.diff())
        self.assertEqual(self.diff(run="20260101000000"), self.diff())
        self.assert_failed(self.tool("diff", "99"), 2, "no run 99")

    def test_columns(self):
        self.define(name="both", version="20260101000001",
                    pre="SELECT id, name, note FROM users WHERE id < 3 AND :batch(id)",
                    change="UPDATE users SET name = 'x', note = CASE WHEN id = 2 THEN 'y' ELSE note END"
                           " WHERE id < 3 AND :batch(id) RETURNING id, name, note")
        self.run_ok(definition="both")
        self.assertEqual(self.keys("--column", "NOTE", run="2"), ["2"])
        (row,) = json.loads(self.diff("--column", "note", "--json", run="2"))
        self.assertEqual((row["before"], row["after"]), ({"note": "note 2"}, {"note": "y"}))
        self.assertEqual(self.keys("--column", "note", "--column", "name", run="2"), ["1", "2"])
        self.assert_failed(self.tool("diff", "2", "--column", "nmae"), 2, "run 2 has no column nmae", "name")

    def test_steps_tables_and_composite_keys(self):
        self.make_lines()
        text = self.diff(run="2")
        self.assertIn("2 updated, 1 inserted, 1 deleted", text)
        for title in ("\nlines, step 1 more\n", "\nlines, step 2 gone\n", "\nusers, step 3 new\n"):
            self.assertIn(title, text)
        self.assertRegex(text, r'(?m)^  \["8","y"\] +deleted +a +8\n +b +"y"\n +n +3$')
        self.assertRegex(text, r'(?m)^  40 +inserted +id +40\n +name +"late"$')
        self.assertEqual(self.keys("--table", "USERS", run="2"), ["40"])
        self.assertEqual(self.keys("--step", "gone", run="2"), ['["8","y"]'])
        self.assertEqual(self.keys("--step", "2", run="2"), ['["8","y"]'])
        self.assertEqual(self.keys("--action", "deleted", "--action", "inserted", run="2"), ['["8","y"]', "40"])
        for written in ('["7","q\\"r"]', '[7, "q\\"r"]'):
            self.assertEqual(self.keys("--identifier", written, run="2"), ['["7","q\\"r"]'])
        self.assert_failed(self.tool("diff", "2", "--step", "mroe"), 2, "no step mroe", "did you mean more?")
        self.assert_failed(self.tool("diff", "2", "--table", "orders"), 2, "no table orders")
        self.assert_failed(self.tool("diff", "2", "--from", "7"), 2, "a, b")

    def test_it_says_what_diff_csv_says(self):
        self.make_lines()
        for run in ("1", "2"):
            lines = []
            for path in sorted(glob.glob(self.path("audit-csv", "*", f"{run}-*", "*diff.csv"))):
                with open(path, encoding="utf-8", newline="") as file:
                    lines += [tuple(line[:3]) for line in csv.reader(file)][1:]
            rows = json.loads(self.diff("--json", run=run))
            self.assertEqual([(row["identifier"], row["action"], name) for row in rows for name in row["changed"]], lines)
            self.assertTrue(lines)

    def test_a_key_that_was_altered_is_found_by_both(self):
        self.define(name="move", version="20260101000001", pre="SELECT id, name FROM users WHERE id = 1",
                    change="UPDATE users SET id = 501 WHERE id = 1 RETURNING id, 1 AS was_id, name")
        self.run_ok(definition="move")
        self.assertRegex(self.diff(run="2"), r"(?m)^  1, now 501  updated  id +1 +501$")
        for key in ("1", "501"):
            self.assertEqual(self.keys("--identifier", key, run="2"), ["1"])
            result = self.tool("history", "--identifier", key).out
            self.assertIn("users updated, now 501", result)

    def test_rows_that_were_not_changed_are_asked_for(self):
        self.define(name="same", version="20260101000001",
                    pre="SELECT id, name FROM users WHERE id IN (1, 2, 10) AND :batch(id)",
                    change="UPDATE users SET name = 'filled' WHERE id IN (1, 2) AND :batch(id) RETURNING id, name")
        self.run_ok(definition="same")
        self.assertEqual(self.keys(run="2"), [])
        self.assertEqual(self.keys("--action", "unchanged", run="2"), ["1", "2"])
        self.assertEqual(self.keys("--action", "missing", run="2"), ["10"])
        (row,) = json.loads(self.diff("--action", "missing", "--json", run="2"))
        self.assertEqual((row["changed"], row["before"]), ([], row["after"]))

    def test_what_is_not_kept_is_said(self):
        self.define(name="keys", version="20260101000001", evidence="keys", pre="SELECT id, name FROM users WHERE id = 1",
                    change="UPDATE users SET name = 'z' WHERE id = 1 RETURNING id, name")
        self.run_ok(definition="keys")
        text = self.diff(run="2")
        self.assertIn("evidence keys: identifiers are kept, values are not", text)
        self.assertRegex(text, r"(?m)^  1 +updated$")
        self.define(name="try", version="20260101000002")
        self.database.execute("UPDATE users SET name = NULL WHERE id = 2")
        self.assertEqual(self.tool("run", "try", "--dry-run").code, 0)
        self.assertIn("it was a dry run", self.diff(run="3"))

    def test_a_pruned_run_says_so(self):
        with contextlib.closing(sqlite3.connect(self.path(LEDGER))) as ledger:
            ledger.executescript("DELETE FROM block; UPDATE runs SET pruned_at = '2027-01-01T00:00:00.000Z'")
        text = self.diff()
        self.assertIn("its values were pruned on 2027-01-01", text)
        self.assertIn("no row to show", text)
        self.assertEqual(json.loads(self.diff("--json")), [])
        self.assertEqual(self.ledger("SELECT pruned_at, rows_changed FROM v_runs"), [("2027-01-01T00:00:00.000Z", 9)])


class HistoryTests(AskCase):
    def test_over_runs_tables_and_keys(self):
        self.make_lines()
        self.define(ticket="OPS-8")
        self.run_ok()
        self.define(name="places", version="20260101000004", ticket="OPS-9", table="lines", identifier="n",
                    pre="SELECT n, b FROM lines WHERE n = 3",
                    change="UPDATE lines SET b = 'z' WHERE n = 3 RETURNING n, b")
        self.run_ok(definition="places")

        def found(*flags):
            entries = self.tool("history", "--json", *flags).json
            return [(entry["run"], entry["ticket"], entry["table"], entry["action"]) for entry in entries]
        users, lines = (2, "OPS-8", "users", "updated"), (3, "OPS-9", "lines", "updated")
        self.assertEqual(found("--identifier", "3"), [users, lines])
        self.assertEqual(found("--identifier", "3", "--table", "Lines"), [lines])
        for written in ('["8","y"]', '[8, "y"]', '["8" , "y"]'):
            self.assertEqual(found("--identifier", written), [(1, "OPS-7", "lines", "deleted")])
        self.assertEqual(self.tool("history", "--identifier", '["8","n"]').out, "nothing is recorded of that row\n")


class HostileValueTests(AskCase):
    """Values are the database's, not the operator's: nothing in them acts on the terminal."""

    def setUp(self):
        super().setUp()
        self.database.execute(f"""
            UPDATE users SET name = {self.chr(27)} || '[2J' || {self.chr(10)} || 'a' || {self.chr(9)} || 'b' WHERE id = 1;
            UPDATE users SET name = 'x' || {self.chr(0x202e)} || 'y' || {self.chr(0x9b)} || '2J' WHERE id = 2;
            UPDATE users SET name = '日本語' WHERE id = 3;
            UPDATE users SET name = 'e' || {self.chr(0x301)} WHERE id = 4;
            UPDATE users SET name = '{'long ' * 100}' WHERE id = 5;""")
        self.define(pre="SELECT id, name, note FROM users WHERE id < 6 AND :batch(id)",
                    change="UPDATE users SET note = name WHERE id < 6 AND :batch(id) RETURNING id, name, note")
        self.run_ok()

    def assert_harmless(self, text):
        for mark in ("\x1b[2J", "\t", "\u202e", "\x9b"):
            self.assertNotIn(mark, text)

    def test_in_diff_and_history(self):
        text = self.diff()
        self.assert_harmless(text)
        self.assertIn(r'"\x1b[2J\na\tb"', text)
        self.assertIn(r'"x\u202ey\u009b2J"', text)
        self.assert_harmless(self.tool("history", "--identifier", "1").out)

    def test_in_a_query(self):
        for sql in ("SELECT after FROM v_changes", "SELECT after FROM changes"):
            for form in ("table", "markdown"):
                self.assert_harmless(self.query(sql, "--format", form))
            for form in ("table", "csv", "json", "ndjson", "markdown"):
                shown = self.on_terminal("query", sql, "--format", form, "--no-pager").out
                self.assert_harmless(shown.replace("\r\n", "\n"))

    def test_csv_and_json_in_a_file_have_them_exactly(self):
        values = [row[0] for row in csv.reader(io.StringIO(self.query(
            "SELECT after FROM v_changes WHERE run_id = 1 ORDER BY change_id", "--format", "csv"), newline=""))][1:]
        self.assertEqual(values[0], "\x1b[2J\na\tb")
        self.assertEqual(values[1], "x\u202ey\u009b2J")
        self.assertEqual(json.loads(self.diff("--json"))[0]["after"]["note"], "\x1b[2J\na\tb")

    def test_columns_are_aligned_by_what_a_terminal_shows(self):
        lines = [line for line in self.diff("--from", "3", "--to", "4").splitlines() if "updated" in line][1:]
        self.assertEqual(lines, ['  3           updated  note    "note 3"  "日本語"',
                                 '  4           updated  note    "note 4"  "e\u0301"'])
        table = self.query("SELECT after, 1 AS n FROM v_changes WHERE identifier IN ('3', '4') ORDER BY change_id")
        self.assertEqual(table, "after   n\n日本語  1\ne\u0301       1\n")

    def test_long_values_are_cut_unless_they_are_wanted(self):
        for command in (["diff", "1", "--identifier", "5"], ["history", "--identifier", "5"],
                        ["query", "SELECT after FROM v_changes WHERE identifier = '5'"]):
            cut, full = self.tool(*command).out, self.tool(*command, "--full").out
            self.assertRegex(cut, r"long l?o?n?g? ?…")
            self.assertNotIn("long " * 20, cut)
            self.assertIn("long " * 99, full)


class TerminalTests(AskCase, SqliteCase):
    def setUp(self):
        super().setUp()
        self.define()
        self.run_ok()

    def test_colour_is_for_terminals(self):
        commands = (["diff", "1"], ["history", "--identifier", "1"], ["query", "SELECT NULL"])
        for command in commands:
            self.assertNotIn("\x1b", self.tool(*command, TERM="xterm").out)
            self.assertIn("\x1b[", self.tool(*command, "--color", "always").out)
            self.assertIn("\x1b[", self.on_terminal(*command, "--no-pager").out)
            self.assertNotIn("\x1b[", self.on_terminal(*command, "--no-pager", NO_COLOR="1").out)
            self.assertNotIn("\x1b[", self.on_terminal(*command, "--no-pager", "--color", "never").out)
            self.assertNotIn("\x1b[", self.on_terminal(*command, "--no-pager", TERM="dumb").out)

    def test_the_pager(self):
        shown = self.on_terminal("diff", "1", DATACHANGE_PAGER="sed s/^/mine:/", PAGER="sed s/^/other:/").out
        self.assertIn("mine:", shown)
        self.assertIn("other:", self.on_terminal("diff", "1", PAGER="sed s/^/other:/").out)
        self.assertNotIn("other:", self.on_terminal("diff", "1", "--no-pager", PAGER="sed s/^/other:/").out)
        self.assertNotIn("other:", self.on_terminal("diff", "1", DATACHANGE_PAGER="cat", PAGER="sed s/^/other:/").out)
        self.assertNotIn("other:", self.tool("diff", "1", PAGER="sed s/^/other:/").out)

    def test_without_less_it_is_printed(self):
        bare = self.path("bin")
        os.mkdir(bare)
        for name in ("sh", "cat"):
            os.symlink(f"/bin/{name}", os.path.join(bare, name))
        self.assertIn("by ", self.on_terminal("diff", "1", PATH=bare, PAGER=None).out)

    def test_an_error_does_not_end_in_the_pager(self):
        result = self.on_terminal("diff", "99", PAGER="sed s/^/paged:/")
        self.assertEqual(result.code, 2)
        self.assertNotIn("paged:", result.out)

    def test_a_pager_that_is_left_early(self):
        result = self.on_terminal("query", f"{COUNTING} SELECT i FROM n", PAGER="head -n 3", NO_COLOR="1")
        self.assertEqual((result.code, result.out.split()), (0, ["i", "1", "2"]))

    def test_ctrl_c_is_the_pagers(self):
        result = self.on_terminal("query", f"{COUNTING} SELECT i FROM n", interrupt=True,
                                  PAGER="trap '' INT; cat; echo left the pager")
        self.assertEqual(result.code, 3)
        self.assertRegex(result.out, r"(?s)left the pager\r\n.*the query was stopped")

    def test_a_closed_pipe(self):
        for flags in (["diff", "1"], ["diff", "1", "--json"], ["history", "--identifier", "1"],
                      ["query", f"{COUNTING} SELECT i FROM n"]):
            with self.subTest(flags):
                reader, writer = os.pipe()
                os.close(reader)
                with os.fdopen(writer, "wb") as pipe:
                    done = subprocess.run([TOOL, *flags], cwd=self.folder, env=self.environment(), stdout=pipe,
                                          stderr=subprocess.PIPE, timeout=DEADLINE, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_a_full_disk_is_an_error(self):
        for command in ("diff 1", "query 'SELECT 1'"):
            done = subprocess.run(f"exec {TOOL} {command} > /dev/full", shell=True, cwd=self.folder, timeout=DEADLINE,
                                  env=self.environment(), stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"the result cannot be written: No space left on device", done.stderr)


class NulTests(AskCase, SqliteCase):
    def test_a_text_with_a_nul_byte_is_shown_whole(self):
        self.database.execute("UPDATE users SET note = 'a' || char(0) || 'b' WHERE id = 1")
        self.define(pre="SELECT id, note FROM users WHERE id = 1",
                    change="UPDATE users SET note = note || 'c' WHERE id = 1 RETURNING id, note")
        self.run_ok()
        self.assertRegex(self.diff(), r"note +text 610062 +text 61006263\n")
        self.assertEqual(self.query("SELECT before, after FROM v_changes", "--format", "csv"),
                         "before,after\n\\x610062,\\x61006263\n")


class DiffOnSqlite(DiffTests, SqliteCase):
    pass


class DiffOnPostgres(DiffTests, PostgresCase):
    pass


class HistoryOnSqlite(HistoryTests, SqliteCase):
    pass


class HistoryOnPostgres(HistoryTests, PostgresCase):
    pass


class HostileValueOnSqlite(HostileValueTests, SqliteCase):
    pass


class HostileValueOnPostgres(HostileValueTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
