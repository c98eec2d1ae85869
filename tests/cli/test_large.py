"""Large tables: batches by themselves or one transaction, every row on record once, and little memory."""

import os
import subprocess
import unittest

from support import TOOL, PostgresCase, Result, SqliteCase

MEMORY = 64 * 1024  # kB
SANITIZED = os.environ.get("DATACHANGE_SANITIZE") == "1"  # then much of the memory is not the tool's


class LargeTests:
    def measured(self, *flags):
        """Runs fill. @return what --json printed, and the greatest memory that the client had, in kB."""
        with open(self.path("out"), "w+", encoding="utf-8") as out, open(self.path("err"), "w+", encoding="utf-8") as err:
            process = subprocess.Popen([TOOL, "run", "fill", "--json", *flags], cwd=self.folder, env=self.environment(),
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            result = Result(process.returncode, out.read(), err.read())
        self.assertEqual(result.code, 0, result)
        return result.json, usage.ru_maxrss

    def check(self, rows, unfilled, printed, memory, mode):
        self.assertEqual((printed["mode"], printed["rows"]["pre"], printed["rows"]["updated"], printed["warnings"]),
                         (mode, unfilled, unfilled, []))
        if mode == "single":
            self.assertEqual(printed["batches"], 1)
        else:
            self.assertGreaterEqual(printed["batches"], unfilled // 10_000)  # the greatest size of a batch
        if not SANITIZED:
            self.assertLess(memory, MEMORY, "kB of memory")
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["0"])
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name = 'user ' || id"), [str(rows)])
        self.assertEqual(self.ledger("SELECT action, count(*), count(DISTINCT identifier) FROM changes GROUP BY action"),
                         [("updated", unfilled, unfilled)])
        self.assertEqual(self.ledger("SELECT sum(updated), count(*) FROM batches WHERE state = 'committed'"),
                         [(unfilled, printed["batches"])])
        self.assertEqual(self.journal(), [("done", str(unfilled), str(printed["batches"]))])
        for name in ("pre", "change", "post", "diff"):
            with open(self.path(printed["csv"][name]), "rb") as file:
                self.assertEqual(sum(1 for _ in file), unfilled + 1, name)
        key = self.column("SELECT max(id) FROM users WHERE id % 2 = 1")[0]
        (entry,) = self.tool("history", "--identifier", key, "--json").json
        self.assertEqual((entry["before"], entry["after"]),
                         ({"id": int(key), "name": None}, {"id": int(key), "name": f"user {key}"}))

    BY_KEY_LIST = {"pre": "SELECT id, name FROM users WHERE name IS NULL",
                   "change": "UPDATE users SET name = 'user ' || id WHERE :affected(id) RETURNING id, name"}
    AT_ONCE = {"pre": "SELECT id, name FROM users WHERE name IS NULL",
               "change": "UPDATE users SET name = 'user ' || id WHERE name IS NULL RETURNING id, name"}

    def large(self, rows, unfilled, *flags, **parts):
        self.define(**{"change": "UPDATE users SET name = 'user ' || id WHERE name IS NULL AND :batch(id) RETURNING id,"
                                 " name", **parts})
        printed, memory = self.measured(*flags)
        self.check(rows, unfilled, printed, memory, "single" if "--single-transaction" in flags else "batched")


class LargeOnPostgres(LargeTests, PostgresCase):
    ROWS = 200_000 if SANITIZED else 1_000_000

    def setUp(self):
        super().setUp()
        self.database.execute("CREATE TABLE users (id integer PRIMARY KEY, name text);"
                              f"INSERT INTO users SELECT i, CASE WHEN i % 2 = 0 THEN 'user ' || i END FROM"
                              f" generate_series(1, {self.ROWS}) i")

    def test_a_million_rows_by_range(self):
        self.database.execute("UPDATE users SET name = NULL; VACUUM ANALYZE users")
        self.large(self.ROWS, self.ROWS)

    def test_half_a_million_rows_by_key_list(self):
        self.large(self.ROWS, self.ROWS // 2, **self.BY_KEY_LIST)

    def test_half_a_million_rows_by_range_in_one_transaction(self):
        self.large(self.ROWS, self.ROWS // 2, "--single-transaction")

    def test_half_a_million_rows_by_key_list_in_one_transaction(self):
        self.large(self.ROWS, self.ROWS // 2, "--single-transaction", **self.BY_KEY_LIST)

    def test_half_a_million_rows_by_one_statement(self):
        self.large(self.ROWS, self.ROWS // 2, "--single-transaction", **self.AT_ONCE)

    def test_rows_that_lie_in_another_order_than_their_keys(self):
        self.database.execute("CREATE TABLE other AS SELECT id, name FROM users ORDER BY id % 1000, id; DROP TABLE users;"
                              "ALTER TABLE other RENAME TO users; ALTER TABLE users ADD PRIMARY KEY (id)")
        self.large(self.ROWS, self.ROWS // 2, "--single-transaction", **self.AT_ONCE)


class LargeOnSqlite(LargeTests, SqliteCase):
    ROWS = 200_000

    def setUp(self):
        super().setUp()
        self.make_users(count=self.ROWS, named=0)

    def test_200_000_rows_by_range(self):
        self.large(self.ROWS, self.ROWS)

    def test_200_000_rows_by_key_list(self):
        self.large(self.ROWS, self.ROWS, **self.BY_KEY_LIST)

    def test_200_000_rows_by_range_in_one_transaction(self):
        self.large(self.ROWS, self.ROWS, "--single-transaction")

    def test_200_000_rows_by_key_list_in_one_transaction(self):
        self.large(self.ROWS, self.ROWS, "--single-transaction", **self.BY_KEY_LIST)

    def test_200_000_rows_by_one_statement(self):
        self.large(self.ROWS, self.ROWS, "--single-transaction", **self.AT_ONCE)


if __name__ == "__main__":
    unittest.main()
