"""Workers on one queue are killed, sleep and lose their server, while an application writes: every version is done
exactly once, in its turn, and the evidence is exact."""

import os
import random
import signal
import time
import unittest

import subjects
from counting import count, times
from faults import PostgresFaults, SqliteFaults, generate, process_state
from own_server import OwnServerFaults
from queues import VERSIONS, QueueFaultCase, kill, wait_until

SEED = os.environ.get("DATACHANGE_FAULTS_SEED") or str(random.SystemRandom().randrange(1_000_000))
MOMENTS = 4  # an engine
KILLS = 4  # at each
LEDGERS = ("datachange-ledger.db", "other.db")


class KillTests(QueueFaultCase):
    """One worker dies, and another that is there already goes on."""

    # the worker has the item; its run is under way; it has ended, and the queue has not heard of it
    POINTS = ("queue.taken:1", "run.begun:1", "run.taken:1", "batch.journaled:2", "batch.committed:3", "run.recorded:1",
              "run.finished:1", "queue.executed:1", "queue.settling:1")

    def check_killed_at(self, point, ledger):
        with self.application():
            first = self.work(DATACHANGE_FAILPOINT=f"{point}:KILL")
            wait_until(lambda: int(self.head()[1]) > 0 or not first.running, "the first has taken an item")
            second = self.work(ledger=ledger)
            result = first.finish()
            self.assertEqual(result.code, -signal.SIGKILL, f"never came through {point}: {result}")
            count(f"worker killed at a named point, {self.engine}")
            self.finish_all(second)
        self.assert_all_exact()

    def check_killed_while_taking_over(self, point):
        first = self.work(DATACHANGE_FAILPOINT="batch.committed:2:KILL")
        self.assertEqual(first.finish().code, -signal.SIGKILL)
        second = self.work(ledger=LEDGERS[1], DATACHANGE_FAILPOINT=f"{point}:KILL")
        self.assertEqual(second.finish().code, -signal.SIGKILL, f"never came through {point}")
        count(f"worker killed while it takes over, {self.engine}")
        self.finish_all()
        self.assert_all_exact()


for _number, _point in enumerate(KillTests.POINTS):
    generate(KillTests, _point, lambda self, point=_point, ledger=LEDGERS[_number % 2]: self.check_killed_at(point, ledger))
for _point in ("queue.taken:1", "resume.epoch:1", "resume.decided:1"):
    generate(KillTests, f"taking over {_point}", lambda self, point=_point: self.check_killed_while_taking_over(point))


class RandomTests(QueueFaultCase):
    """Two workers at once, killed again and again."""

    def start_one(self, ledger):
        return self.work("--sleep", f"{self.random.randrange(30)}ms", ledger=ledger)

    def check_moment(self, number):
        self.random = random.Random(f"{SEED}/{self.engine}/{number}")
        ledgers = self.random.choice((LEDGERS, LEDGERS, (LEDGERS[0],) * 2))
        with self.application():
            workers = [self.start_one(ledger) for ledger in ledgers]
            for _ in range(KILLS):
                time.sleep(self.random.uniform(0, 0.6))  # this is the fault, not a synchronisation
                which = self.random.randrange(2)
                if kill(workers[which]):
                    count(f"worker killed at a random moment, {self.engine}")
                workers[which] = self.start_one(ledgers[which])
            self.finish_all(*workers)
        self.assert_all_exact()


def _moment(number):
    def test(self):
        try:
            self.check_moment(number)
        except AssertionError as error:
            raise AssertionError(f"DATACHANGE_FAULTS_SEED={SEED}: {error}") from error
    return test


for _number in range(times(MOMENTS)):
    generate(RandomTests, f"moment {_number:04}", _moment(_number))


