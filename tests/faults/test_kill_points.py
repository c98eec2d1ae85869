"""kill -9 at every named point of a run, and of the resume after it; then everything is as without the kill."""

import unittest

import subjects
from faults import PostgresFaults, both_engines, generate

# where every run passes once
ONCE = ("run.begun", "run.taken", "run.finishing", "ledger.ended", "csv.rendered", "run.recorded", "run.finished")
# where every batch passes
BATCH = ("batch.begun", "batch.fenced", "batch.captured", "ledger.staged", "batch.journaled", "ledger.prepared",
         "batch.committed", "ledger.settled")
# where every step in batches passes; one transaction freezes no set
STEP = ("step.set", "step.done")
RESUME = ("resume.epoch", "ledger.resumed", "resume.decided")


def passes(subject):
    """(point, pass) of all that the subject comes through."""
    found = [(point, 1) for point in ONCE]
    found += [(point, number) for point in BATCH for number in ((1, 3) if subject.batched else (1,))]
    if subject.batched:
        found += [(point, number) for point in STEP for number in range(1, len(subject.steps) + 1)]
    return found


def kill_and_go_on(subject, point, number, by):
    def test(self):
        self.prepare(subject)
        self.killed_at(f"{point}:{number}")
        self.assert_nothing_unrecorded()
        self.finish(by)
        self.assert_exact()
    return test


def kill_the_resume(subject, point):
    """The run is killed with a batch in doubt, and the resume while it decides."""
    def test(self):
        self.prepare(subject)
        self.killed_at("batch.committed:2" if subject.batched else "batch.committed:1")
        resume = self.resume_command()
        self.killed_at(f"{point}:1", *resume, kind=f"kill -9 of a resume at a named point, {self.engine}")
        self.assert_nothing_unrecorded()
        self.finish()
        self.assert_exact()
    return test


def kill_the_resume_s_batch(subject, point):
    def test(self):
        self.prepare(subject)
        self.killed_at("ledger.prepared:2")
        resume = self.resume_command()
        self.killed_at(f"{point}:2", *resume, kind=f"kill -9 of a resume at a named point, {self.engine}")
        self.assert_nothing_unrecorded()
        self.finish("run")
        self.assert_exact()
    return test


class RunTests:
    """resume after the first pass, run again after a later one."""


class ResumeTests:
    pass


class KillPointsWithWorkers(PostgresFaults):
    """Several batches are in hand when the tool dies."""
    workers = 3


for _subject in (subjects.SINGLE, subjects.RANGE, subjects.KEYS):
    for _point, _number in passes(_subject):
        generate(RunTests, f"{_subject.name} {_point} {_number}",
                 kill_and_go_on(_subject, _point, _number, "resume" if _number == 1 else "run"))
    for _point in RESUME:
        generate(ResumeTests, f"{_subject.name} {_point}", kill_the_resume(_subject, _point))
for _point in STEP:
    generate(RunTests, f"steps {_point} 2", kill_and_go_on(subjects.STEPS, _point, 2, "resume"))
for _point in BATCH:
    for _subject in (subjects.PAIRS, subjects.STEPS):
        generate(ResumeTests, f"{_subject.name} {_point}", kill_the_resume_s_batch(_subject, _point))

for _subject in (subjects.RANGE, subjects.KEYS, subjects.PAIRS):
    for _point in BATCH:
        generate(KillPointsWithWorkers, f"{_subject.name} {_point}", kill_and_go_on(_subject, _point, 3, "resume"))

both_engines(globals(), Run=RunTests, Resume=ResumeTests)
del RunTests, ResumeTests  # without an engine they are no tests

if __name__ == "__main__":
    unittest.main()
