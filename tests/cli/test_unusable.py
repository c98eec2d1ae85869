"""A target, a ledger or a CSV folder that cannot be used: exit status 5, before anything is changed."""

import os
import shutil
import socket
import sqlite3
import unittest

from support import PostgresCase, SqliteCase, small, without_rights

WRONG = "wrong-and-never-to-be-shown"


def file_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class LedgerTests:
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()

    def refused_ledger(self, ledger, *words, prefix=()):
        with self.nothing_changes():
            result = self.tool("run", "fill", "--ledger", ledger, prefix=prefix)
        self.assert_failed(result, 5, ledger, *words)
        self.assertFalse(self.has_journal())

    def test_a_ledger_below_a_file(self):
        self.write("notes.txt", "a file")
        self.refused_ledger("notes.txt/ledger.db", "cannot create the ledger")

    def test_a_ledger_in_a_folder_that_is_not_there(self):
        self.refused_ledger("nowhere/ledger.db", "cannot create the ledger")
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_a_ledger_in_a_folder_that_may_not_be_written(self):
        os.mkdir(self.path("kept"), 0o555)
        self.refused_ledger("kept/ledger.db", "cannot create the ledger", prefix=without_rights())
        self.assertEqual(os.listdir(self.path("kept")), [])

    def test_a_ledger_in_proc(self):
        self.refused_ledger("/proc/ledger.db", "cannot create the ledger")

    def test_a_ledger_that_may_not_be_written(self):
        self.run_ok("--ledger", "kept.db", "--again")
        journal = [name for name in self.database.tables() if "datachange_" in name]
        journal.sort(key=lambda name: name.endswith("_runs"))  # last: others refer to it
        self.database.execute("".join(f"DROP TABLE {name};" for name in journal) +
                              "UPDATE users SET name = NULL WHERE id = 1")
        before = file_bytes(self.path("kept.db"))
        os.chmod(self.path("kept.db"), 0o444)
        os.chmod(self.folder, 0o555)
        try:
            self.refused_ledger("kept.db", "kept.db", prefix=without_rights())
        finally:
            os.chmod(self.folder, 0o755)
        self.assertEqual(file_bytes(self.path("kept.db")), before)

    def test_a_folder_in_place_of_the_ledger(self):
        os.mkdir(self.path("folder.db"))
        self.refused_ledger("folder.db", "is a folder")

    def test_a_file_that_is_no_sqlite_file(self):
        self.write("notes.txt", "these are notes, and no ledger at all\n" * 100)
        before = file_bytes(self.path("notes.txt"))
        self.refused_ledger("notes.txt", "is not a SQLite file")
        self.assertEqual(file_bytes(self.path("notes.txt")), before)

    def test_another_sqlite_database(self):
        with_rows = sqlite3.connect(self.path("other.db"))
        with_rows.executescript("CREATE TABLE things (id integer); INSERT INTO things VALUES (1)")
        with_rows.close()
        before = file_bytes(self.path("other.db"))
        self.refused_ledger("other.db", "is a SQLite database, but no ledger")
        self.assertEqual(file_bytes(self.path("other.db")), before)

    def test_a_ledger_of_a_newer_version_is_left_as_it_is(self):
        self.run_ok("--ledger", "newer.db")
        ledger = sqlite3.connect(self.path("newer.db"), isolation_level=None)
        ledger.execute("PRAGMA user_version = 99")
        ledger.execute("PRAGMA journal_mode = DELETE")
        ledger.close()
        before = file_bytes(self.path("newer.db"))
        with self.nothing_changes():
            for command in (["run", "fill", "--again"], ["run", "fill", "--again", "--dry-run"], ["runs"], ["show", "1"],
                            ["history", "--identifier", "1"]):
                with self.subTest(command):
                    result = self.tool(*command, "--ledger", "newer.db")
                    self.assert_failed(result, 5, "schema version 99", "newer datachange")
        self.assertEqual(file_bytes(self.path("newer.db")), before)

    def test_no_ledger_to_read(self):
        for command in (["runs"], ["show", "1"], ["history", "--identifier", "1"]):
            with self.subTest(command):
                self.assert_failed(self.tool(*command), 5, "no ledger at datachange-ledger.db")
        self.assertFalse(os.path.exists(self.path("datachange-ledger.db")))

    def test_a_csv_folder_below_a_file(self):
        self.write("notes.txt", "a file")
        self.refused(5, "cannot create the folder notes.txt", "--csv-dir", flags=["--csv-dir", "notes.txt/csv"])
        self.assertFalse(self.has_journal())
        self.assertEqual(self.ledger("SELECT count(*) FROM runs"), [(0,)])

    def test_a_csv_folder_that_may_not_be_written(self):
        os.mkdir(self.path("kept"), 0o555)
        with self.nothing_changes():
            result = self.tool("run", "fill", "--csv-dir", "kept", prefix=without_rights())
        self.assert_failed(result, 5, "kept/20260101000000_fill", "--csv-dir")
        self.assertEqual(os.listdir(self.path("kept")), [])
        self.assertFalse(self.has_journal())

    def test_a_dry_run_looks_at_the_same(self):
        self.write("notes.txt", "a file")
        self.refused(5, "cannot create the folder notes.txt", flags=["--dry-run", "--csv-dir", "notes.txt/csv"])
        self.refused(5, "notes.txt/ledger.db", flags=["--dry-run", "--ledger", "notes.txt/ledger.db"])

    def test_a_database_that_is_not_supported(self):
        self.refused(2, "mysql databases are not supported", "postgresql://", DATABASE_URL="mysql://localhost/shop")

    def test_no_database_at_all(self):
        self.refused(2, "no database is given", "--database", DATABASE_URL=None)


