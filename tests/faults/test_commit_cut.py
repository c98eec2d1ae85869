"""The connection is cut at a COMMIT, before the server has it or before its answer: at every COMMIT of a run."""

import os
import re
import unittest

import subjects
from counting import count
from faults import PENDING, PostgresFaults
from tcp_proxy import AFTER, BEFORE, CommitCutter

SANITIZED = os.environ.get("DATACHANGE_SANITIZE") == "1"


class CutTests(PostgresFaults):
    size = 20

    def through(self, proxy):
        return re.sub(r"@[^/]*/", f"@127.0.0.1:{proxy.port}/", self.database.url) + "?sslmode=disable&gssencmode=disable"

    def cutter(self, place=BEFORE, number=0):
        port = int(re.search(r":(\d+)/", self.database.url)[1])
        proxy = CommitCutter(port, place, number)
        self.addCleanup(proxy.close)
        return proxy

    def commits_of(self, subject):
        """How many COMMITs an undisturbed run has, those of its reading transactions included."""
        with self.another_place():
            self.prepare(subject)
            proxy = self.cutter()
            self.run_ok(*self.flags(), DATABASE_URL=self.through(proxy))
            self.assert_exact()
            return proxy.commits

    def cut_every_commit(self, subject, place):
        commits = self.commits_of(subject)
        self.assertGreater(commits, 1)
        for number in range(1, commits + 1, 5 if SANITIZED else 1):
            with self.subTest(number=number, of=commits), self.another_place():
                self.prepare(subject)
                self.cut_one(place, number)

    def cut_one(self, place, number):
        proxy = self.cutter(place, number)
        result = self.tool("run", "fill", *self.flags(), DATABASE_URL=self.through(proxy))
        self.assertEqual(proxy.cuts, 1)
        count(f"connection cut {place} a COMMIT")
        if result.code != 0 or self.state() != "done":
            # 1, 5: cut so early that nothing had been changed
            self.assertIn(result.code, PENDING + (1, 5), result)
            self.assertTrue(result.code in PENDING or self.committed() == 0, result)
            self.assert_nothing_unrecorded()
            self.finish()
        self.assert_exact()

    def test_single_before(self):
        self.cut_every_commit(subjects.SINGLE, BEFORE)

    def test_single_after(self):
        self.cut_every_commit(subjects.SINGLE, AFTER)

    def test_range_before(self):
        self.cut_every_commit(subjects.RANGE, BEFORE)

    def test_range_after(self):
        self.cut_every_commit(subjects.RANGE, AFTER)

    def test_range_after_with_workers(self):
        self.workers = 2
        self.cut_every_commit(subjects.RANGE, AFTER)

    def test_range_before_with_workers(self):
        self.workers = 2
        self.cut_every_commit(subjects.RANGE, BEFORE)

    def test_keys_before(self):
        self.cut_every_commit(subjects.KEYS, BEFORE)

    def test_keys_after(self):
        self.cut_every_commit(subjects.KEYS, AFTER)


if __name__ == "__main__":
    unittest.main()
