"""kill -9 at moments that nobody chose, several times in one run; then everything is as without them."""

import os
import random
import signal
import time
import unittest

import subjects
from counting import count, times
from faults import both_engines, generate

SEED = os.environ.get("DATACHANGE_FAULTS_SEED") or str(random.SystemRandom().randrange(1_000_000))
MOMENTS = 100  # an engine
CHANCE_OF_ANOTHER = 0.4
MIXTURE = (subjects.RANGE, subjects.RANGE, subjects.KEYS, subjects.KEYS, subjects.PAIRS, subjects.STEPS, subjects.SINGLE)
TRIES = 10  # where a run was done before it could be killed


class RandomTests:
    size = 50

    def try_once(self, subject, rows):
        """@return how often the run was killed; 0: it was done before"""
        self.prepare(subject, rows)
        self.seconds = self.undisturbed().seconds
        kills = self.kill_until_done()
        self.assert_exact()
        return kills

    def killed(self, started):
        """Kills it at a random moment of its life. @return whether it was still alive"""
        time.sleep(self.random.uniform(0, self.seconds))  # this is the fault, not a synchronisation
        started.send(signal.SIGKILL)
        result = started.finish()
        if result.code != -signal.SIGKILL:
            self.assertEqual(result.code, 0, result)
            return False
        count(f"kill -9 at a random moment, {self.engine}")
        return True

    def kill_until_done(self):
        """@return how often it was killed"""
        kills = 0
        while self.state() != "done":
            if kills and self.random.random() > CHANCE_OF_ANOTHER:
                self.finish(self.random.choice(("resume", "run")))
                break
            by_run = not self.ledger_number() or self.random.random() < 0.5
            command = ("run", "fill", *self.flags()) if by_run else self.resume_command()
            if self.killed(self.start(*command)):
                kills += 1
                if self.random.random() < 0.5:  # else the next one comes while the session of this may still be there
                    self.assert_nothing_unrecorded()
        return kills


def kill_at_random(number):
    def test(self):
        self.random = random.Random(f"{SEED}/{self.engine}/{number}")
        self.workers = self.random.choice((None, 2, 3)) if self.engine == "postgresql" else None
        subject, rows = self.random.choice(MIXTURE), self.random.choice((600, 1500))
        try:
            kills = self.try_once(subject, rows)
            for _ in range(TRIES):
                if kills:
                    return
                with self.another_place():
                    kills = self.try_once(subject, rows)
        except AssertionError as error:
            raise AssertionError(f"DATACHANGE_FAULTS_SEED={SEED}, {subject.name}: {error}") from error
        self.assertTrue(kills, "the run was always faster than the kill")
    return test


for _number in range(times(MOMENTS)):
    generate(RandomTests, f"moment {_number:04}", kill_at_random(_number))

both_engines(globals(), Random=RandomTests)
del RandomTests

if __name__ == "__main__":
    unittest.main()
