"""A version runs once: the journal in the target refuses the second run, whoever starts it, and whenever."""

import re
import signal
import unittest

from support import PostgresCase, SqliteCase, small, wait_until



class SecondRunTests:
    def setUp(self):
        super().setUp()
        self.make_users()

    def unfill(self):
        self.database.execute("UPDATE users SET name = NULL WHERE id = 1")

    def test_a_second_run_is_refused(self):
        self.define()
        first = self.run_ok("--operator", "anna")
        self.unfill()
        self.refused(1, "version 20260101000000 has run already", first["uuid"][:8], "by anna", "--again")
        self.assertEqual(self.journal(), [("done", "3", "1")])

    def test_a_second_run_is_refused_whatever_the_ledger_knows(self):
        self.define()
        self.run_ok()
        self.unfill()
        self.refused(1, "has run already", flags=["--ledger", "other.db"])
        self.assertEqual(self.ledger("SELECT count(*) FROM runs", name="other.db"), [(0,)])

    def test_another_definition_runs(self):
        self.define()
        self.run_ok()
        self.unfill()
        self.define(name="fill_again", version="20260101000001")
        self.assertEqual(self.run_ok(definition="fill_again")["rows"]["updated"], 1)

    def test_again_runs_it_once_more(self):
        self.define()
        self.run_ok()
        self.unfill()
        again = self.run_ok("--again")
        self.assertEqual((again["run"], again["rows"]["updated"]), (2, 1))
        self.assertEqual(self.journal(), [("done", "3", "1"), ("done", "1", "1")])

    def test_a_repeatable_definition_runs_as_often_as_it_is_called(self):
        self.define(repeatable="yes")
        for _ in range(3):
            self.unfill()
            self.run_ok()
        self.assertEqual([state for state, _, _ in self.journal()], ["done"] * 3)

    def test_a_check_may_be_repeated(self):
        self.define(text="-- audit:verify\nSELECT id FROM users WHERE id < 0;\n")
        self.run_ok()
        self.assertEqual(self.run_ok()["rows"]["pre"], 0)
        self.database.execute("INSERT INTO users (id) VALUES (-1)")
        self.refused(1, "verify returned 1 row", '{"id":-1}')

    def test_a_definition_that_was_edited_after_it_ran(self):
        self.define()
        first = self.run_ok()
        before = self.ledger("SELECT definition_sha256 FROM runs")[0][0]
        self.unfill()
        self.define(ticket="OPS-9")
        result = self.refused(1, "has run with another definition", first["uuid"][:8], before, "--again")
        hashes = set(re.findall(r"\b[0-9a-f]{64}\b", result.err))
        self.assertEqual(len(hashes), 2)
        self.assertIn(before, hashes)

    def test_an_edited_definition_runs_again_if_told_so(self):
        self.define()
        self.run_ok()
        self.unfill()
        self.define(ticket="OPS-9")
        self.assertEqual(self.run_ok("--again")["rows"]["updated"], 1)
        self.assertEqual(len(set(self.ledger("SELECT definition_sha256 FROM runs"))), 2)

    def test_a_run_that_failed_and_left_nothing_may_be_repeated(self):
        self.define(expect_rows="4..")
        self.refused(1, "expect-rows")
        self.define(expect_rows="3..")
        self.assertEqual(self.run_ok()["rows"]["updated"], 3)
        self.assertEqual(self.journal(), [("failed", "0", "0"), ("done", "3", "1")])

    def test_a_run_that_left_some_batches_goes_on(self):
        self.database.execute("CREATE TABLE bad (id integer); INSERT INTO bad VALUES (3)")
        self.define(verify="SELECT id FROM bad")
        self.assert_failed(self.tool("run", "fill", *small(2)), 6, "verify", "committed before", "datachange resume 1")
        self.assert_failed(self.tool("run", "fill", *small(2)), 6, "verify", "committed before", "datachange resume 1")
        self.database.execute("DELETE FROM bad")
        printed = self.run_ok()
        self.assertEqual((printed["run"], printed["rows"]["updated"], printed["resumed"]), (1, 3, True))
        self.assertEqual(self.journal(), [("done", "3", "2")])

    def test_a_run_that_left_some_batches_is_begun_anew_if_told_so(self):
        self.database.execute("CREATE TABLE bad (id integer); INSERT INTO bad VALUES (3)")
        self.define(verify="SELECT id FROM bad")
        self.assert_failed(self.tool("run", "fill", *small(2)), 6, "verify", "committed before")
        self.unfill()
        self.database.execute("DELETE FROM bad")
        self.assertEqual(self.run_ok("--again")["rows"]["updated"], 1)
        self.assertEqual([state for state, _, _ in self.journal()], ["failed", "done"])

    def test_the_journal_says_who_ran_what(self):
        self.define(ticket="OPS-7")
        printed = self.run_ok("--operator", "anna", *small(2))
        run = self.database.rows("SELECT run_uuid, version, name, state, operator, ticket, rows_changed, definition_sha256"
                                 " FROM datachange_runs")
        digest = self.ledger("SELECT definition_sha256 FROM runs")[0][0]
        self.assertEqual(run, [(printed["uuid"], "20260101000000", "fill", "done", "anna", "OPS-7", "3", digest)])
        self.assertEqual(self.column("SELECT count(*) FROM datachange_runs WHERE started_at <= finished_at"), ["1"])
        batches = self.database.rows("SELECT step, batch, lower_key, upper_key, rows_changed, leaf FROM datachange_batches"
                                     " ORDER BY batch")
        ledger = self.ledger("SELECT step, batch, lower_key, upper_key, updated, leaf FROM batches ORDER BY batch")
        self.assertEqual(batches, [tuple(None if cell is None else str(cell) for cell in row) for row in ledger])
        self.assertEqual([row[2:5] for row in batches], [(None, "[2]", "2"), ("[2]", "[3]", "1")])


