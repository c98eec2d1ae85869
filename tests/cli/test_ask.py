"""What is asked of the ledger months later: diff, history, query, and the views that they and others read."""

import contextlib
import csv
import io
import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import time
import unittest

from databases import numbers
from support import DEADLINE, TOOL, PostgresCase, Result, SqliteCase, small, wait_until

LEDGER = "datachange-ledger.db"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
LINES = """-- ticket: OPS-7
-- audit:step more
-- table: lines
-- identifier: a, b
-- audit:pre
SELECT a, b, n FROM lines WHERE a = 7;
-- audit:change
UPDATE lines SET n = n + 1 WHERE a = 7 RETURNING a, b, n;
-- audit:step gone
-- table: lines
-- identifier: a, b
-- audit:pre
SELECT a, b, n FROM lines WHERE a = 8;
-- audit:change
DELETE FROM lines WHERE a = 8 RETURNING a, b, n;
-- audit:step new
-- table: users
-- identifier: id
-- audit:pre
SELECT id, name FROM users WHERE id = 40;
-- audit:change
INSERT INTO users (id, name) VALUES (40, 'late') RETURNING id, name;
"""


class AskCase:
    """Users 1 to 12, of whom 1 to 9 have no name; a run of its own for each test."""

    def setUp(self):
        super().setUp()
        self.make_users(12, 3)

    def chr(self, code):
        return f"{'chr' if self.engine == 'postgresql' else 'char'}({code})"

    def make_lines(self):
        self.database.execute("CREATE TABLE lines (a integer, b text, n integer, PRIMARY KEY (a, b));"
                              "INSERT INTO lines VALUES (7, 'x', 1), (7, 'q\"r', 2), (8, 'y', 3)")
        self.define(LINES, name="lines", version="20260101000003")
        self.run_ok(definition="lines")

    def diff(self, *flags, run="1"):
        result = self.tool("diff", run, *flags)
        self.assertEqual((result.code, result.err), (0, ""), result)
        return result.out

    def keys(self, *flags, run="1"):
        return [row["identifier"] for row in json.loads(self.diff("--json", *flags, run=run))]

    def query(self, sql, *flags):
        result = self.tool("query", sql, *flags)
        self.assertEqual((result.code, result.err), (0, ""), result)
        return result.out

    def on_terminal(self, *arguments, keys=b"", **variables):
        """Runs the tool on a terminal of 80 columns. @return what the terminal got"""
        controller, terminal = pty.openpty()
        environment = self.environment(**{"TERM": "xterm", "COLUMNS": None, "LINES": None, **variables})
        with contextlib.closing(os.fdopen(controller, "rb", buffering=0)) as screen:
            process = subprocess.Popen([TOOL, *arguments], cwd=self.folder, env=environment, stdin=terminal,
                                       stdout=terminal, stderr=terminal, start_new_session=True)
            os.close(terminal)
            os.write(controller, keys)
            shown = self.read_all(screen)
            return Result(process.wait(timeout=DEADLINE), shown.decode(), "")

    def read_all(self, screen):
        shown = b""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and select.select([screen], [], [], DEADLINE)[0]:
            try:
                piece = screen.read(65536)
            except OSError:  # Linux: the last of the other side has closed
                return shown
            if not piece:
                return shown
            shown += piece
        raise AssertionError(f"the terminal is still open: {shown!r}")


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
                              "INSERT INTO tags VALUES ('10', 1), ('9', 1), ('a', 1), ('b', 1), ('é', 1)")
        self.run_ok(definition=self.define(name="tags", version="20260101000001", table="tags", identifier="tag",
                    pre="SELECT tag, n FROM tags", change="UPDATE tags SET n = 2 RETURNING tag, n"))
        self.assertEqual(sorted(self.keys("--from", "a", "--to", "b", run="2")), ["a", "b"])
        self.assertEqual(sorted(self.keys("--from", "b", run="2")), ["b", "é"])
        self.assertEqual(sorted(self.keys("--to", "A", run="2")), ["10", "9"])

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
        result = self.on_terminal("query", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                                  " SELECT i FROM n", PAGER="head -n 3", NO_COLOR="1")
        self.assertEqual((result.code, result.out.split()), (0, ["i", "1", "2"]))

    def test_a_closed_pipe(self):
        for flags in (["diff", "1"], ["diff", "1", "--json"], ["history", "--identifier", "1"],
                      ["query", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"]):
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


class QueryTests(AskCase, SqliteCase):
    def setUp(self):
        super().setUp()
        self.define(ticket="OPS-1")
        self.run_ok("--operator", "anna")

    def test_formats(self):
        sql = ("SELECT 1 AS i, 0.1 AS r, 3.0 AS w, 'a,\"b' AS t, '' AS e, NULL AS n, x'00ff' AS b,"
               " CAST(x'6100' AS TEXT) AS z, 'p|<q' AS m")
        self.assertEqual(self.query(sql, "--format", "csv"),
                         'i,r,w,t,e,n,b,z,m\n1,0.1,3.0,"a,""b","",,\\x00ff,\\x6100,p|<q\n')
        row = {"i": 1, "r": 0.1, "w": 3.0, "t": 'a,"b', "e": "", "n": None, "b": {"$blob": "00ff"},
               "z": {"$text": "6100"}, "m": "p|<q"}
        self.assertEqual(json.loads(self.query(sql, "--format", "json")), [row])
        self.assertEqual(json.loads(self.query(sql, "--json")), [row])
        self.assertEqual([json.loads(line) for line in self.query(sql, "--format", "ndjson").splitlines()], [row])
        self.assertEqual(self.query(sql), "i  r    w    t     e  n     b        z      m\n"
                                          "1  0.1  3.0  a,\"b     NULL  x'00ff'  a\\x00  p|<q\n")
        self.assertEqual(self.query("SELECT 'p|<q\n&' AS m, NULL AS n", "--format", "markdown"),
                         "| m | n |\n| --- | --- |\n| p\\|&lt;q\\\\n&amp; | NULL |\n")

    def test_no_rows(self):
        for form, text in (("table", "run_id\n"), ("csv", "run_id\n"), ("json", "[]\n"), ("ndjson", "")):
            self.assertEqual(self.query("SELECT run_id FROM runs WHERE 0", "--format", form), text)

    def test_sql_comes_from_stdin_too(self):
        for arguments in (["query"], ["query", "-"]):
            done = subprocess.run([TOOL, *arguments], cwd=self.folder, env=self.environment(), timeout=DEADLINE,
                                  input=b"SELECT ticket -- of all\n FROM v_runs;\n", capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, b"ticket\nOPS-1\n"))
        self.assert_failed(self.tool("query"), 2, "the query is empty")

    def test_nothing_but_reading(self):
        before = self.ledger("SELECT * FROM runs")
        for sql in ("DELETE FROM runs", "UPDATE runs SET ticket = 'x' RETURNING 1", "INSERT INTO meta VALUES ('a', 'b')",
                    "CREATE TABLE x (a)", "CREATE TEMP TABLE x (a)", "DROP VIEW changes", "ALTER TABLE runs ADD x",
                    "ATTACH 'other.db' AS other", "VACUUM", "VACUUM INTO 'other.db'", "PRAGMA user_version = 9",
                    "PRAGMA query_only = OFF", "PRAGMA writable_schema = ON", "PRAGMA journal_mode = DELETE",
                    "PRAGMA wal_checkpoint", "BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT a", "REINDEX", "ANALYZE",
                    "SELECT load_extension('x')", "SELECT writefile('other.db', 'x')", "SELECT edit('x')",
                    "SELECT readfile('/etc/passwd')", "SELECT fts3_tokenizer('x', x'00')"):
            with self.subTest(sql):
                self.assert_failed(self.tool("query", sql), 2, "the query ")
        self.assertEqual(self.ledger("SELECT * FROM runs"), before)
        self.assertFalse(os.path.exists(self.path("other.db")))
        self.assertIn("ticket", self.query("PRAGMA table_info(runs)"))
        self.assertEqual(self.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n LIMIT 2) SELECT i FROM n"),
                         "i\n1\n2\n")

    def test_what_is_wrong_is_said(self):
        for sql, message in (("SELECT * FROM nope", "no such table: nope"), ("SELEC 1", 'near "SELEC"'),
                             ("SELECT 1; SELECT 2", "several statements"), ("-- nothing", "the query is empty"),
                             ("SELECT '[' -> '$'", "malformed JSON"),
                             ("SELECT abs(-9223372036854775808)", "integer overflow")):
            with self.subTest(sql):
                result = self.tool("query", sql, "--format", "ndjson")
                self.assert_failed(result, 2, message)
        self.assert_failed(self.tool("query", "SELECT 1 AS a, 2 AS a", "--format", "json"), 2, "two columns are named a")
        self.assertEqual(self.query("SELECT ';' AS a; /* the end */ ;", "--format", "csv"), "a\n;\n")

    def test_ctrl_c_ends_a_query(self):
        started = self.start("query", ENDLESS)
        ledger = os.path.realpath(self.path(LEDGER))

        def asking():
            folder = f"/proc/{started.process.pid}/fd"
            with contextlib.suppress(OSError):
                return ledger in [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
            return False
        wait_until(asking, "the query has opened the ledger")
        started.send(signal.SIGINT)
        result = started.finish()
        self.assert_failed(result, 3, "the query was stopped")

    def test_it_sees_what_a_run_has_recorded_up_to_now(self):
        self.database.execute(f"{numbers(4000)} INSERT INTO users SELECT i + 100, NULL, '' FROM n WHERE i > 0;")
        self.define(name="long", version="20260101000001")
        started = self.start("run", "long", *small(20), "--sleep", "20ms")

        def recorded():
            return self.query("SELECT count(*) AS n FROM changes WHERE run_id = 2", "--json")
        wait_until(lambda: json.loads(recorded())[0]["n"] > 0, "a batch is recorded")
        self.assertTrue(started.running)
        started.send(signal.SIGINT)
        started.finish()
        (row,) = json.loads(self.query("SELECT (SELECT count(*) FROM changes WHERE run_id = 2) AS seen, updated"
                                       " FROM runs WHERE run_id = 2", "--json"))
        self.assertEqual(row["seen"], row["updated"])


class ViewTests(AskCase):
    def setUp(self):
        super().setUp()
        self.define(ticket="OPS-1")
        self.run_ok("--operator", "anna", *small(4))

    def test_a_row_for_each_changed_column(self):
        self.make_lines()
        rows = self.ledger('SELECT run_id, ticket, table_name, identifier, action, "column", before, after, before_json,'
                           ' after_json FROM v_changes WHERE run_id = 2 ORDER BY change_id, "column"')
        self.assertEqual(rows, [
            (2, "OPS-7", "lines", '["7","q\\"r"]', "updated", "n", "2", "3", "2", "3"),
            (2, "OPS-7", "lines", '["7","x"]', "updated", "n", "1", "2", "1", "2"),
            (2, "OPS-7", "lines", '["8","y"]', "deleted", "a", "8", None, "8", None),
            (2, "OPS-7", "lines", '["8","y"]', "deleted", "b", "y", None, '"y"', None),
            (2, "OPS-7", "lines", '["8","y"]', "deleted", "n", "3", None, "3", None),
            (2, "OPS-7", "users", "40", "inserted", "id", None, "40", None, "40"),
            (2, "OPS-7", "users", "40", "inserted", "name", None, "late", None, '"late"')])

    def test_they_say_the_same_as_the_diff(self):
        self.make_lines()
        from_diff = [(row["run"], row["identifier"], name, (row["before"] or {}).get(name), (row["after"] or {}).get(name))
                     for run in ("1", "2") for row in json.loads(self.diff("--json", run=run)) for name in row["changed"]]
        from_view = [(run, key, name, before and json.loads(before), after and json.loads(after))
                     for run, key, name, before, after in self.ledger(
                         'SELECT run_id, identifier, "column", before_json, after_json FROM v_changes ORDER BY change_id')]
        self.assertEqual(sorted(from_view, key=repr), sorted(from_diff, key=repr))

    def test_the_history_of_a_row(self):
        self.run_ok("--again", "--operator", "bert", definition=self.define(
            name="shout", version="20260101000001", ticket="OPS-2", pre="SELECT id, name FROM users WHERE :batch(id)",
            change="UPDATE users SET name = upper(name) WHERE :batch(id) RETURNING id, name"))
        rows = self.ledger("SELECT run_id, ticket, operator, action, before ->> 'name', after ->> 'name' FROM"
                           " v_row_history WHERE table_name = 'users' AND identifier = '2' ORDER BY change_id")
        self.assertEqual(rows, [(1, "OPS-1", "anna", "updated", None, "filled"),
                                (2, "OPS-2", "bert", "updated", "filled", "FILLED")])
        printed = self.tool("history", "--table", "users", "--identifier", "2", "--json").json
        self.assertEqual([(entry["run"], entry["at"]) for entry in printed],
                         self.ledger("SELECT run_id, at FROM v_row_history WHERE identifier = '2' ORDER BY change_id"))

    def test_runs_for_people(self):
        self.assertEqual(self.tool("run", "fill", "--again", "--dry-run").code, 0)
        (row,) = self.ledger("SELECT run_id, ticket, operator, tables, state, rows_changed, updated, failures, evidence,"
                             " collateral_rows, reverses_run, reversed_by, seconds >= 0 FROM v_runs")
        self.assertEqual(row, (1, "OPS-1", "anna", "users", "done", 9, 9, 0, "full", 0, None, None, 1))

    def test_a_run_that_was_taken_back(self):
        self.database.execute("UPDATE users SET name = NULL WHERE id < 3")
        self.run_ok("--again")
        with contextlib.closing(sqlite3.connect(self.path(LEDGER))) as ledger:
            ledger.executescript("UPDATE runs SET reverses = (SELECT uuid FROM runs WHERE run_id = 1) WHERE run_id = 2")
        self.assertEqual(self.ledger("SELECT run_id, reverses_run, reversed_by FROM v_runs ORDER BY run_id"),
                         [(1, None, "2"), (2, 1, None)])
        text = self.tool("history", "--identifier", "1").out
        self.assertRegex(text, r"(?s)run 1 .* reversed by run 2\n.*run 2 .* reverses run 1\n")
        printed = self.tool("history", "--identifier", "1", "--json").json
        self.assertEqual([(entry["reverses_run"], entry["reversed_by"]) for entry in printed], [(None, "2"), (1, None)])

    def test_an_identifier_is_found_by_index(self):
        for view in ("v_changes", "v_row_history"):
            plan = [row[3] for row in self.ledger(
                f"EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE table_name = 'users' AND identifier = '2'")]
            self.assertRegex(plan[0], r"^SEARCH k USING INDEX block_identifiers \(lowest<\?\)", plan)
            self.assertEqual([step for step in plan if re.match(r"SCAN (k|b|r|s)\b", step)], [], plan)

    def test_redacted_values_read_as_such(self):
        digest = "ab" * 32
        with contextlib.closing(sqlite3.connect(self.path(LEDGER))) as ledger:
            ledger.execute("UPDATE block SET after = replace(after, '\"filled\"', ?)", (f'{{"$hmac":"{digest}"}}',))
            ledger.commit()
        self.assertEqual(self.ledger("SELECT after FROM v_changes WHERE identifier = '2'"), [(f"hmac:{digest}",)])
        self.assertIn("hmac abab", self.diff("--identifier", "2"))
        self.assertIn("hmac abab", self.tool("history", "--identifier", "2").out)


class DatasetteTests(AskCase, SqliteCase):
    def test_the_canned_queries_run(self):
        self.define(ticket="OPS-1")
        self.run_ok("--operator", "anna")
        with open(os.path.join(os.path.dirname(__file__), "../../samples/datasette-metadata.json"), encoding="utf-8") as file:
            database = json.load(file)["databases"]["datachange-ledger"]
        values = {"table_name": "users", "identifier": "2", "run_id": 1, "ticket": "OPS-1", "day": "2020-01-01"}
        with contextlib.closing(sqlite3.connect(f"file:{self.path(LEDGER)}?mode=ro", uri=True)) as ledger:
            ledger.row_factory = sqlite3.Row
            for name, query in database["queries"].items():
                with self.subTest(name):
                    wanted = set(re.findall(r":([a-z_]+)", query["sql"]))
                    self.assertEqual(wanted, set(query.get("params", [])))
                    rows = ledger.execute(query["sql"], {key: values[key] for key in wanted}).fetchall()
                    self.assertTrue(rows or query["title"].startswith("Rows that could not"), name)
            for table, described in database["tables"].items():
                with self.subTest(table):
                    columns = {row[1] for row in ledger.execute(f'PRAGMA table_info("{table}")')}
                    self.assertLessEqual(set(described.get("columns", {})) | set(described.get("units", {})), columns)
                    self.assertTrue(columns)


class DiffOnSqlite(DiffTests, SqliteCase):
    pass


class DiffOnPostgres(DiffTests, PostgresCase):
    pass


class HostileValueOnSqlite(HostileValueTests, SqliteCase):
    pass


class HostileValueOnPostgres(HostileValueTests, PostgresCase):
    pass


class ViewOnSqlite(ViewTests, SqliteCase):
    pass


class ViewOnPostgres(ViewTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