class ZombieTests(QueueFaultCase):
    """A worker that sleeps longer than it said is taken for dead, and changes nothing when it wakes up."""

    def check_zombie(self, point, code=0):
        sleeper = self.work("--worker-timeout", "1s", DATACHANGE_FAILPOINT=f"{point}:STOP")
        wait_until(lambda: process_state(sleeper) in ("T", None), f"the worker stops at {point}")
        self.assertEqual(process_state(sleeper), "T", f"never came through {point}")
        other = self.work(ledger=LEDGERS[1])
        result = other.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn("nobody hears of", result.err)
        before = self.everything()
        sleeper.send(signal.SIGCONT)
        result = sleeper.finish()
        count(f"worker taken for dead that was not, {self.engine}")
        self.assertEqual(result.code, code, result)
        self.assertIn("somebody else has taken it", result.err)
        after = self.everything()
        self.assertEqual([part for part in before if before[part] != after[part]], [])
        self.assert_all_exact()


for _point in ("queue.taken:1", "run.begun:1", "run.taken:1", "ledger.settled:2", "run.finishing:1", "queue.executed:1"):
    generate(ZombieTests, _point, lambda self, point=_point: self.check_zombie(point))


class LongTests(QueueFaultCase):
    """A worker in one long transaction is not dead."""

    SECONDS = {"postgresql": "(SELECT count(pg_sleep(2.5))) = 1",
               "sqlite": "(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 12000000)"
                         " SELECT count(*) FROM c) > 1"}

    def test_it_is_let_alone(self):
        for version in VERSIONS[1:]:
            self.assertEqual(self.tool("queue", "--remove", version).code, 0)
        self.define(name="append_1", version=VERSIONS[0], text=subjects.definition(
            "SELECT id, amount FROM items WHERE status = 'open'",
            f"UPDATE items SET amount = amount * 2 WHERE status = 'open' AND {self.SECONDS[self.engine]}"
            " RETURNING id, amount", header="-- transaction: single"))
        self.assertEqual(self.tool("queue", "--remove", VERSIONS[0]).code, 0)
        self.assertEqual(self.tool("enqueue", VERSIONS[0]).code, 0)
        workers = [self.work("--worker-timeout", "1s", batches=False) for _ in range(2)]
        self.finish_all(*workers)
        self.assertEqual(self.database.rows("SELECT claim, attempts FROM datachange_queue WHERE state = 'done'"), [("1", "0")])


class ServerTests(QueueFaultCase):
    """The server goes away for a while."""

    def test_the_worker_waits_for_it(self):
        worker = self.start("work", "--poll-interval", "50ms", "--retry-delay", "100ms", "--max-attempts", "100",
                            "--batch-threshold", "1", "--batch-size", "10", "--sleep", "50ms", "--retries", "0")
        self.ledgers.add("datachange-ledger.db")
        for _ in range(2):
            wait_until(lambda: self.database.rows("SELECT count(*) FROM datachange_batches") > [("1",)], "batches are done")
            self.database.close()
            self.server.stop("immediate")
            count("immediate stop and start of the server under a worker")
            self.server.start()
        wait_until(lambda: self.head() is None, "all is done")
        worker.send(signal.SIGTERM)
        result = worker.finish()
        self.assertEqual(result.code, 0, result)
        self.database.execute("UPDATE datachange_queue SET attempts = 0")
        self.assert_all_exact()


for _name, _tests in (("Kill", KillTests), ("Random", RandomTests), ("Zombie", ZombieTests), ("Long", LongTests)):
    for _base, _engine in ((SqliteFaults, "Sqlite"), (PostgresFaults, "Postgres")):
        _made = type(f"{_name}On{_engine}", (_tests, _base), {"__module__": __name__})
        globals()[_made.__name__] = _made
ServerOnPostgres = type("ServerOnPostgres", (ServerTests, OwnServerFaults), {"__module__": __name__})
del KillTests, RandomTests, ZombieTests, LongTests, ServerTests


def of_engine(engine):
    """What suite.txt names: all tests of an engine."""
    def suite():
        cases = [case for name, case in globals().items() if name.endswith("On" + engine)]
        return unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, cases))
    return suite


on_sqlite, on_postgres = of_engine("Sqlite"), of_engine("Postgres")

if __name__ == "__main__":
    unittest.main()
