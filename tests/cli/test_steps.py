"""Several steps, their summaries, and what has to be there before."""

import json
import os
import unittest

from support import STEPS, PostgresCase, SqliteCase, small

BAD_SECOND_STEP = STEPS + "-- audit:verify\nSELECT id FROM users WHERE note = 'seen';\n"


class StepTests:
    def setUp(self):
        super().setUp()
        self.make_users()

    def test_several_steps_in_one_transaction(self):
        self.define(text=STEPS)
        printed = self.run_ok()
        self.assertEqual((printed["mode"], printed["batches"]), ("single", 2))
        self.assertEqual([(step["name"], step["rows"]["updated"]) for step in printed["steps"]],
                         [("names", 3), ("notes", 2)])
        self.assertEqual(self.actions(1), {"1": "updated", "2": "updated", "3": "updated"})
        self.assertEqual(self.changes(2)["2"],
                         ("updated", {"id": 2, "name": "user 2", "note": "note 2"},
                          {"id": 2, "name": "user 2", "note": "seen"}))
        self.assertEqual({os.path.basename(file) for file in self.csv_files() if file.endswith(".csv")},
                         {f"{step}.{part}.csv" for step in ("1_names", "2_notes") for part in ("pre", "change", "post",
                             "diff")})
        self.assertEqual(len(set(row[0] for row in self.ledger("SELECT transaction_id FROM batches"))), 1)

    def test_several_steps_in_batches(self):
        self.database.execute("UPDATE users SET name = NULL")
        self.define(text=STEPS)
        printed = self.run_ok(*small(1))
        self.assertEqual((printed["mode"], printed["batches"]), ("batched", 7))
        self.assertEqual([step["rows"]["updated"] for step in printed["steps"]], [5, 2])
        self.assertEqual(self.ledger("SELECT step, count(*) FROM batches GROUP BY step"), [(1, 5), (2, 2)])
        self.assertEqual(self.changes(2)["1"][1], {"id": 1, "name": "user 1", "note": "note 1"})

    def test_a_step_that_fails_takes_the_ones_before_it_along(self):
        self.define(text=BAD_SECOND_STEP)
        self.refused(1, "verify returned 2 rows")

    def test_a_step_that_fails_after_batches_of_another_says_what_is_committed(self):
        self.define(text=BAD_SECOND_STEP)
        result = self.tool("run", "fill", "--batch-threshold", "2", "--batch-size", "2")
        self.assert_failed(result, 6, "verify returned 2 rows", "2 batches with 3 changed rows committed before")
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["0"])
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE note = 'seen'"), ["0"])
        self.assertEqual((len(self.actions(1)), len(self.actions(2))), (3, 0))

    def test_a_step_alone_may_be_batched_while_another_is_small(self):
        self.define(text=STEPS)
        printed = self.run_ok("--batch-threshold", "2", "--batch-size", "2")
        self.assertEqual((printed["mode"], [step["rows"]["updated"] for step in printed["steps"]]), ("batched", [3, 2]))
        self.assertEqual(self.ledger("SELECT step, count(*) FROM batches GROUP BY step"), [(1, 2), (2, 1)])

    def test_expected_rows_are_those_of_a_step(self):
        self.define(text=STEPS.replace("-- audit:step notes\n", "-- audit:step notes\n-- expect-rows: 3\n"))
        self.refused(1, "step notes changes 2 rows", "expect-rows is 3..3")


class SummaryTests:
    SUMMARY = "SELECT count(*) AS total, count(name) AS named FROM users"

    def setUp(self):
        super().setUp()
        self.make_users()

    def check_summary(self, flags):
        self.define(summary=self.SUMMARY)
        printed = self.run_ok(*flags)
        before, after = [{"total": 5, "named": 2}], [{"total": 5, "named": 5}]
        self.assertEqual(printed["summary"], {"before": before, "after": after})
        found = {moment: json.loads(result) for moment, result in self.ledger("SELECT moment, result FROM summaries")}
        self.assertEqual(found, {"before": before, "after": after})

    def test_before_and_after_one_transaction(self):
        self.check_summary([])

    def test_before_and_after_batches(self):
        self.check_summary(small(2))

    def test_of_a_dry_run(self):
        self.define(summary=self.SUMMARY)
        self.assertEqual(self.run_ok("--dry-run")["summary"]["after"], [{"total": 5, "named": 5}])

    def test_side_by_side_in_text(self):
        self.define(summary=self.SUMMARY)
        for text in (self.tool("run", "fill").out, self.tool("show", "1").out):
            self.assertRegex(text, r"(?m)^ +summary +before +after$")
            self.assertRegex(text, r"(?m)^ +named +2 +5$")


class RequirementTests:
    def test_a_missing_column_is_skipped_where_the_definition_says_so(self):
        self.make_users()
        self.define(requires="users.email", on_missing="skip")
        with self.nothing_changes():
            result = self.tool("run", "fill", "--json")
        self.assertEqual((result.code, result.json["state"]), (0, "skipped"), result)
        self.assertIn("users.email is not there", result.err)

    def test_a_missing_table_is_skipped_as_well(self):
        self.make_users()
        self.define(requires="people.name", on_missing="skip")
        with self.nothing_changes():
            self.assertEqual(self.run_ok()["state"], "skipped")

    def test_columns_that_are_there(self):
        self.make_users()
        self.define(requires="users.name, users.note")
        self.assertEqual(self.run_ok()["rows"]["updated"], 3)


class StepOnSqlite(StepTests, SqliteCase):
    pass


class StepOnPostgres(StepTests, PostgresCase):
    pass


class SummaryOnSqlite(SummaryTests, SqliteCase):
    pass


class SummaryOnPostgres(SummaryTests, PostgresCase):
    pass


class RequirementOnSqlite(RequirementTests, SqliteCase):
    pass


class RequirementOnPostgres(RequirementTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
