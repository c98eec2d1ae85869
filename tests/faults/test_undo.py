"""kill -9 at every named point of an undo, and of the resume after it: every row is put back once."""

import unittest

import subjects
from faults import both_engines, generate
from test_kill_points import BATCH, ONCE, RESUME, STEP

COLUMNS = ", ".join(subjects.COLUMNS["items"])
# as subjects.PAIRS, with whole rows: else those that are deleted could not come back
PAIRS = subjects.Subject("pairs", subjects.definition(
    f"SELECT {COLUMNS} FROM items WHERE status = 'open' AND :batch(region, number)",
    f"""{subjects.DOUBLE} AND number % 3 <> 0 AND :batch(region, number) RETURNING {COLUMNS};
DELETE FROM items WHERE status = 'open' AND number % 3 = 0 AND :batch(region, number) RETURNING {COLUMNS}""",
    identifier="region, number"))


class UndoFaults:
    """The run is done; its undo is killed."""

    def prepare_undo(self, subject):
        self.prepare(subject)
        self.run_ok(*self.flags())
        self.changed = len(self.events())

    def undo_command(self):
        return ["undo", "1", "--partial", *self.subject.flags(self.size)]

    def killed_in_undo(self, failpoint):
        self.killed_at(failpoint, *self.undo_command(), kind=f"kill -9 of an undo, {self.engine}")

    def assert_undone(self):
        """Each row that the run changed was changed back, in one event, and the ledger has as many rows of it."""
        self.assertEqual(self.state(), "done")
        self.assertEqual(self.table(), self.before)
        self.assertEqual(len(self.events()), 2 * self.changed)
        run = self.ledger_number()
        self.assertEqual(self.ledger("SELECT state FROM runs WHERE run_id = ?", run), [("done",)])
        self.assertEqual(self.ledger("SELECT count(*) FROM changes WHERE run_id = ?", run), [(self.changed,)])
        self.assertEqual(self.ledger("SELECT DISTINCT state FROM batches WHERE run_id = ?", run), [("committed",)])
        self.assertEqual(self.ledger("SELECT count(*) FROM spool"), [(0,)])
        (line,) = self.tool("status", "--json").json["definitions"]
        self.assertEqual(line["state"], "undone")

    def go_on_with_undo(self, by):
        result = self.tool(*self.undo_command()) if by == "undo" else self.tool(
            "resume", self.uuid(), *(["--batch-size", str(self.size)] if self.subject.batched else []))
        self.assertEqual(result.code, 0, result)


def kill_and_go_on(subject, point, number, by):
    def test(self):
        self.prepare_undo(subject)
        self.killed_in_undo(f"{point}:{number}")
        self.wait_until_gone()
        begun = self.journal_run()[1] == "processing"
        if by == "resume" and begun:
            self.go_on_with_undo("resume")
        elif self.state() != "done" or self.uuid() == self.ledger("SELECT uuid FROM runs WHERE run_id = 1")[0][0]:
            self.go_on_with_undo("undo")
        self.assert_undone()
    return test


def kill_the_resume(subject, point, number):
    def test(self):
        self.prepare_undo(subject)
        self.killed_in_undo("batch.committed:2")
        self.wait_until_gone()
        self.killed_at(f"{point}:{number}", "resume", self.uuid(), "--batch-size", str(self.size),
                       kind=f"kill -9 of the resume of an undo, {self.engine}")
        self.wait_until_gone()
        self.go_on_with_undo("resume")
        self.assert_undone()
    return test


for _subject in (subjects.SINGLE, PAIRS):
    for _number, _point in enumerate(ONCE[:-1] + BATCH):
        generate(UndoFaults, f"{_subject.name} {_point}",
                 kill_and_go_on(_subject, _point, 2 if _point in BATCH and _subject.batched else 1,
                                "undo" if _number % 2 else "resume"))
for _point in STEP:
    generate(UndoFaults, f"pairs {_point}", kill_and_go_on(PAIRS, _point, 1, "resume"))
for _point in RESUME:
    generate(UndoFaults, f"resume pairs {_point}", kill_the_resume(PAIRS, _point, 1))
generate(UndoFaults, "resume pairs batch", kill_the_resume(PAIRS, "ledger.prepared", 2))

both_engines(globals(), Undo=UndoFaults)
del UndoFaults  # without an engine they are no tests

if __name__ == "__main__":
    unittest.main()
