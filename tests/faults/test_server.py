"""The server crashes and starts again, and the tool's session is terminated, while a run goes on."""

import contextlib
import random
import time
import unittest

import subjects
from counting import count, times
from faults import PENDING, VERSION
from own_server import OwnServerFaults
from support import wait_until

CRASHES_IN_A_RUN = 4
TERMINATED_IN_A_RUN = 5


class FaultyServerCase(OwnServerFaults):
    size = 50

    def prepare_slow(self, number):
        """A run of 30 batches with a pause between, so that several faults fit into it."""
        self.random = random.Random(number)
        self.prepare(self.random.choice((subjects.RANGE, subjects.KEYS, subjects.PAIRS, subjects.STEPS)), rows=1500)
        self.undisturbed()

    def until_done(self, fault, faults, *flags):
        """Runs, and goes on if the run gives up, while the fault is done at random moments. @return how often it was"""
        run, done = self.start_run("--sleep", "10ms", *flags), 0
        while done < faults:
            time.sleep(self.random.uniform(0.02, 0.3))  # this is the moment of the fault
            if not run.running:
                result = run.finish()
                if result.code == 0:
                    return done
                self.assertIn(result.code, PENDING + (1, 5), result)
                run = self.start(*self.resume_command(VERSION), "--sleep", "10ms", *flags) if self.journal_run() else self.start_run()
            done += fault()
        result = run.finish()
        if result.code != 0:
            self.assertIn(result.code, PENDING + (1, 5), result)
        return done


class CrashTests(FaultyServerCase):
    def crash(self):
        self.server.stop("immediate")
        self.server.start()
        count("immediate stop and start of the server")
        self.database.close()
        wait_until(self.answers, "the server answers")
        return 1

    def answers(self):
        with contextlib.suppress(RuntimeError, OSError):
            return self.database.rows("SELECT 1") == [("1",)]
        return False

    def test_runs_go_on_after_crashes(self):
        crashes = number = 0
        while crashes < times(20):
            number += 1
            self.workers = 2 if number % 2 else None
            with self.subTest(run=number), self.another_place():
                self.prepare_slow(number)
                crashes += self.until_done(self.crash, CRASHES_IN_A_RUN)
                self.finish(tries=5)
                self.assert_exact()
            self.assertLess(number, times(20) + 5, "the runs are faster than the crashes")


class TerminatedTests(FaultyServerCase):
    def terminate(self):
        ended = self.database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                                   f" AND application_name = 'datachange:{VERSION}'")
        for _ in ended:
            count("pg_terminate_backend")
        return len(ended)

    def test_runs_go_on_after_their_session_was_terminated(self):
        terminated = number = 0
        while terminated < times(50):
            number += 1
            self.workers = 2 if number % 2 else None
            with self.subTest(run=number), self.another_place():
                self.prepare_slow(number)
                terminated += self.until_done(self.terminate, TERMINATED_IN_A_RUN)
                self.finish(tries=5)
                self.assert_exact()
            self.assertLess(number, times(50) + 5, "the runs are faster than the faults")


if __name__ == "__main__":
    unittest.main()
