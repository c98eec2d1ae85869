"""A run that is taken over while it sleeps: when it wakes up it changes nothing, anywhere."""

import signal
import sqlite3
import unittest

import subjects
from counting import count
from faults import LEDGER, both_engines, generate

# between two batches, and in places where a batch is open on our side alone
PLACES = ("ledger.settled:2", "batch.begun:3", "run.finishing:1")


class ZombieTests:
    def everything(self):
        """Target, journal, ledger and files."""
        ledger = sqlite3.connect(f"file:{self.path(LEDGER)}?mode=ro", uri=True)
        try:
            rows = list(ledger.iterdump())
        finally:
            ledger.close()
        journal = [self.database.rows(f"SELECT * FROM datachange_{name} ORDER BY 1, 2, 3") for name in ("runs", "batches")]
        return {"table": self.database.dump(), "journal": journal, "ledger": rows, "names": self.csv_files(),
                "csvs": self.csv_contents()}


def taken_over(subject, place):
    def test(self):
        if place == "batch.begun:3" and self.engine == "sqlite":
            self.skipTest("SQLite has one writer: nobody takes over while the sleeper's transaction is open")
        self.prepare(subject)
        self.undisturbed()
        zombie = self.stopped_at(place)
        refused = self.tool(*self.resume_command())
        self.assertEqual(refused.code, 3, f"the owner is alive, and nobody said --take-over: {refused}")
        result = self.tool(*self.resume_command(), "--take-over")
        self.assertEqual(result.code, 0, result)
        self.assert_exact()
        before = self.everything()
        zombie.send(signal.SIGCONT)
        result = zombie.finish()
        count(f"run taken over while its process sleeps, {self.engine}")
        self.assertEqual(result.code, 3, result)
        self.assertIn("taken over", result.err)
        after = self.everything()
        self.assertEqual([part for part in before if before[part] != after[part]], [])
    return test


for _subject in (subjects.RANGE, subjects.KEYS):
    for _place in PLACES:
        generate(ZombieTests, f"{_subject.name} {_place}", taken_over(_subject, _place))

both_engines(globals(), Zombie=ZombieTests)
del ZombieTests

if __name__ == "__main__":
    unittest.main()
