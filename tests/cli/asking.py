"""What the tests of diff, history and query share: users, a table with a composite key, and a terminal."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import time

from support import DEADLINE, TOOL, Result

LEDGER = "datachange-ledger.db"
COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"  # never ends
LINES = """-- ticket: OPS-7
-- audit:step more
-- table: lines
-- identifier: a, b
-- audit:pre
SELECT a, b, n FROM lines WHERE a = 7;
-- audit:change
UPDATE lines SET n = n + 1 WHERE a = 7 RETURNING a, b, n;
-- audit:step gone
-- table: lines
-- identifier: a, b
-- audit:pre
SELECT a, b, n FROM lines WHERE a = 8;
-- audit:change
DELETE FROM lines WHERE a = 8 RETURNING a, b, n;
-- audit:step new
-- table: users
-- identifier: id
-- audit:pre
SELECT id, name FROM users WHERE id = 40;
-- audit:change
INSERT INTO users (id, name) VALUES (40, 'late') RETURNING id, name;
"""


class AskCase:
    """Users 1 to 12, of whom 1 to 9 have no name; a run of its own for each test."""

    def setUp(self):
        super().setUp()
        self.make_users(12, 3)

    def chr(self, code):
        return f"{'chr' if self.engine == 'postgresql' else 'char'}({code})"

    def make_lines(self):
        self.database.execute("CREATE TABLE lines (a integer, b text, n integer, PRIMARY KEY (a, b));"
                              "INSERT INTO lines VALUES (7, 'x', 1), (7, 'q\"r', 2), (8, 'y', 3)")
        self.define(LINES, name="lines", version="20260101000003")
        self.run_ok(definition="lines")

    def diff(self, *flags, run="1"):
        result = self.tool("diff", run, *flags)
        self.assertEqual((result.code, result.err), (0, ""), result)
        return result.out

    def keys(self, *flags, run="1"):
        return [row["identifier"] for row in json.loads(self.diff("--json", *flags, run=run))]

    def query(self, sql, *flags):
        result = self.tool("query", sql, *flags)
        self.assertEqual((result.code, result.err), (0, ""), result)
        return result.out

    def on_terminal(self, *arguments, interrupt=False, **variables):
        """Runs the tool on a terminal. @return what the terminal got; with `interrupt` Ctrl-C is pressed at its first"""
        controller, terminal = pty.openpty()
        environment = self.environment(**{"TERM": "xterm", "COLUMNS": None, "LINES": None, **variables})
        with contextlib.closing(os.fdopen(controller, "rb", buffering=0)) as screen:
            process = subprocess.Popen([TOOL, *arguments], cwd=self.folder, env=environment, stdin=terminal,
                                       stdout=terminal, stderr=terminal, start_new_session=True)
            os.close(terminal)
            shown = screen.read(1)
            if interrupt:
                os.killpg(process.pid, signal.SIGINT)
            shown += self.read_all(screen)
            return Result(process.wait(timeout=DEADLINE), shown.decode(), "")

    def read_all(self, screen):
        shown = b""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and select.select([screen], [], [], DEADLINE)[0]:
            try:
                piece = screen.read(65536)
            except OSError:  # Linux: the last of the other side has closed
                return shown
            if not piece:
                return shown
            shown += piece
        raise AssertionError(f"the terminal is still open: {shown!r}")
