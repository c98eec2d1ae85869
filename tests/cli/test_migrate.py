"""All that is pending, in order; what was done by hand; what deploy scripts ask."""

import json
import os
import unittest

from support import PostgresCase, SqliteCase, small, wait_until

FIRST, SECOND, THIRD = "20260101000000", "20260102000000", "20260103000000"


class MigrateTests:
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define(version=FIRST, name="names", change="UPDATE users SET name = 'first' WHERE name IS NULL AND :batch(id)"
                    " RETURNING id, name")
        self.define(version=SECOND, name="notes", pre="SELECT id, note FROM users WHERE name = 'first' AND :batch(id)",
                    change="UPDATE users SET note = 'second' WHERE name = 'first' AND :batch(id) RETURNING id, note")
        self.define(version=THIRD, name="more", pre="SELECT id, note FROM users WHERE note = 'second' AND :batch(id)",
                    change="UPDATE users SET note = 'third' WHERE note = 'second' AND :batch(id) RETURNING id, note")

    def break_second(self):
        """It cannot be prepared on the target, which only its turn shows."""
        self.define(version=SECOND, name="notes", pre="SELECT id, nothing FROM users WHERE :batch(id)",
                    change="UPDATE users SET note = 'x' WHERE :batch(id) RETURNING id, nothing")

    def states(self):
        return {line["version"]: line["state"] for line in self.tool("status", "--json").json["definitions"]}

    def migrate(self, *flags, code=0, **variables):
        result = self.tool("migrate", "--json", *flags, **variables)
        self.assertEqual(result.code, code, result)
        return result.json

    def versions_run(self, printed):
        return [run["version"] for run in printed["done"]]

    # --- order

    def test_all_that_is_pending_in_order(self):
        printed = self.migrate()
        self.assertEqual(self.versions_run(printed), [FIRST, SECOND, THIRD])
        self.assertEqual([run["rows"]["updated"] for run in printed["done"]], [3, 3, 3])
        self.assertEqual((printed["failed"], printed["not_run"]), (None, []))
        self.assertEqual(self.column("SELECT note FROM users ORDER BY id"), ["third"] * 3 + ["note 4", "note 5"])
        self.assertEqual(self.ledger("SELECT version FROM runs ORDER BY run_id"), [(FIRST,), (SECOND,), (THIRD,)])
        again = self.tool("migrate")
        self.assertEqual((again.code, again.out[:18]), (0, "nothing is pending"), again)

    def test_text_has_each_run_and_a_summary(self):
        result = self.tool("migrate")
        self.assertEqual(result.code, 0, result)
        self.assertEqual([line.split(":")[0] for line in result.out.splitlines() if line.startswith("run ")],
                         ["run 1 done", "run 2 done", "run 3 done"])
        self.assertIn("3 versions done on ", result.out.splitlines()[-1])
        self.assertIn("9 rows changed", result.out.splitlines()[-1])

    def test_to_only_and_step(self):
        self.assertEqual(self.versions_run(self.migrate("--step", "1")), [FIRST])
        self.assertEqual(self.versions_run(self.migrate("--to", "notes")), [SECOND])
        self.assertEqual(self.versions_run(self.migrate("--only", THIRD)), [THIRD])

    def test_only_goes_past_what_is_older(self):
        self.assertEqual(self.versions_run(self.migrate("--only", SECOND)), [SECOND])
        self.assertEqual(self.states(), {FIRST: "pending", SECOND: "done", THIRD: "pending"})

    def test_out_of_order(self):
        self.migrate("--only", SECOND)
        with self.nothing_changes():
            refused = self.tool("migrate", "--strict-order")
        self.assert_failed(refused, 1, "out of order", "names", "notes")
        self.assertEqual(self.versions_run(self.migrate("--strict-order", "--only", THIRD)), [THIRD])
        self.assertEqual(self.versions_run(self.migrate("--allow-out-of-order")), [FIRST])

    def test_names_that_are_none(self):
        for flags, words in ((["--to", "noted"], ["--to noted", "did you mean notes"]),
                             (["--only", "20990101000000"], ["no such version"]),
                             (["--step", "0"], ["--step"]), (["--to", FIRST, "--only", FIRST], ["excludes"]),
                             (["--strict-order", "--allow-out-of-order"], ["excludes"])):
            with self.subTest(flags), self.nothing_changes():
                self.assert_failed(self.tool("migrate", *flags), 2, *words)
        self.migrate()
        self.assert_failed(self.tool("migrate", "--only", FIRST), 1, "is not pending: done")

    def test_dry_run_tells_and_changes_nothing(self):
        with self.nothing_changes():
            printed = self.migrate("--dry-run", "--to", SECOND)
            text = self.tool("migrate", "--dry-run")
        self.assertEqual([line["version"] for line in printed["would_run"]], [FIRST, SECOND])
        self.assertEqual([line.split()[0] for line in text.out.splitlines()[2:]], [FIRST, SECOND, THIRD])
        self.assertFalse(self.has_journal())

    # --- failures

    def test_ends_at_the_first_failure_and_says_what_was_not_run(self):
        self.break_second()
        result = self.tool("migrate", "--json")
        self.assertEqual(result.code, 2, result)
        printed, error = result.json, json.loads(result.err.splitlines()[-1])
        self.assertEqual(self.versions_run(printed), [FIRST])
        self.assertEqual((printed["failed"]["version"], printed["failed"]["exit_status"]), (SECOND, 2))
        self.assertEqual([line["version"] for line in printed["not_run"]], [THIRD])
        self.assertIn("1 of 3 were run before. Not run: 20260103000000 more.", error["hint"])
        self.assertEqual(self.states(), {FIRST: "done", SECOND: "pending", THIRD: "pending"})

    def test_exit_status_says_that_earlier_ones_have_changed_something(self):
        self.define(version=SECOND, name="notes", expect_rows="4..", change="UPDATE users SET note = 'second' WHERE"
                    " name = 'first' AND :batch(id) RETURNING id, note",
                    pre="SELECT id, note FROM users WHERE name = 'first' AND :batch(id)")
        self.assertEqual(self.tool("migrate").code, 6)
        self.assertEqual(self.tool("migrate").code, 1)

    def test_goes_on_with_a_run_that_stopped(self):
        killed = self.start("migrate", *small(1), DATACHANGE_FAILPOINT="batch.begun:3:KILL").finish()
        self.assertEqual(killed.code, -9, killed)
        printed = self.migrate(*small(1))
        self.assertEqual(self.versions_run(printed), [FIRST, SECOND, THIRD])
        self.assertEqual([run["resumed"] for run in printed["done"]], [True, False, False])
        self.assertEqual(printed["done"][0]["rows"]["updated"], 3)

    def test_every_file_is_parsed_before_the_first_is_run(self):
        self.write(f"audits/{THIRD}_more.sql", "-- identifier: id\n-- audit:pre\nSELECT 1;\n-- audit:chance\n")
        with self.nothing_changes():
            result = self.tool("migrate")
        self.assertEqual(result.code, 2, result)
        self.assertIn(f"audits/{THIRD}_more.sql:4:", result.err)
        self.assertFalse(self.has_journal())

    def test_an_edited_definition_is_no_longer_pending(self):
        self.migrate("--to", FIRST)
        self.define(version=FIRST, name="names", change="UPDATE users SET name = 'else' WHERE name IS NULL AND :batch(id)"
                    " RETURNING id, name")
        self.assertEqual(self.states()[FIRST], "edited")
        self.assertEqual(self.versions_run(self.migrate()), [SECOND, THIRD])

    def test_a_version_without_its_file_is_not_passed_over(self):
        killed = self.start("migrate", *small(1), DATACHANGE_FAILPOINT="batch.begun:3:KILL").finish()
        self.assertEqual(killed.code, -9, killed)
        os.remove(self.path(f"audits/{FIRST}_names.sql"))
        with self.nothing_changes():
            self.assert_failed(self.tool("migrate"), 2, FIRST, "there is no file of it", "mark")

    def test_two_at_once_run_each_version_once(self):
        both = [self.start("migrate", "--ledger", f"{name}.db", "--csv-dir", name) for name in ("one", "two")]
        codes = sorted(one.finish().code for one in both)
        self.assertIn(codes[0], (0, 3, 6), codes)
        self.migrate("--ledger", "one.db")
        self.assertEqual([row[0] for row in self.journal()], ["done"] * 3)
        self.assertEqual(self.column("SELECT count(*) FROM datachange_runs"), ["3"])

    def test_on_error_and_other_options_of_run_reach_every_run(self):
        printed = self.migrate(*small(2))
        self.assertEqual([(run["mode"], run["batches"]) for run in printed["done"]], [("batched", 2)] * 3)

    # --- marks

    def mark(self, version, state, *flags, reason="by hand, OPS-9", code=0):
        result = self.tool("mark", version, state, "--reason", reason, "--operator", "anna", *flags)
        self.assertEqual(result.code, code, result)
        return result

    def test_what_was_done_by_hand_is_not_run(self):
        self.mark("names", "done")
        self.assertEqual(self.states(), {FIRST: "marked", SECOND: "pending", THIRD: "pending"})
        [line] = [line for line in self.tool("status", "--json").json["definitions"] if line["version"] == FIRST]
        self.assertEqual((line["operator"], line["reason"]), ("anna", "by hand, OPS-9"))
        self.refused(1, "is marked as done by anna", "by hand, OPS-9", definition="names")
        self.assertEqual(self.versions_run(self.migrate()), [SECOND, THIRD])
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["3"])
        self.assertEqual(self.ledger("SELECT version, kind, detail, operator FROM version_events"),
                         [(FIRST, "marked", "done, was pending: by hand, OPS-9", "anna")])

    def test_a_mark_is_taken_back(self):
        self.mark(FIRST, "done")
        self.mark(FIRST, "pending", reason="it was not")
        self.assertEqual(self.states()[FIRST], "pending")
        self.assertEqual(self.versions_run(self.migrate("--to", FIRST)), [FIRST])
        self.assertEqual(self.states()[FIRST], "done")

    def test_what_is_to_be_run_again_is_run_without_again(self):
        self.migrate()
        self.database.execute("UPDATE users SET name = NULL WHERE id = 4")
        self.mark(FIRST, "pending", reason="the import brought more")
        self.assertEqual(self.states()[FIRST], "pending")
        [run] = self.migrate()["done"]
        self.assertEqual((run["version"], run["rows"]["updated"]), (FIRST, 1))
        self.assertEqual(self.states()[FIRST], "done")

    def test_marked_versions_run_with_again(self):
        self.mark(FIRST, "done")
        self.run_ok("--again", definition="names")
        self.assertEqual(self.states()[FIRST], "done")

    def test_a_version_that_has_no_file_here_can_be_marked(self):
        self.mark("20250101000000", "done")
        [line] = [line for line in self.tool("status", "--json").json["definitions"] if line["version"] == "20250101000000"]
        self.assertEqual((line["state"], line["file"]), ("marked", False))

    def test_marks_that_say_nothing_new_are_refused(self):
        self.migrate("--to", FIRST)
        for version, state, words in ((FIRST, "done", "is done already"), (SECOND, "pending", "is pending already")):
            with self.subTest(version), self.nothing_changes():
                self.assert_failed(self.mark(version, state, code=1), 1, words)
        with self.nothing_changes():
            self.assert_failed(self.mark(SECOND, "done", reason="  ", code=2), 2, "needs a reason")
            self.assert_failed(self.tool("mark", SECOND, "finished", "--reason", "x"), 2, "state")
            self.assert_failed(self.tool("mark", SECOND, "done"), 2, "--reason")
        self.assertEqual(self.ledger("SELECT count(*) FROM version_events"), [(0,)])

    def test_a_run_that_goes_on_is_not_marked(self):
        killed = self.start("migrate", *small(1), DATACHANGE_FAILPOINT="batch.begun:3:STOP")
        wait_until(lambda: self.has_journal() and self.journal() and self.journal()[0][2] >= "2", "two batches")
        self.assert_failed(self.mark(FIRST, "done", code=3), 3, "is processing")
        killed.end()

    def test_a_ledger_that_cannot_be_written_keeps_the_mark_from_being_made(self):
        self.write("no-ledger.db", "this is no ledger at all, it is a text of some length\n" * 20)
        self.assert_failed(self.mark(FIRST, "done", "--ledger", "no-ledger.db", code=5), 5, "no-ledger.db")
        self.assertEqual(self.states()[FIRST], "pending")

    def test_a_journal_without_marks_gets_the_table(self):
        self.migrate("--to", FIRST)
        self.database.execute("DROP TABLE datachange_marks")
        self.assertEqual(self.states()[FIRST], "done")
        self.mark(SECOND, "done")
        self.assertEqual(self.states()[SECOND], "marked")

    # --- deploy scripts

    def test_abort_if_pending(self):
        with self.nothing_changes():
            pending = self.tool("abort-if-pending")
        self.assert_failed(pending, 3, "3 versions are not done", f"{SECOND} notes, pending", "datachange migrate")
        self.assertFalse(self.has_journal())
        self.mark(FIRST, "done")
        asked = self.tool("abort-if-pending", "--json")
        self.assertEqual(asked.code, 3)
        self.assertEqual([line["version"] for line in asked.json["pending"]], [SECOND, THIRD])
        self.assertEqual(self.tool("status", "--exit-code").code, 3)
        self.migrate()
        for command in (["abort-if-pending"], ["abort-if-pending", "--json"], ["status", "--exit-code"]):
            self.assertEqual(self.tool(*command).code, 0)
        self.assertEqual(self.tool("abort-if-pending").out[:18], "nothing is pending")


class SqliteMigrateTests(MigrateTests, SqliteCase):
    pass


class PostgresMigrateTests(MigrateTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
