"""A COMMIT that hangs: the tool is dead, its transaction is neither committed nor rolled back yet."""

import os
import signal
import subprocess
import unittest

import subjects
from counting import count
from faults import generate
from own_server import OwnServerFaults
from support import wait_until


class HangingCommitTests(OwnServerFaults):
    size = 10

    def hang_commits(self):
        """Each waits for a synchronous replica that never comes."""
        self.server.set("synchronous_standby_names", "nobody")
        self.addCleanup(self.server.set, "synchronous_standby_names", None)
        wait_until(self.a_probe_hangs, "COMMITs hang")

    def a_probe_hangs(self):
        """The setting is in force when the checkpointer has read it, which nothing tells but a COMMIT."""
        probe = subprocess.Popen(["psql", "-X", "-q", "-d", self.database.url, "-c", "SELECT pg_logical_emit_message(true, '', '')"],
                                 stdout=subprocess.DEVNULL, env={**os.environ, "PGAPPNAME": "probe"})
        self.addCleanup(probe.wait)
        hangs = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'probe' AND wait_event = 'SyncRep'"
        wait_until(lambda: probe.poll() is not None or self.database.rows(hangs), "the probe ends or hangs")
        return probe.poll() is None

    def let_commits_through(self):
        self.server.set("synchronous_standby_names", None)


def hangs(subject, batch, by):
    def test(self):
        self.prepare(subject)
        self.undisturbed()
        run = self.stopped_at(f"ledger.prepared:{batch}")
        self.hang_commits()
        run.send(signal.SIGCONT)
        self.wait_beside(run, lambda: self.tool_sessions(where="wait_event = 'SyncRep'"), "the COMMIT hangs")
        run.send(signal.SIGKILL)
        run.finish()
        count("kill -9 while a COMMIT hangs")
        resume = self.start(*(("run", "fill", *self.flags()) if by == "run" else self.resume_command()))
        wait_until(lambda: self.tool_sessions(where="wait_event_type = 'Lock'") or not resume.running, "resume waits")
        self.assertTrue(resume.running, "resume did not wait for the COMMIT in flight")
        self.assertEqual(self.committed(), batch - 1)
        self.let_commits_through()
        result = resume.finish()
        self.assertEqual(result.code, 0, result)
        self.assert_exact()
        self.assertEqual(len([name for (name,) in self.ledger("SELECT batch FROM batches WHERE state = 'committed'")
                              if name == str(batch)]), len(subject.steps))
    return test


generate(HangingCommitTests, "range resume", hangs(subjects.RANGE, 2, "resume"))
generate(HangingCommitTests, "range run again", hangs(subjects.RANGE, 3, "run"))
generate(HangingCommitTests, "keys resume", hangs(subjects.KEYS, 2, "resume"))
generate(HangingCommitTests, "single resume", hangs(subjects.SINGLE, 1, "resume"))
generate(HangingCommitTests, "composite key resume", hangs(subjects.PAIRS, 4, "resume"))

if __name__ == "__main__":
    unittest.main()
