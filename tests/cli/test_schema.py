"""Schema migrations between definitions: applied once, in one order, whatever happens."""

import hashlib
import os
import re
import signal
import sys
import unittest

from support import PostgresCase, SqliteCase, VERSION, definition_text, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tcp_proxy import AFTER, BEFORE, CommitCutter  # noqa: E402

FIRST, SECOND = "20251201000000", "20260201000000"


class SchemaTests:
    def setUp(self):
        super().setUp()
        self.make_users()

    def schema(self, text, name="change", version=FIRST):
        return self.write(f"schema/{version}_{name}.sql", text)

    def migrate(self, *flags, **variables):
        self.write("audits/README", "a folder")
        return self.tool("migrate", "--with-schema", "--schema-dir", "schema", *flags, **variables)

    def start_migrate(self, *flags, **variables):
        self.write("audits/README", "a folder")
        return self.start("migrate", "--with-schema", "--schema-dir", "schema", *flags, **variables)

    def migrate_ok(self, *flags, **variables):
        result = self.migrate(*flags, **variables)
        self.assertEqual(result.code, 0, result)
        return result

    def assert_ended(self, result, code, *words):
        """A failure at one of the versions: what was done before is told on stdout."""
        self.assertEqual(result.code, code, result)
        self.assertIn(" done on ", result.out)
        for word in words:
            self.assertIn(word, result.err)
        self.assertRegex(result.err, r"(?m)^hint: \S", result)

    def states(self):
        printed = self.tool("status", "--json", "--schema-dir", "schema").json
        return {line["version"]: (line["kind"], line["state"]) for line in printed["definitions"]}

    def rows(self):
        if not any("datachange_schema_migrations" in name for name in self.database.tables()):
            return []
        return self.database.rows("SELECT version, name, state, statements_done FROM datachange_schema_migrations"
                                  " ORDER BY version")

    def has(self, table):
        return any(name.split(".")[-1] == table for name in self.database.tables())

    # --- the ordinary way

    def test_it_is_applied_once_and_known(self):
        path = self.schema("-- what for\nCREATE TABLE plans (id integer PRIMARY KEY);\nINSERT INTO plans VALUES (1);")
        self.write("audits/README", "a folder")
        self.assertEqual(self.states(), {FIRST: ("schema", "pending")})
        self.assertFalse(self.has_journal())
        self.migrate_ok("--operator", "bert")
        self.assertEqual(self.column("SELECT id FROM plans"), ["1"])
        self.assertEqual(self.rows(), [(FIRST, "change", "done", "2")])
        self.assertEqual(self.states(), {FIRST: ("schema", "done")})
        with open(self.path(path), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        ((sha, by, error),) = self.database.rows("SELECT sha256, applied_by, error FROM datachange_schema_migrations")
        self.assertEqual((sha, by, error), (digest, "bert", None))
        self.migrate_ok()  # INSERT would fail
        self.assertEqual(self.column("SELECT id FROM plans"), ["1"])

    def test_the_ledger_has_it(self):
        self.schema("CREATE TABLE plans (id integer PRIMARY KEY);")
        self.migrate_ok("--operator", "bert")
        events = self.ledger("SELECT version, kind, detail, operator FROM version_events ORDER BY event_id")
        self.assertEqual([event[:2] + event[3:] for event in events], [(FIRST, "schema", "bert")] * 2)
        self.assertTrue(events[0][2].startswith("begun: schema/"), events)
        self.assertRegex(events[1][2], r"^applied, 1 statement in one transaction, \d+ ms: schema/.* \(SHA-256 [0-9a-f]{64}\)$")

    def test_both_kinds_in_one_order(self):
        # the definition needs a column that a schema migration before it adds, and one after it drops
        self.schema("ALTER TABLE users ADD COLUMN tier text;", "add_tier")
        self.define(text=definition_text(
            requires="users.tier", pre="SELECT id, tier FROM users WHERE :batch(id)",
            change="UPDATE users SET tier = 'free' WHERE :batch(id) RETURNING id, tier"))
        self.schema("CREATE TABLE old_notes AS SELECT id, note, tier FROM users; ALTER TABLE users DROP COLUMN note;",
                    "move_notes", SECOND)
        self.assertEqual(list(self.states().items()), [(FIRST, ("schema", "pending")), (VERSION, ("data", "pending")),
                                                       (SECOND, ("schema", "pending"))])
        self.migrate_ok()
        self.assertEqual(self.column("SELECT DISTINCT tier FROM old_notes"), ["free"])
        self.assertEqual([state for _, state in self.states().values()], ["done"] * 3)
        self.assertEqual(len(self.changes()), 5)

    def test_a_failure_keeps_what_is_behind_it_from_running(self):
        self.schema("ALTER TABLE nowhere ADD COLUMN x text;")
        self.define()
        self.schema("CREATE TABLE later (x text);", "later", SECOND)
        result = self.migrate()
        self.assertEqual(result.code, 1, result)
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["3"])
        self.assertFalse(self.has("later"))
        self.schema("ALTER TABLE users ADD COLUMN x text;")
        self.define(verify="SELECT 1 AS id")
        result = self.migrate()
        self.assertNotEqual(result.code, 0, result)
        self.assertFalse(self.has("later"))
        self.assertEqual(self.states()[FIRST], ("schema", "done"))
        self.assertEqual(self.states()[SECOND], ("schema", "pending"))
        self.define()
        self.migrate_ok()
        self.assertTrue(self.has("later"))

    def test_without_the_flag_a_pending_one_is_warned_of(self):
        self.schema("CREATE TABLE plans (x text);")
        self.define()
        result = self.tool("migrate", "--schema-dir", "schema")
        self.assertEqual(result.code, 0, result)
        self.assertIn(FIRST, result.err)
        self.assertIn("--with-schema", result.err)
        self.assertFalse(self.has("plans"))
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["0"])

    def test_without_a_folder_there_is_nothing_of_it(self):
        self.define()
        self.assertNotIn("kind", self.tool("status").out)
        self.assert_failed(self.tool("migrate", "--with-schema"), 2, "--schema-dir")
        self.assert_failed(self.migrate(), 2, "no such folder of schema migrations: schema")

    def test_new_writes_one(self):
        self.assert_failed(self.tool("new", "Add plans", "--schema"), 2, "there is no folder of schema migrations")
        path = self.tool("new", "Add plans", "--schema", "--schema-dir", "schema").out.strip()
        self.assertRegex(path, r"^schema/\d{14}_add_plans.sql$")
        self.assert_failed(self.migrate(), 2, "has no statement")
        with open(self.path(path), "a", encoding="utf-8") as file:
            file.write("CREATE TABLE plans (x text);\n")
        self.migrate_ok()
        self.assertTrue(self.has("plans"))

    # --- what is refused before anything runs

    def test_nothing_runs_where_a_later_file_is_wrong(self):
        self.schema("CREATE TABLE plans (x text);")
        self.schema("CREATE TABLE more (x text);\nCOMMIT;", "wrong", SECOND)
        result = self.migrate()
        self.assert_failed(result, 2, f"schema/{SECOND}_wrong.sql:2:1", "COMMIT is not allowed in a schema migration")
        self.assertFalse(self.has("plans") or self.has_journal())

    def test_versions_are_of_one_space(self):
        self.define()
        self.schema("CREATE TABLE plans (x text);", version=VERSION)
        for result in (self.migrate(), self.tool("status", "--schema-dir", "schema")):
            self.assert_failed(result, 2, f"audits/{VERSION}_fill.sql and schema/{VERSION}_change.sql")
        self.schema("SELECT 1;", "twin", SECOND)
        self.schema("SELECT 1;", "other", SECOND)
        self.assert_failed(self.migrate(), 2, f"two schema migrations of version {SECOND}")

    def test_names_that_are_no_versions(self):
        self.write("schema/2026_change.sql", "SELECT 1;")
        self.assert_failed(self.migrate(), 2, "not named like a schema migration: schema/2026_change.sql")

    # --- errors

    def test_an_error_names_place_code_and_statement(self):
        self.schema("CREATE TABLE plans (x text);\n\n  INSERT INTO plans\n  VALUES (1, 2);")
        result = self.migrate()
        self.assertEqual(result.code, 1, result)
        for word in (f"schema/{FIRST}_change.sql:3:3", self.too_many, "statement 2 of 2: INSERT INTO plans VALUES (1, 2)",
                     "Nothing of the file was applied."):
            self.assertIn(word, result.err)
        self.assertFalse(self.has("plans"))
        self.assertEqual(self.rows(), [])
        self.assertEqual(self.states(), {FIRST: ("schema", "pending")})
        (detail,) = self.ledger("SELECT detail FROM version_events WHERE detail LIKE 'not applied%'")
        self.assertIn(f"schema/{FIRST}_change.sql:3:3", detail[0])

    def test_edited_after_it_was_applied(self):
        self.schema("CREATE TABLE plans (x text);")
        self.migrate_ok()
        self.schema("CREATE TABLE plans (x text, y text);")
        self.assertEqual(self.states(), {FIRST: ("schema", "edited")})

    def test_a_file_that_is_gone(self):
        self.schema("CREATE TABLE plans (x text);")
        self.schema("CREATE TABLE other (x text);", "other", SECOND)
        self.migrate_ok()
        os.remove(self.path(f"schema/{FIRST}_change.sql"))
        self.assertIn("***** NO FILE ***** (change)", self.tool("status", "--schema-dir", "schema").out)

    # --- one by one

    def test_statements_on_their_own_go_on_behind_the_one_that_failed(self):
        text = f"-- transaction: no\nCREATE TABLE a (x integer);\n{self.alone}\nINSERT INTO nowhere VALUES (1);\n"
        self.schema(text)
        result = self.migrate()
        self.assertEqual(result.code, 6, result)
        for word in (f"schema/{FIRST}_change.sql:4:1", "statement 3 of 3: INSERT INTO nowhere", "2 statements before it stay",
                     "goes on with this one"):
            self.assertIn(word, result.err)
        self.assertEqual(self.rows(), [(FIRST, "change", "failed", "2")])
        self.assertEqual(self.states(), {FIRST: ("schema", "failed")})
        self.schema(text.replace("nowhere", "a"))
        result = self.migrate()
        self.assert_failed(result, 1, "was edited after 2 statements of it had been executed", "Put the file back", "mark ")
        self.database.execute("CREATE TABLE nowhere (x integer)")
        self.schema("CREATE TABLE earlier (x integer);", "earlier", "20251101000000")
        self.assertEqual(self.migrate().code, 1)
        self.assertFalse(self.has("earlier"), "nothing runs where a later file is known to be refused")
        self.schema(text)
        self.migrate_ok()  # CREATE TABLE a would fail
        self.assertEqual(self.column("SELECT x FROM nowhere"), ["1"])
        self.assertEqual(self.states()[FIRST], ("schema", "done"))

    def test_a_first_statement_that_was_wrong_may_be_edited(self):
        self.schema("-- transaction: no\nCREATE TABLE a (x integer;")
        self.assertEqual(self.migrate().code, 2)
        self.schema("-- transaction: no\nCREATE TABEL a (x integer);")
        self.assertEqual(self.migrate().code, 1)
        self.assertEqual(self.rows(), [(FIRST, "change", "failed", "0")])
        self.schema("CREATE TABLE a (x integer);")
        self.migrate_ok()
        self.assertEqual(self.rows(), [(FIRST, "change", "done", "1")])

    # --- marks

    def test_marks_count(self):
        self.schema("CREATE TABLE plans (x text);")
        self.write("audits/README", "a folder")
        marked = self.tool("mark", FIRST, "done", "--reason", "by hand", "--schema-dir", "schema")
        self.assertEqual(marked.code, 0, marked)
        self.assertEqual(self.states(), {FIRST: ("schema", "marked")})
        self.migrate_ok()
        self.assertFalse(self.has("plans"))
        self.tool("mark", FIRST, "pending", "--reason", "not done after all", "--schema-dir", "schema")
        self.migrate_ok()
        self.assertTrue(self.has("plans"))
        self.assertEqual(self.states(), {FIRST: ("schema", "done")})
        self.database.execute("DROP TABLE plans")
        self.tool("mark", FIRST, "pending", "--reason", "dropped", "--schema-dir", "schema")
        self.assertEqual(self.states(), {FIRST: ("schema", "pending")})
        self.migrate_ok()
        self.assertTrue(self.has("plans"))
        self.assertEqual(self.states(), {FIRST: ("schema", "done")})

    # --- being killed

    def killed(self, failpoint):
        result = self.start_migrate(DATACHANGE_FAILPOINT=f"{failpoint}:1:KILL").finish()
        self.assertEqual(result.code, -signal.SIGKILL, result)

    def test_killed_in_a_transaction(self):
        for number, failpoint in enumerate(("schema.begun", "schema.executed", "schema.committed")):
            with self.subTest(failpoint):
                version = str(int(FIRST) + number)
                self.schema(f"CREATE TABLE t{number} (x integer);\nINSERT INTO t{number} VALUES (1);", version=version)
                self.killed(failpoint)
                self.migrate_ok()
                self.assertEqual(self.column(f"SELECT x FROM t{number}"), ["1"])
                self.assertEqual(self.states()[version], ("schema", "done"))

    def test_killed_between_statements(self):
        self.schema(f"-- transaction: no\nCREATE TABLE a (x integer);\nINSERT INTO a VALUES (1);\n{self.alone}")
        self.killed("schema.counted")
        self.assertEqual(self.rows(), [(FIRST, "change", "processing", "1")])
        wait_until(lambda: self.states() == {FIRST: ("schema", "stalled")}, "nobody is seen at work")
        self.migrate_ok()
        self.assertEqual(self.column("SELECT x FROM a"), ["1"])
        self.assertEqual(self.rows(), [(FIRST, "change", "done", "3")])

    def test_killed_before_a_statement_was_counted(self):
        self.schema("-- transaction: no\nCREATE TABLE a (x integer);\nINSERT INTO a VALUES (1);")
        self.killed("schema.statement")
        result = self.migrate()
        self.assertEqual(result.code, 1, result)
        self.assertIn("This statement was in hand when an earlier attempt was cut off", result.err)
        self.database.execute("DROP TABLE a")
        self.migrate_ok()
        self.assertEqual(self.column("SELECT x FROM a"), ["1"])

    # --- two at once

    def test_two_deploys_at_once(self):
        self.schema("CREATE TABLE a (x integer);\nINSERT INTO a VALUES (1);")
        both = [self.start_migrate() for _ in range(2)]
        results = [started.finish() for started in both]
        self.assertEqual([result.code for result in results], [0, 0], results)
        self.assertEqual(self.column("SELECT x FROM a"), ["1"])

    def test_the_second_waits_for_the_first(self):
        self.schema("CREATE TABLE a (x integer);\nINSERT INTO a VALUES (1);")
        first = self.start_migrate(DATACHANGE_FAILPOINT="schema.executed:1:STOP")
        wait_until(lambda: self.stopped(first), "the first one holds its transaction")
        second = self.start_migrate("--lock-timeout", "100ms", "--ledger", "second.db")
        wait_until(lambda: "waiting for somebody else" in self.said(second), "the second one waits")
        first.send(signal.SIGCONT)
        self.assertEqual([started.finish().code for started in (first, second)], [0, 0])
        self.assertEqual(self.column("SELECT x FROM a"), ["1"])

    def test_one_by_one_the_second_is_told(self):
        self.schema("-- transaction: no\nCREATE TABLE a (x integer);")
        first = self.start_migrate(DATACHANGE_FAILPOINT="schema.begun:1:STOP")
        wait_until(lambda: self.stopped(first), "the first one has taken it")
        result = self.migrate("--ledger", "second.db")
        self.assert_failed(result, 3, f"schema migration {FIRST} is being applied by ")
        first.send(signal.SIGCONT)
        self.assertEqual(first.finish().code, 0)

    def stopped(self, started):
        with open(f"/proc/{started.process.pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"

    def said(self, started):
        err = started._files[1]
        err.flush()
        with open(f"/proc/self/fd/{err.fileno()}", encoding="utf-8") as file:
            return file.read()


class SchemaSqlite(SchemaTests, SqliteCase):
    too_many = "table plans has 1 columns but 2 values were supplied (SQLITE_ERROR)"
    alone = "VACUUM;"

    def test_triggers_have_bodies(self):
        self.schema("CREATE TABLE log (id integer, x text);\n"
                    "CREATE TRIGGER t AFTER UPDATE ON users WHEN new.name IS NOT NULL BEGIN\n"
                    "  INSERT INTO log VALUES (new.id, CASE new.id WHEN 1 THEN ';' ELSE 'END' END);\n"
                    "  UPDATE log SET x = x || ';' WHERE id = new.id;\nEND;\n"
                    "UPDATE users SET name = 'x' WHERE id = 1;")
        self.migrate_ok()
        self.assertEqual(self.database.rows("SELECT * FROM log"), [("1", ";;")])

    def test_a_table_is_made_anew_as_sqlite_advises(self):
        self.database.execute("CREATE TABLE orders (id integer PRIMARY KEY, user_id integer REFERENCES users ON DELETE"
                              " CASCADE); INSERT INTO orders VALUES (1, 1), (2, 2)")
        self.schema("CREATE TABLE new_users (id integer PRIMARY KEY, name text NOT NULL DEFAULT '');\n"
                    "INSERT INTO new_users SELECT id, coalesce(name, '') FROM users;\n"
                    "DROP TABLE users;\nALTER TABLE new_users RENAME TO users;")
        self.migrate_ok()
        self.assertEqual(self.column("SELECT count(*) FROM orders"), ["2"])
        self.schema("DELETE FROM users WHERE id = 2;", "delete", SECOND)
        result = self.migrate()
        self.assert_ended(result, 1, "foreign keys would be violated: 1 row of orders without users")
        self.assertEqual(self.column("SELECT count(*) FROM users"), ["5"])

    def test_violations_that_were_there_are_not_the_migrations(self):
        self.database.execute("CREATE TABLE orders (id integer PRIMARY KEY, user_id integer REFERENCES users);"
                              "INSERT INTO orders VALUES (1, 77)")
        self.schema("ALTER TABLE orders ADD COLUMN x text;\nUPDATE orders SET x = 'a';")
        self.migrate_ok()
        self.assertEqual(self.column("SELECT x FROM orders"), ["a"])

    def test_pragmas_of_the_file(self):
        self.schema("PRAGMA user_version = 7;")
        self.schema("-- transaction: no\nPRAGMA journal_mode = WAL;\nVACUUM;", "wal", SECOND)
        self.migrate_ok()
        self.assertEqual((self.column("PRAGMA user_version"), self.column("PRAGMA journal_mode")), (["7"], ["wal"]))


class SchemaPostgres(SchemaTests, PostgresCase):
    too_many = "INSERT has more expressions than target columns (42601)"
    alone = "CREATE INDEX CONCURRENTLY a_x ON a (x);"

    def valid_indexes(self):
        return self.column("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'users'::regclass AND"
                           " indisvalid ORDER BY 1")

    def test_an_index_is_built_concurrently(self):
        self.schema("-- transaction: no\nCREATE INDEX CONCURRENTLY users_name ON users (name);")
        self.migrate_ok()
        self.assertEqual(self.valid_indexes(), ["users_name", "users_pkey"])

    def test_an_index_that_could_not_be_built(self):
        self.database.execute("UPDATE users SET name = 'same'")
        self.schema("-- transaction: no\nCREATE UNIQUE INDEX CONCURRENTLY users_name ON users (name);")
        result = self.migrate()
        self.assertEqual(result.code, 1, result)
        self.assertIn("(23505)", result.err)
        self.assertIn("is left invalid: drop it first", result.err)
        self.assertEqual(self.valid_indexes(), ["users_pkey"])
        # what the ledger keeps of the error has no values in it
        (detail,) = self.ledger("SELECT detail FROM version_events WHERE detail LIKE 'not applied%'")
        self.assertNotIn("same", detail[0])
        self.database.execute("DROP INDEX users_name; UPDATE users SET name = id::text")
        self.migrate_ok()
        self.assertEqual(self.valid_indexes(), ["users_name", "users_pkey"])

    def test_concurrently_asks_for_the_header(self):
        self.schema("CREATE INDEX CONCURRENTLY users_name ON users (name);")
        self.assert_failed(self.migrate(), 2, f"schema/{FIRST}_change.sql:1:14", "-- transaction: no")

    def test_what_the_server_refuses_in_a_transaction(self):
        self.schema("ALTER SYSTEM SET work_mem = '5MB';")
        self.assert_ended(self.migrate(), 1, "cannot run inside a transaction block (25001)", "says `-- transaction: no`")

    def test_bodies_of_functions(self):
        self.schema("CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC\n"
                    "  UPDATE users SET note = 'f' WHERE id = x;\n  SELECT CASE x WHEN 1 THEN 2 ELSE 3 END;\nEND;\n"
                    "DO $$ BEGIN PERFORM f(1); PERFORM f(2); END $$;\n"
                    "CREATE VIEW v AS SELECT (ARRAY[1, 2, 3])[2:id] AS part, ':batch(id)' AS text FROM users;")
        self.migrate_ok()
        self.assertEqual(self.column("SELECT note FROM users WHERE id < 3"), ["f", "f"])
        self.assertEqual(self.database.rows("SELECT * FROM v WHERE part <> '{}' LIMIT 1")[0][1], ":batch(id)")

    def test_the_lock_timeout_holds_and_it_is_tried_again(self):
        self.schema("ALTER TABLE users ADD COLUMN x text;")
        session = self.session()
        session.execute("BEGIN; LOCK TABLE users")
        result = self.migrate("--lock-timeout", "50ms", "--retries", "1")
        self.assertEqual(result.code, 1, result)
        self.assertIn("(55P03)", result.err)
        self.assertIn("trying again in", result.err)
        started = self.start_migrate("--lock-timeout", "50ms", "--retries", "50")
        wait_until(lambda: "again" in self.said(started), "it has met the lock")
        session.execute("COMMIT")
        self.assertEqual(started.finish().code, 0)

    def test_a_role_that_may_only_change_rows(self):
        role = self.database.make_role()
        self.database.execute(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT SELECT, UPDATE ON users TO {role}")
        self.schema("CREATE TABLE plans (x text);")
        result = self.migrate(DATABASE_URL=self.database.url_of(role))
        self.assert_ended(result, 1, "permission denied", "datachange init --print-sql")
        # with the journal there, it is the statement itself that it may not execute
        self.database.execute(self.tool("init", "--print-sql").out)
        for table in self.database.tables():
            if "datachange_" in table:
                self.database.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {role}")
        result = self.migrate(DATABASE_URL=self.database.url_of(role))
        self.assert_ended(result, 1, f"schema/{FIRST}_change.sql:1:1", "permission denied for schema public (42501)",
                           "Run as a role that has this privilege")
        self.assertEqual(self.rows(), [])

    def test_another_role_within_a_file(self):
        role = self.database.make_role()
        self.database.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
        self.schema(f"SET LOCAL ROLE {role};\nCREATE TABLE plans (x text);")
        self.migrate_ok()
        self.assertEqual(self.column("SELECT tableowner FROM pg_tables WHERE tablename = 'plans'"), [role])
        self.database.execute("DROP TABLE plans; REVOKE ALL ON SCHEMA public FROM " + role)

    def test_a_commit_that_fails(self):
        self.database.execute("ALTER TABLE users ADD UNIQUE (note) DEFERRABLE INITIALLY DEFERRED")
        self.schema("UPDATE users SET note = 'same';")
        result = self.migrate()
        self.assertEqual(result.code, 1, result)
        self.assertIn("(23505)", result.err)
        self.assertIn("Nothing of the file was applied.", result.err)
        self.assertEqual(self.rows(), [])

    def test_a_commit_that_is_not_answered(self):
        port = int(re.search(r":(\d+)/", self.database.url)[1])

        def migrated(place, number, name):
            self.schema(f"CREATE TABLE {name} (x integer);\nINSERT INTO {name} VALUES (1);", name,
                        str(int(FIRST) + len(self.rows())))
            proxy = CommitCutter(port, place, number)
            self.addCleanup(proxy.close)
            url = re.sub(r"@[^/]*/", f"@127.0.0.1:{proxy.port}/", self.database.url)
            result = self.migrate(DATABASE_URL=url + "?sslmode=disable&gssencmode=disable")
            return proxy, result

        self.assertEqual(migrated(BEFORE, 0, "first")[1].code, 0)
        commits, result = migrated(BEFORE, 0, "second")
        self.assertEqual(result.code, 0, result)
        for place in (BEFORE, AFTER):
            for number in range(1, commits.commits + 1):
                with self.subTest(place=place, number=number):
                    name = f"t_{place}_{number}"
                    proxy, result = migrated(place, number, name)
                    self.assertEqual(proxy.cuts, 1)
                    self.assertIn(result.code, (0, 1, 3, 5), result)
                    self.migrate_ok()
                    self.assertEqual(self.column(f"SELECT x FROM {name}"), ["1"])
        self.assertEqual({state for _, state in self.states().values()}, {"done"})

    def test_the_session_is_cut_in_the_middle(self):
        self.schema("SELECT pg_terminate_backend(pg_backend_pid()) FROM users WHERE id = 1 AND note <> 'cut';\n"
                    "CREATE TABLE plans (x text);")
        result = self.migrate("--retries", "1")
        self.assertEqual(result.code, 5, result)
        self.assertIn("trying again in", result.err)
        self.assertFalse(self.has("plans"))
        self.database.execute("UPDATE users SET note = 'cut'")
        self.migrate_ok()


if __name__ == "__main__":
    unittest.main()