class LedgerOnSqlite(LedgerTests, SqliteCase):
    def test_the_target_as_ledger(self):
        self.refused_ledger(self.database.path, "is a SQLite database, but no ledger")


class LedgerOnPostgres(LedgerTests, PostgresCase):
    pass


class SqliteTargetTests(SqliteCase):
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()

    def unusable(self, path, *words, prefix=()):
        for command in (["run", "fill"], ["run", "fill", "--dry-run"]):
            with self.subTest(command), self.nothing_changes():
                self.assert_failed(self.tool(*command, "--database", path, prefix=prefix), 5, *words)

    def test_a_file_that_is_not_there_is_not_made(self):
        self.unusable("shop.db", "there is no file", "shop.db", "never creates a database")
        self.unusable("sqlite:nowhere/shop.db", "there is no file")
        self.assertFalse(os.path.exists(self.path("shop.db")))

    def test_what_is_no_database(self):
        self.write("empty.db", "")
        self.unusable("empty.db", "is empty and not a database")
        self.write("notes.txt", "these are notes, and no database at all\n" * 100)
        self.unusable("notes.txt", "notes.txt", "not a database")
        self.unusable(self.folder, "is not a file")

    def test_a_file_that_may_not_be_written(self):
        os.mkdir(self.path("data"))
        shutil.move(self.database.path, self.path("data", "target.db"))
        self.database.path = self.path("data", "target.db")
        os.chmod(self.database.path, 0o444)
        self.unusable("data/target.db", "cannot be written", "permissions of the file", prefix=without_rights())

    def test_a_folder_that_may_not_be_written(self):
        os.mkdir(self.path("data"))
        shutil.move(self.database.path, self.path("data", "target.db"))
        self.database.path = self.path("data", "target.db")
        os.chmod(self.path("data"), 0o555)
        self.unusable("data/target.db", "cannot be written", "permissions of the folder", prefix=without_rights())

    def test_a_database_that_another_process_writes(self):
        writer = self.database.connect()
        self.addCleanup(writer.close)
        writer.execute("BEGIN IMMEDIATE")
        with self.nothing_changes():
            result = self.tool("run", "fill")
        self.assertEqual(result.code, 1, result)
        self.assertIn("database is locked", result.err)
        self.assertIn("Another process holds the database", result.err)


class PostgresTargetTests(PostgresCase):
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()

    def unusable(self, url, *words, **variables):
        for command in (["run", "fill"], ["run", "fill", "--dry-run"]):
            with self.subTest(command), self.nothing_changes():
                self.assert_failed(self.tool(*command, "--database", url, **variables), 5, *words)
        self.assertFalse(self.has_journal())

    def test_a_server_that_does_not_answer(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # bound, and not listening: refused, and nobody else can take it
            port = nobody.getsockname()[1]
            self.unusable(f"postgresql://me@127.0.0.1:{port}/shop",
                          f"cannot connect to postgresql://me@127.0.0.1:{port}/shop", "Connection refused")

    def test_a_database_that_is_not_there(self):
        url = self.database.url.replace(self.database.name, "no_such_database_here")
        self.unusable(url, 'database "no_such_database_here" does not exist', "Check the name of the database")

    def test_a_role_that_is_not_there(self):
        self.unusable(self.database.url_of("nobody_of_that_name"), 'role "nobody_of_that_name" does not exist')

    def test_a_url_that_libpq_does_not_understand(self):
        url = f"postgresql://me:{WRONG}@[::1/shop"
        self.unusable(url, "libpq does not understand the database URL")
        self.assertNotIn(WRONG, self.tool("run", "fill", "--database", url).err)

    def test_a_database_that_is_read_only(self):
        self.database.execute(f"ALTER DATABASE {self.database.name} SET default_transaction_read_only = on")
        # psql, which looks at the tables afterwards, only reads
        self.unusable(self.database.url, "is read-only for this session", "default_transaction_read_only")

    def test_a_connection_that_is_lost_before_commit(self):
        session = self.session()
        session.execute("BEGIN")
        session.execute("SELECT * FROM users WHERE id = 2 FOR UPDATE")
        with self.nothing_changes():
            run = self.start("run", "fill", "--retries", "0")
            self.wait_until_blocked()
            self.database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                  " WHERE datname = current_database() AND application_name LIKE 'datachange:%'")
            result = run.finish()
            session.execute("ROLLBACK")
        self.assert_failed(result, 5, "the connection to the server was lost")
        self.assertEqual(self.ledger("SELECT state FROM runs"), [("failed",)])

    def test_a_connection_that_is_lost_after_some_batches(self):
        session = self.session()
        session.execute("BEGIN")
        session.execute("SELECT * FROM users WHERE id = 3 FOR UPDATE")
        run = self.start("run", "fill", "--retries", "0", *small(1))
        self.wait_until_blocked()
        self.database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                              " WHERE datname = current_database() AND application_name LIKE 'datachange:%'")
        result = run.finish()
        session.execute("ROLLBACK")
        self.assert_failed(result, 6, "the connection to the server was lost",
                           "2 batches with 2 changed rows committed before")
        self.assertEqual(self.column("SELECT id FROM users WHERE name = 'filled' ORDER BY id"), ["1", "2"])
        self.assertEqual(self.actions(), {"1": "updated", "2": "updated"})


if __name__ == "__main__":
    unittest.main()
