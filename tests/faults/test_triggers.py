"""Triggers and partitions that make something else of a change: reported as it really ended."""

import json
import unittest

import exactness
import subjects
from counting import count
from faults import PostgresFaults, SqliteFaults
from harness.evidence import check_ledger, read_ledger
from harness.truth import Change, StepTruth

PARTITIONED = """
CREATE TABLE items (id integer NOT NULL, status text NOT NULL, amount integer, PRIMARY KEY (id, status)) PARTITION BY LIST (status);
CREATE TABLE items_open PARTITION OF items FOR VALUES IN ('open');
CREATE TABLE items_done PARTITION OF items FOR VALUES IN ('done');
INSERT INTO items SELECT i, CASE WHEN i % 5 = 0 THEN 'done' ELSE 'open' END, i FROM generate_series(1, 60) AS i;"""
MOVE = """-- table: items
-- identifier: id
-- audit:pre
SELECT id, status, amount FROM items WHERE status = 'open' AND :batch(id);
-- audit:change
UPDATE items SET status = 'done', amount = amount + 1 WHERE status = 'open' AND :batch(id) RETURNING id, status, amount;
"""
LOUD = "UPDATE items SET amount = 1000 + NEW.id WHERE id = NEW.id"


def truth_between(before, after, columns):
    """What happened, by the table alone. @param before, after {key: {column: text}}"""
    truth = StepTruth(1, "items", ["id"], list(columns))
    truth.before = {(key,): {name: row[name] for name in columns} for key, row in before.items()}
    truth.after = {(key,): {name: row[name] for name in columns} for key, row in after.items()}
    for key, old in truth.before.items():
        if truth.after.get(key) != old:
            truth.changes[key] = Change("updated", old, truth.after[key])
    return truth


class TriggerCase:
    columns = ("id", "amount")

    def images(self):
        return {row["id"]: row for row in exactness.read_table(self.database, self.columns)}

    def run_and_compare(self, *flags):
        """@return what --json printed"""
        before = self.images()
        printed = self.run_ok(*self.flags(), *flags)
        count("trigger or partition that alters the outcome")
        truth = truth_between(before, self.images(), self.columns[1:])
        self.assertGreater(len(truth.changes), 40)
        with self.open_ledger() as ledger:
            self.assertEqual(check_ledger(self.engine, truth, read_ledger(ledger, printed["run"], truth))[:20], [])
        return printed

    def collateral(self, printed):
        return {item["table"].split(".")[-1]: item for item in printed["collateral"]}


class PostgresTriggers(TriggerCase, PostgresFaults):
    def trigger(self, body, timing="AFTER UPDATE", constraint=""):
        self.database.execute(f"""
            CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF pg_trigger_depth() = 1 THEN {body}; END IF; RETURN NULL; END $$;
            CREATE {constraint} TRIGGER meddle {timing} ON items {"DEFERRABLE INITIALLY DEFERRED" if constraint else ""}
                FOR EACH ROW EXECUTE FUNCTION meddle()""")

    def test_a_deferred_trigger(self):
        self.prepare(subjects.RANGE)
        self.trigger(LOUD, constraint="CONSTRAINT")
        self.run_and_compare()
        self.assertEqual(self.images()["7"]["amount"], "1007")

    def test_a_trigger_that_changes_the_row_again(self):
        self.prepare(subjects.RANGE)
        self.trigger(LOUD)
        self.run_and_compare()
        self.assertEqual(self.images()["7"]["amount"], "1007")

    def test_a_trigger_that_empties_another_table(self):
        self.prepare(subjects.RANGE)
        self.database.execute("CREATE TABLE cache AS SELECT id FROM items")
        self.trigger("TRUNCATE cache")
        printed = self.run_and_compare()
        self.assertTrue(self.collateral(printed)["cache"]["truncated"], printed)
        self.assertEqual(self.database.rows("SELECT count(*) FROM cache"), [("0",)])

    def test_rows_that_move_to_another_partition(self):
        self.columns = ("id", "status", "amount")
        self.database.execute(PARTITIONED)
        self.subject = subjects.Subject("move", MOVE, batched=False)
        self.define(text=MOVE)
        printed = self.run_and_compare()
        self.assertEqual(printed["rows"]["updated"], 48)
        self.assertEqual(printed["collateral"], [])


class SqliteTriggers(TriggerCase, SqliteFaults):
    def test_a_trigger_that_changes_the_row_again(self):
        self.prepare(subjects.RANGE)
        self.after_trigger("meddle", "UPDATE OF amount", LOUD, table="items")
        self.run_and_compare()
        self.assertEqual(self.images()["7"]["amount"], "1007")

    def test_a_trigger_that_empties_another_table(self):
        self.prepare(subjects.RANGE)
        self.database.execute("CREATE TABLE cache AS SELECT id FROM items")
        self.after_trigger("meddle", "UPDATE", "DELETE FROM cache", table="items")
        printed = self.run_and_compare()
        self.assertEqual(self.collateral(printed)["cache"]["deleted"], 60)


class StrictCase:
    """--strict: what the definition does not name must not be touched."""

    def setUp(self):
        super().setUp()
        self.prepare(subjects.RANGE)
        self.database.execute("CREATE TABLE side (id integer)")
        self.after_trigger("meddle", "UPDATE", "INSERT INTO side VALUES (NEW.id)", table="items")

    def test_rolls_back_and_names_the_table(self):
        result = self.tool("run", "fill", "--strict", *self.flags())
        count("strict run that a trigger meets")
        self.assertEqual(result.code, 1, result)
        self.assertIn("side", result.err)
        self.assertEqual((self.table(), self.database.rows("SELECT count(*) FROM side")), (self.before, [("0",)]))

    def test_after_some_batches(self):
        self.database.execute("DROP TRIGGER meddle" + (" ON items" if self.engine == "postgresql" else ""))
        self.after_trigger("meddle_late", "UPDATE",
                           "INSERT INTO side SELECT NEW.id WHERE NEW.id > 44", table="items")
        result = self.tool("run", "fill", "--strict", *self.flags())
        count("strict run that a trigger meets")
        self.assertEqual(result.code, 6, result)
        self.assertIn("side", result.err)
        self.assertEqual(self.database.rows("SELECT count(*) FROM side"), [("0",)])
        self.assert_nothing_unrecorded()
        self.assertEqual(self.committed(), 4)

    def test_lets_what_the_header_names(self):
        self.define(text=subjects.RANGE.text.replace("collateral: truth", "collateral: truth, side"))
        printed = self.run_ok("--strict", *self.flags())
        self.assertIn("side", json.dumps(printed["collateral"]))
        self.assert_exact()


class StrictOnSqlite(StrictCase, SqliteFaults):
    pass


class StrictOnPostgres(StrictCase, PostgresFaults):
    pass


if __name__ == "__main__":
    unittest.main()
