"""The ledger asked in SQL: query, and the views that it and other programs read."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import unittest

from asking import COUNTING, LEDGER, AskCase
from databases import numbers
from support import DEADLINE, TOOL, PostgresCase, SqliteCase, small, wait_until


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
        started = self.start("query", f"{COUNTING} SELECT count(*) FROM n")
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
        self.database.execute("UPDATE users SET name = 'other' WHERE id = 2")
        self.assertEqual(self.tool("undo", "1").code, 1)
        self.database.execute("UPDATE users SET name = 'filled' WHERE id = 2")
        self.assertEqual(self.tool("undo", "1").code, 0)
        self.assertEqual(self.ledger("SELECT run_id, reverses_run, reversed_by FROM v_runs ORDER BY run_id"),
                         [(1, None, "3"), (2, 1, None), (3, 1, None)])
        text = self.tool("history", "--identifier", "1").out
        self.assertRegex(text, r"(?s)run 1 .* reversed by run 3\n.*run 3 .* reverses run 1\n")
        printed = self.tool("history", "--identifier", "1", "--json").json
        self.assertEqual([(entry["reverses_run"], entry["reversed_by"]) for entry in printed], [(None, "3"), (1, None)])

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


class ReadmeTests(AskCase, SqliteCase):
    def test_what_the_ledgers_readme_asks_can_be_asked(self):
        self.define(ticket="OPS-1")
        self.run_ok()
        with open(os.path.join(os.path.dirname(__file__), "../../src/record/ledger/README.md"), encoding="utf-8") as file:
            queries = re.search(r"```sql\n(.*?)```", file.read(), re.DOTALL)[1].split(";\n")
        self.assertGreater(len(queries), 5)
        for query in filter(str.strip, queries):
            with self.subTest(query):
                self.query(query)


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


class ViewOnSqlite(ViewTests, SqliteCase):
    pass


class ViewOnPostgres(ViewTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
