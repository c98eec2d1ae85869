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
MAY_KILL_FIRST_DONE = 10


class RandomTests:
    size = 50

    def prepare_random(self, number):
        self.random = random.Random(f"{SEED}/{self.engine}/{number}")
        self.prepare(self.random.choice(MIXTURE), rows=self.random.choice((600, 1500)))
        self.seconds = self.undisturbed().seconds

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
        self.prepare_random(number)
        for _ in range(MAY_KILL_FIRST_DONE):
            try:
                kills = self.kill_until_done()
                self.assert_exact()
            except AssertionError as error:
                raise AssertionError(f"DATACHANGE_FAULTS_SEED={SEED}, {self.subject.name}: {error}") from error
            if kills:
                return
            self.database.execute("DROP TABLE datachange_batches; DROP TABLE datachange_requests; DROP TABLE datachange_runs;"
                                  " DROP TABLE truth; DROP TABLE items")
            os.remove(self.path("datachange-ledger.db"))
            self.prepare(self.subject, self.rows)
        self.fail("the run was always faster than the kill")
    return test


for _number in range(times(MOMENTS)):
    generate(RandomTests, f"moment {_number:04}", kill_at_random(_number))

both_engines(globals(), Random=RandomTests)
del RandomTests

if __name__ == "__main__":
    unittest.main()
