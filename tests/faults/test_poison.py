"""Rows that the change cannot take: bisected down to each, then skipped or stopped at, and tried again later."""

import unittest

import subjects
from counting import count
from faults import both_engines

POISONED = 10
LIMIT = 10_000  # amounts must stay below it; doubling a greater half breaks the constraint


class PoisonTests:
    size = 500

    def setUp(self):
        super().setUp()
        self.rows = 111_111 if self.engine == "postgresql" else 11_111
        self.open = 100_000 if self.engine == "postgresql" else 10_000  # nine of ten
        self.state_of_violation = "23514" if self.engine == "postgresql" else "SQLITE_CONSTRAINT_CHECK"

    def poison(self, rows=None):
        """Ten open rows, spread over the set; two are neighbours."""
        rows = rows or self.rows
        self.size = max(10, rows // 20)
        self.prepare(subjects.RANGE, rows=rows)
        self.bad = [str(rows * number // POISONED - 9 + (number % 2)) for number in range(1, POISONED)]
        self.bad = sorted(self.bad + [str(int(self.bad[0]) + 1)], key=int)
        self.database.execute(f"UPDATE items SET amount = {LIMIT - 1} WHERE id IN ({', '.join(self.bad)})")
        self.set_limit(LIMIT)
        self.database.execute("DELETE FROM truth")
        self.before = self.table()
        self.assertEqual([row["id"] for row in self.before if row["amount"] == str(LIMIT - 1)], self.bad)
        self.assertTrue(all(row["status"] == "open" for row in self.before if row["id"] in self.bad))
        for _ in self.bad:
            count("row that violates a constraint")

    def set_limit(self, limit):
        if self.engine == "postgresql":
            self.database.execute("ALTER TABLE items DROP CONSTRAINT small;"
                                  f"ALTER TABLE items ADD CONSTRAINT small CHECK (amount < {limit})")
            return
        self.database.execute(f"""PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = substr(sql, 1, instr(sql, 'amount < ') + 8) || {limit} ||
                substr(sql, instr(sql, '), label')) WHERE name = 'items';
            PRAGMA writable_schema = RESET""")
        self.assertEqual(self.database.rows("PRAGMA integrity_check"), [("ok",)])

    def failures(self, where="resolved_at IS NULL"):
        return sorted(self.ledger(f"SELECT identifier, sqlstate FROM failures WHERE {where}"), key=lambda row: int(row[0]))

    def changed(self):
        return {event.old["id"] for event in self.events() if event.by_tool}

    def assert_all_but_the_poisoned(self, result):
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.failures(), [(identifier, self.state_of_violation) for identifier in self.bad])
        changeable = {row["id"] for row in self.before if row["status"] == "open"} - set(self.bad)
        self.assertEqual(self.changed(), changeable)
        self.assert_evidence()

    def test_skipped(self):
        self.poison()
        result = self.tool("run", "fill", *self.flags(), "--on-error", "skip")
        self.assert_all_but_the_poisoned(result)
        self.assertEqual(len(self.changed()), self.open - POISONED)

    def test_skipped_by_several_workers(self):
        if self.engine == "postgresql":
            self.workers = 3
        self.poison(rows=5000)
        self.assert_all_but_the_poisoned(self.tool("run", "fill", *self.flags(), "--on-error", "skip"))

    def test_as_the_header_says(self):
        self.poison(rows=1000)
        self.define(text=subjects.RANGE.text.replace("-- table:", "-- on-error: skip\n-- table:", 1))
        self.assert_all_but_the_poisoned(self.tool("run", "fill", *self.flags()))

    def test_stopped_at_then_skipped_then_tried_again(self):
        self.poison()
        result = self.tool("run", "fill", *self.flags(), "--on-error", "stop")
        self.assertEqual(result.code, 6, result)
        self.assertRegex(result.err, rf"\b{self.bad[0]}\b")
        self.assertIn("resume", result.err)
        self.assert_nothing_unrecorded()
        self.assertFalse(self.changed() & set(self.bad))
        self.assert_all_but_the_poisoned(self.go_on(flags=("--on-error", "skip")))
        self.assertEqual(len(self.changed()), self.open - POISONED)
        self.check_retry()

    def check_retry(self):
        still = self.tool("retry", str(self.ledger_number()))
        self.assertNotEqual(still.code, 0, still)
        self.assertEqual(len(self.failures()), POISONED)
        self.set_limit(subjects.MOST)
        before = self.changed()
        result = self.tool("retry", str(self.ledger_number()))
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.changed() - before, set(self.bad))
        self.assertEqual((self.failures(), len(self.failures("resolved_at IS NOT NULL"))), ([], POISONED))
        self.assert_evidence()

    def test_more_than_are_allowed(self):
        self.poison(rows=1000)
        result = self.tool("run", "fill", *self.flags(), "--on-error", "skip", "--max-failures", "3")
        self.assertEqual(result.code, 6, result)
        self.assert_nothing_unrecorded()
        self.assertFalse(self.changed() & set(self.bad))
        self.assert_all_but_the_poisoned(self.go_on(flags=("--on-error", "skip")))

    def test_in_a_set_by_key_list(self):
        self.poison(rows=1000)
        self.subject = subjects.KEYS
        self.define(text=subjects.KEYS.text)
        self.assert_all_but_the_poisoned(self.tool("run", "fill", *self.flags(), "--on-error", "skip"))


both_engines(globals(), Poison=PoisonTests)
del PoisonTests

if __name__ == "__main__":
    unittest.main()
