"""What a run tells of itself while it goes on."""

import contextlib
import json
import os
import subprocess
import unittest

from support import DEADLINE, TOOL, PostgresCase, SqliteCase, small


class ProgressTests:
    def setUp(self):
        super().setUp()
        self.make_users(count=40, named=0)
        self.define()

    def test_json_lines_on_stderr(self):
        result = self.tool("run", "fill", "--progress", "json", *small(2))
        self.assertEqual(result.code, 0, result)
        events = [json.loads(line) for line in result.err.splitlines()]
        self.assertTrue(events)
        last = events[-1]
        self.assertEqual((last["event"], last["rows"], last["total"], last["batches"]), ("progress", 40, 40, 20))
        self.assertEqual(last["title"], "20260101000000 fill")

    def test_warnings_are_json_too(self):
        self.define(change="UPDATE users SET name = 'x' WHERE id = 1 AND :batch(id) RETURNING id, name")
        result = self.tool("run", "fill", "--progress", "json", "--json")
        events = [json.loads(line) for line in result.err.splitlines()]
        self.assertIn(("warning", result.json["warnings"][0]), [(event["event"], event.get("text")) for event in events])

    def test_no_codes_of_a_terminal_where_there_is_none(self):
        for flags in ([], ["--progress", "lines"], ["--progress", "none"], ["--quiet"]):
            with self.subTest(flags=flags):
                result = self.tool("run", "fill", "--again", *flags, *small(2))
                self.assertEqual(result.code, 0, result)
                self.assertNotIn("\x1b", result.out + result.err)
                self.assertNotIn("\r", result.err)

    def test_a_bar_without_color_if_asked_for(self):
        result = self.tool("run", "fill", "--progress", "bar", NO_COLOR="1")
        self.assertEqual(result.code, 0, result)
        self.assertNotIn("\x1b[32m", result.err)

    def test_a_style_that_is_none(self):
        self.refused(2, "--progress", flags=["--progress", "balloons"])


class SlowRunTests(PostgresCase):
    """What is shown of a run that takes its time: its second batch waits for a lock of the test's own."""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.holder = self.session()
        self.holder.execute("BEGIN")
        self.holder.execute("SELECT * FROM users WHERE id = 2 FOR UPDATE")

    def watched(self, word, *flags, terminal=False, **variables):
        """What a run has written to stderr when it ended, which it may when the word has come."""
        output, stderr = os.openpty() if terminal else os.pipe()
        with open(output, "rb", buffering=0) as reader:
            run = subprocess.Popen([TOOL, "run", "fill", "--lock-timeout", "1h", *small(1), *flags], cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                                   env=self.environment(**variables))
            os.close(stderr)
            self.addCleanup(run.kill)
            written = b""
            with contextlib.suppress(OSError):  # how a terminal says that nobody is left
                while piece := reader.read(4096):
                    if word in written + piece and word not in written:
                        self.holder.execute("ROLLBACK")
                    written += piece
        self.assertEqual(run.wait(timeout=DEADLINE), 0, written)
        self.assertIn(word, written)
        return written.decode()

    def test_a_bar_on_a_terminal_that_is_gone_at_the_end(self):
        text = self.watched(b"1 of 3 rows", terminal=True, TERM="xterm")
        self.assertRegex(text, r"\[\x1b\[32m#+\x1b\[0m\.+\] +33 % +1 of 3 rows")
        self.assertTrue(text.endswith("\r\x1b[K"), text)

    def test_a_bar_without_colors(self):
        text = self.watched(b"1 of 3 rows", terminal=True, TERM="xterm", NO_COLOR="1")
        self.assertRegex(text, r"\[#+\.+\] +33 % +1 of 3 rows")

    def test_lines_on_a_terminal_that_cannot_move_its_cursor(self):
        text = self.watched(b"1 of 3 rows", terminal=True, TERM="dumb")
        self.assertRegex(text, r"(?m)^20260101000000 fill: 1 of 3 rows \(33 %\), 1 batch, ")
        self.assertNotIn("\x1b", text)

    def test_lines_where_there_is_no_terminal(self):
        text = self.watched(b"1 of 3 rows", TERM="xterm")
        self.assertRegex(text, r"(?m)^20260101000000 fill: 1 of 3 rows \(33 %\), 1 batch, \d+ rows/s, ETA \d+:\d\d\n")

    def test_events_for_machines(self):
        events = [json.loads(line) for line in self.watched(b'"rows":1', "--progress", "json").splitlines()]
        self.assertEqual({event["event"] for event in events}, {"progress"})
        rows = [(event["rows"], event["total"]) for event in events]
        self.assertIn((1, 3), rows)
        self.assertEqual(rows[-1], (3, 3))


class ProgressOnSqlite(ProgressTests, SqliteCase):
    pass


class ProgressOnPostgres(ProgressTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
