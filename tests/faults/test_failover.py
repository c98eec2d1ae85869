"""The primary dies, and a replica that lacks some committed batches becomes the primary."""

import unittest

import exactness
import subjects
from faults import VERSION, generate
from own_server import PairFaults

REACHED, LOST = 3, 2  # batches that the replica gets, and that it does not


class FailoverTests(PairFaults):
    def check_lost(self):
        """They stay in the ledger with their rows, under names that are not used again."""
        lost = self.ledger("SELECT step, batch, rows FROM batches WHERE state = 'lost'")
        self.assertEqual(len(lost), LOST)
        self.assertEqual(sum(rows for _, _, rows in lost),
                         self.ledger("SELECT count(*) FROM change JOIN batch b ON b.id = batch_id WHERE b.state = 'lost'")[0][0])
        again = exactness.journal_batches(self.database, self.uuid()).keys()
        self.assertEqual([batch for step, batch, _ in lost if (step, batch) in again], [])


def loses_batches(subject):
    def test(self):
        self.prepare(subject)
        self.undisturbed()
        replica = self.replicate()
        self.killed_at(f"ledger.settled:{REACHED}", kind="kill -9 before a failover")
        replica.catch_up()
        replica.disconnect()
        # with one batch more in doubt, which was rolled back on both; the ledger knows from it that the others stood
        self.killed_at(f"ledger.prepared:{LOST + 1}", *self.resume_command(VERSION), kind="kill -9 before a failover")
        self.assertEqual(self.committed(), REACHED + LOST)
        self.fail_over_to(replica)
        self.assertEqual(self.committed(), REACHED)
        self.finish()
        self.check_lost()
        self.assert_exact()
    return test


for _subject in (subjects.RANGE, subjects.KEYS, subjects.PAIRS):
    generate(FailoverTests, f"{_subject.name} lost batches are done again", loses_batches(_subject))

if __name__ == "__main__":
    unittest.main()
