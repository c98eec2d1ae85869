"""Runs that stopped: how they are named, go on, are tried again, are cancelled; and what is refused."""

import unittest

from databases import Sqlite
from support import VERSION, PostgresCase, SqliteCase, small


class Stopped:
    """A run over 9 rows in batches of 2 that stops at row 5, which violates a CHECK; 4 rows are changed by then."""

    def setUp(self):
        super().setUp()
        self.make_limits(self.database)
        self.define(table="limits", pre="SELECT id, name FROM limits WHERE name IS NULL AND :batch(id)",
                    change="UPDATE limits SET name = 'user ' || id WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.stop = self.tool("run", "fill", *small(2))

    def make_limits(self, database):
        database.execute("CREATE TABLE limits (id integer PRIMARY KEY, name text CHECK (name <> 'user 5'));"
                         + "".join(f"INSERT INTO limits (id) VALUES ({i});" for i in range(1, 10)))

    def mend(self):
        """The row that cannot be changed goes out of the way."""
        self.database.execute("UPDATE limits SET id = 15 WHERE id = 5")

    def uuid(self):
        return self.column("SELECT run_uuid FROM datachange_runs")[0]

    def names(self):
        return self.column("SELECT name FROM limits ORDER BY id")


class StoppedTests(Stopped):
    def test_the_message_names_the_row_and_the_way_on(self):
        self.assert_failed(self.stop, 6, "id 5 cannot be changed", "audits/20260101000000_fill.sql:", "2 batches",
                           "4 changed rows committed before", "datachange resume 1", "--on-error skip")
        self.assertEqual(self.journal(), [("failed", "4", "2")])
        failures = self.ledger("SELECT step, identifier, resolved_at FROM failures")
        self.assertEqual(failures, [(1, "5", None)])

    def test_it_goes_on_by_number_uuid_version_or_name(self):
        for name in ("1", self.uuid(), self.uuid()[:8], VERSION, "fill"):
            with self.subTest(name):
                self.assert_failed(self.tool("resume", name, "--workers", "1"), 6, "id 5 cannot be changed")
        self.assertEqual(self.journal(), [("failed", "4", "2")])

    def test_the_row_that_was_mended_is_changed_when_it_goes_on(self):
        self.database.execute("UPDATE limits SET id = 50 WHERE id = 5")
        self.database.execute("UPDATE limits SET id = 5 WHERE id = 6; UPDATE limits SET id = 6 WHERE id = 50")
        result = self.tool("resume", "1", "--on-error", "skip", "--json")
        self.assertEqual(result.code, 0, result)
        self.assertEqual([failure["identifier"] for failure in result.json["failures"]], ["5"])
        self.assertTrue(result.json["resumed"])
        self.assertEqual(result.json["rows"]["updated"], 8)
        self.assertEqual(len(self.changes()), 8)

    def test_failed_rows_are_tried_again_and_resolved(self):
        self.assertEqual(self.tool("resume", "1", "--on-error", "skip").code, 0)
        self.assertEqual(self.journal(), [("done", "8", self.journal()[0][2])])
        again = self.tool("retry", "1", "--json")
        self.assertEqual(again.code, 3, again)
        self.assertEqual([failure["identifier"] for failure in again.json["failures"]], ["5"])
        self.assertEqual(self.journal()[0][0], "done")
        self.allow_all()
        self.assertEqual(self.tool("retry", "1", "--json").json["rows"]["updated"], 9)
        self.assertEqual(self.names(), [f"user {i}" for i in range(1, 10)])
        self.assertEqual(self.ledger("SELECT count(*) FROM failures WHERE resolved_at IS NULL"), [(0,)])
        self.assert_failed(self.tool("retry", "1"), 1, "no failed row")
        self.assertEqual(self.journal()[0][:2], ("done", "9"))

    def test_failed_rows_of_a_key_list_are_tried_again(self):
        self.define(name="list", version="20260101000001", table="limits",
                    pre="SELECT id, name FROM limits WHERE name IS NULL",
                    change="UPDATE limits SET name = 'user ' || id WHERE :affected(id) RETURNING id, name")
        printed = self.run_ok("--on-error", "skip", *small(2), definition="list")
        self.assertEqual([failure["identifier"] for failure in printed["failures"]], ["5"])
        self.allow_all()
        again = self.tool("retry", str(printed["run"]), "--json")
        self.assertEqual((again.code, again.json["rows"]["updated"]), (0, 5), again)
        self.assertEqual(self.names(), [f"user {i}" for i in range(1, 10)])
        self.assertEqual(self.ledger("SELECT count(*) FROM spool"), [(0,)])

    def test_a_run_that_is_done_is_not_resumed(self):
        self.assertEqual(self.tool("resume", "1", "--on-error", "skip").code, 0)
        with self.nothing_changes():
            self.assert_failed(self.tool("resume", "1"), 1, "has ended: done", "datachange retry")

    def test_a_run_that_stopped_has_nothing_to_retry_yet(self):
        with self.nothing_changes():
            self.assert_failed(self.tool("retry", "1"), 1, "is failed, not done", "datachange resume")

    def test_cancel_ends_it_for_good(self):
        result = self.tool("cancel", "1", "--json")
        self.assertEqual((result.code, result.json["requested"]), (0, "cancel"), result)
        self.assertEqual(self.journal(), [("cancelled", "4", "2")])
        self.assertEqual(self.ledger("SELECT state, rows_changed FROM runs"), [("cancelled", 4)])
        self.assertEqual(len(self.csv_files()) > 0, True)
        with self.nothing_changes():
            self.assert_failed(self.tool("resume", "1"), 1, "has ended: cancelled")
            self.assert_failed(self.tool("run", "fill"), 1, "was cancelled after 2 batches", "--again")

    def test_cancel_without_the_definition_tells_the_target(self):
        self.define(table="limits", note="edited")
        self.assertEqual(self.tool("cancel", VERSION).code, 0)
        self.assertEqual(self.journal()[0][0], "cancelled")

    def test_an_edited_definition_does_not_go_on(self):
        self.define(table="limits", note="edited", pre="SELECT id, name FROM limits WHERE :batch(id)")
        with self.nothing_changes():
            for command in ("resume", "run"):
                self.assert_failed(self.tool(command, "fill"), 1, "has run with another definition", "then SHA-256")

    def test_there_is_nobody_to_pause(self):
        self.assert_failed(self.tool("pause", "1"), 1, "is failed: there is nothing to pause")

    def test_a_run_that_is_not_there(self):
        for name in ("7", "ffffffff", "20990101000000"):
            with self.subTest(name):
                self.assertEqual(self.tool("resume", name).code, 2)
                self.assertEqual(self.tool("pause", name).code, 2)

    def test_another_database_is_not_touched(self):
        other = self.new_other()
        before = other.dump()
        result = self.tool("resume", "1", DATABASE_URL=other.url)
        self.assert_failed(result, 1, "does not know of run", "--restored", "right database")
        self.assertEqual(other.dump(), before)

    def test_a_database_that_was_restored_gets_all_of_it_again(self):
        """Other rows than before, so that the evidence of both is told apart."""
        other = self.new_other()
        result = self.tool("resume", "1", "--restored", "--on-error", "skip", "--json", DATABASE_URL=other.url)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.json["lost_batches"], 2)
        self.assertEqual(result.json["rows"]["updated"], 8)
        states = self.ledger("SELECT state, sum(rows) FROM batches GROUP BY state ORDER BY state")
        self.assertEqual(states, [("committed", 8), ("lost", 4)])
        self.assertEqual(len(self.changes()), 8)

    def test_durations(self):
        for flag, value in (("--lock-timeout", "5 apples"), ("--sleep", "-1s"), ("--max-lag", "s"),
                            ("--statement-timeout", "1e9h"), ("--target-batch-time", "9999999h")):
            with self.subTest(flag):
                result = self.tool("resume", "1", f"{flag}={value}")
                self.assert_failed(result, 2, "500ms")
        for value in ("1", "1.5s", "2min", "1h", "250ms"):
            with self.subTest(value):
                self.assert_failed(self.tool("resume", "1", "--lock-timeout", value), 6, "id 5 cannot be changed")


class StoppedOnSqlite(StoppedTests, SqliteCase):
    def allow_all(self):
        self.database.execute("CREATE TABLE others AS SELECT * FROM limits; DROP TABLE limits;"
                              "CREATE TABLE limits (id integer PRIMARY KEY, name text);"
                              "INSERT INTO limits SELECT * FROM others; DROP TABLE others")

    def new_other(self):
        other = Sqlite(self.folder, "other.db")
        self.make_limits(other)
        return other


class StoppedOnPostgres(StoppedTests, PostgresCase):
    def allow_all(self):
        self.database.execute("ALTER TABLE limits DROP CONSTRAINT limits_name_check")

    def new_other(self):
        other = self.new_database()
        self.make_limits(other)
        return other


del StoppedTests

if __name__ == "__main__":
    unittest.main()