class ReadingTests:
    """Commands that look make nothing."""

    def test_looking_at_a_target_never_makes_a_journal_or_a_ledger(self):
        self.make_users()
        self.define()
        for command in (["status"], ["status", "--json"], ["check"], ["check", "fill", "--json"], ["init", "--print-sql"]):
            with self.subTest(command), self.nothing_changes():
                self.assertEqual(self.tool(*command).code, 0)
                self.assertFalse(self.has_journal())
                with self.assertRaises(Exception):
                    self.ledger("SELECT 1 FROM runs")

    def test_a_dry_run_never_makes_a_journal(self):
        self.make_users()
        self.define()
        self.run_ok("--dry-run")
        self.run_ok("--dry-run", *small(2))
        self.assertFalse(self.has_journal())

    def test_a_run_that_is_refused_before_it_begins_makes_no_journal(self):
        self.make_users()
        self.define(change="UPDATE users SET name = 'x' WHERE name IS NULL RETURNING id, name")
        self.refused(1, "cannot be batched", flags=["--batch-threshold", "1"])
        self.assertFalse(self.has_journal())


class SecondRunOnSqlite(SecondRunTests, SqliteCase):
    pass


class SecondRunOnPostgres(SecondRunTests, PostgresCase):
    pass


class ReadingOnSqlite(ReadingTests, SqliteCase):
    pass


class ReadingOnPostgres(ReadingTests, PostgresCase):
    pass


class TwoAtOnceOnPostgres(PostgresCase):
    """The first run waits for a lock of the test's own; meanwhile the second is started."""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.holder = self.session()
        self.holder.execute("BEGIN")
        self.holder.execute("SELECT * FROM users WHERE id = 2 FOR UPDATE")
        self.first = self.start("run", "fill", "--operator", "anna")
        self.wait_until_blocked()

    def refused_meanwhile(self, *flags, **variables):
        result = self.tool("run", "fill", "--operator", "bert", *flags, **variables)
        self.assert_failed(result, 3, "version 20260101000000 is being run by anna@", "wait for the other")
        self.assertTrue(self.first.running)

    def release(self):
        self.holder.execute("ROLLBACK")
        result = self.first.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.column("SELECT name FROM users WHERE id < 4"), ["filled"] * 3)

    def test_the_second_is_refused_and_told_who_holds_it(self):
        self.refused_meanwhile()
        self.refused_meanwhile("--ledger", "other.db", "--csv-dir", "other")
        self.release()
        self.assertEqual(self.journal(), [("done", "3", "1")])

    def test_again_does_not_get_past_a_run_that_goes_on(self):
        self.refused_meanwhile("--again")
        self.release()

    def test_status_shows_the_run_that_goes_on(self):
        (definition,) = self.tool("status", "--json").json["definitions"]
        self.assertEqual((definition["state"], definition["operator"]), ("processing", "anna"))
        self.assertEqual(self.tool("status", "--exit-code").code, 3)
        self.release()
        self.assertEqual(self.tool("status", "--exit-code").code, 0)

    def test_another_definition_may_run_beside(self):
        self.define(name="note", version="20260101000001", pre="SELECT id, note FROM users WHERE id = 5 AND :batch(id)",
                    change="UPDATE users SET note = 'x' WHERE id = 5 AND :batch(id) RETURNING id, note")
        self.assertEqual(self.run_ok(definition="note")["rows"]["updated"], 1)
        self.release()


class TwoAtOnceOnSqlite(SqliteCase):
    """The first run is stopped by a signal between two of its many batches; WAL lets others read meanwhile."""

    def test_the_second_is_refused_and_told_who_holds_it(self):
        self.make_users(count=400, named=0)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.define()
        first = self.start("run", "fill", "--operator", "anna", *small(1))
        wait_until(lambda: self.has_journal() and self.journal() and self.journal()[0][2] != "0",
                   "the first batch is committed")
        first.send(signal.SIGSTOP)
        self.assertEqual(self.journal()[0][0], "processing")
        for flags in ([], ["--again"]):
            result = self.tool("run", "fill", "--operator", "bert", "--ledger", "other.db", *flags)
            self.assert_failed(result, 3, "version 20260101000000 is being run by anna@", "wait for the other")
        self.assertEqual(self.tool("status", "--json", "--ledger", "other.db").json["definitions"][0]["state"],
                         "processing")
        first.send(signal.SIGCONT)
        result = first.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.journal(), [("done", "400", "400")])
        self.assertEqual(self.column("SELECT DISTINCT name FROM users"), ["filled"])


if __name__ == "__main__":
    unittest.main()
