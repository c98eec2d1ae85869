"""Roles, schemas and the journal: init, --print-sql for a DBA, --journal-schema, row-level security, publications."""

import unittest

from support import PostgresCase, SqliteCase, small

JOURNAL = ["datachange_approvals", "datachange_batches", "datachange_marks", "datachange_queue", "datachange_requests",
           "datachange_runs", "datachange_schema_migrations"]


class InitTests:
    def journal_tables(self):
        return sorted(name.split(".")[-1] for name in self.database.tables() if "datachange_" in name)

    def test_init_makes_the_journal_once(self):
        self.make_users()
        first = self.tool("init")
        self.assertEqual(first.code, 0, first)
        self.assertIn("was created", first.out)
        self.assertEqual(self.journal_tables(), JOURNAL)
        second = self.tool("init")
        self.assertEqual(second.code, 0, second)
        self.assertIn("was there already", second.out)
        self.define()
        self.assertEqual(self.run_ok()["state"], "done")

    def test_init_as_json(self):
        self.make_users()
        self.assertEqual([self.tool("init", "--json").json["created"] for _ in range(2)], [True, False])

    def test_the_printed_statements_make_the_journal_that_a_run_uses(self):
        self.make_users()
        printed = self.tool("init", "--print-sql")
        self.assertEqual((printed.code, printed.err), (0, ""), printed)
        self.assertFalse(self.has_journal())
        self.database.execute(printed.out)
        self.assertEqual(self.journal_tables(), JOURNAL)
        self.assertIn("was there already", self.tool("init").out)
        self.define()
        self.assertEqual(self.run_ok()["rows"]["updated"], 3)
        self.assertEqual(self.journal(), [("done", "3", "1")])

    def test_the_printed_statements_as_json(self):
        self.make_users()
        printed = self.tool("init", "--print-sql", "--json").json
        self.assertEqual((printed["engine"], printed["sql"]), (self.engine, self.tool("init", "--print-sql").out))

    def test_a_table_of_the_journal_has_a_primary_key(self):
        self.make_users()
        self.tool("init")
        for table in JOURNAL:
            self.assertIn("PRIMARY KEY", self.tool("init", "--print-sql").out)
            self.database.execute(f"SELECT count(*) FROM {table}")


class InitOnSqlite(InitTests, SqliteCase):
    def test_a_schema_for_the_journal_is_refused(self):
        self.make_users()
        self.define()
        self.refused(2, "SQLite has no schema audit for the journal", "--journal-schema",
                     flags=["--journal-schema", "audit"])


class InitOnPostgres(InitTests, PostgresCase):
    def test_without_a_database_the_statements_are_those_of_postgresql(self):
        printed = self.tool("init", "--print-sql", DATABASE_URL=None)
        self.assertEqual(printed.code, 0, printed)
        self.assertIn("timestamptz", printed.out)


class JournalSchemaTests(PostgresCase):
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.database.execute('CREATE SCHEMA audit; CREATE SCHEMA "Odd Name"')

    def tables_in(self, schema):
        return self.column(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' AND tablename LIKE"
                           f" 'datachange_%' ORDER BY 1")

    def test_the_journal_stands_in_the_schema_that_is_given(self):
        for schema, version in (("audit", "20260101000000"), ("Odd Name", "20260101000001")):
            with self.subTest(schema):
                self.define(version=version)
                self.database.execute("UPDATE users SET name = NULL WHERE id < 4")
                self.run_ok("--journal-schema", schema, definition=version)
                self.assertEqual(self.tables_in(schema), JOURNAL)
                self.assertEqual(self.column(f'SELECT state FROM "{schema}".datachange_runs'), ["done"])
                self.assert_failed(self.tool("run", version, "--journal-schema", schema), 1, "has run already")
                states = [line["state"] for line in self.tool("status", "--json", "--journal-schema",
                                                              schema).json["definitions"]]
                self.assertIn("done", states)
        self.assertEqual(self.tables_in("public"), [])

    def test_the_schema_may_come_from_the_environment(self):
        self.run_ok(DATACHANGE_JOURNAL_SCHEMA="audit")
        self.assertEqual(self.tables_in("audit"), JOURNAL)

    def test_init_makes_it_there(self):
        self.assertEqual(self.tool("init", "--journal-schema", "audit").code, 0)
        self.assertEqual((self.tables_in("audit"), self.tables_in("public")), (JOURNAL, []))

    def test_the_printed_statements_name_it(self):
        self.database.execute(self.tool("init", "--print-sql", "--journal-schema", "Odd Name").out)
        self.assertEqual((self.tables_in("Odd Name"), self.tables_in("public")), (JOURNAL, []))
        self.assertEqual(self.run_ok("--journal-schema", "Odd Name")["state"], "done")

    def test_a_schema_that_is_not_there(self):
        self.refused(1, "the journal cannot be created", "nowhere", flags=["--journal-schema", "nowhere"])

    def test_the_schema_of_the_tables_may_be_another_one(self):
        self.database.execute("CREATE SCHEMA app; CREATE TABLE app.people (id integer PRIMARY KEY, name text); "
                              "INSERT INTO app.people VALUES (1)")
        self.define(name="people", version="20260101000002", table="app.people",
                    pre="SELECT id, name FROM app.people WHERE name IS NULL AND :batch(id)",
                    change="UPDATE app.people SET name = 'x' WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.assertEqual(self.run_ok(definition="people")["rows"]["updated"], 1)
        self.assertEqual(self.tables_in("public"), JOURNAL)


class DmlRoleTests(PostgresCase):
    """A role that may change rows and make no table."""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.role = self.database.make_role()
        self.database.execute(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC; "
                              f"GRANT SELECT, INSERT, UPDATE, DELETE ON users TO {self.role}")
        self.url = self.database.url_of(self.role)

    def test_without_a_journal_it_is_told_what_to_ask_the_dba_for(self):
        self.refused(1, "the journal cannot be created", "permission denied for schema public", "init --print-sql",
                     "--journal-schema",
                     DATABASE_URL=self.url)
        with self.nothing_changes():
            self.assert_failed(self.tool("init", DATABASE_URL=self.url), 1, "the journal cannot be created",
                               "init --print-sql")

    def test_with_the_journal_that_a_dba_has_made_it_runs(self):
        self.database.execute(self.tool("init", "--print-sql", DATABASE_URL=self.url).out)
        self.database.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(JOURNAL)} TO {self.role}")
        printed = self.run_ok(*small(2), DATABASE_URL=self.url)
        self.assertEqual((printed["rows"]["updated"], printed["batches"]), (3, 2))
        self.assertEqual(self.journal(), [("done", "3", "2")])
        self.assertEqual(self.tool("status", "--exit-code", DATABASE_URL=self.url).code, 0)

    def test_it_may_look_and_rehearse_without_a_journal(self):
        for command in (["check"], ["status"], ["run", "fill", "--dry-run"]):
            with self.subTest(command):
                result = self.tool(*command, DATABASE_URL=self.url)
                self.assertEqual(result.code, 0, result)
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["3"])
        self.assertFalse(self.has_journal())

    def test_a_table_that_it_may_only_read(self):
        self.database.execute(f"REVOKE UPDATE ON users FROM {self.role}")
        self.database.execute(self.tool("init", "--print-sql").out)
        self.database.execute(f"GRANT ALL ON {', '.join(JOURNAL)} TO {self.role}")
        result = self.tool("run", "fill", DATABASE_URL=self.url)
        self.assertIn(result.code, (1, 2), result)  # nothing was changed
        self.assertIn("permission denied for table users", result.err)
        self.assertIn("hint: Run as a role that has this privilege", result.err)
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["3"])
        self.assertEqual((self.evidence_rows(), self.csv_files()), ([(0, 0)], []))


class RowSecurityTests(PostgresCase):
    """Row-level security would leave rows out silently."""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.role = self.database.make_role()
        self.database.execute(f"""
            GRANT ALL ON users TO {self.role}; GRANT CREATE ON SCHEMA public TO {self.role};
            ALTER TABLE users ENABLE ROW LEVEL SECURITY;
            CREATE POLICY odd ON users TO {self.role} USING (id % 2 = 1);""")

    def test_rows_that_would_be_hidden_are_an_error(self):
        for flags in ([], ["--dry-run"], ["--batch-threshold", "1"]):
            with self.subTest(flags=flags), self.nothing_changes():
                result = self.tool("run", "fill", *flags, DATABASE_URL=self.database.url_of(self.role))
                self.assertIn(result.code, (1, 2), result)  # nothing was changed
                self.assertIn("row-level security", result.err)
                self.assertIn("hint: Run as a role that row-level security does not apply to", result.err)

    def test_a_role_that_it_does_not_apply_to_sees_all(self):
        bypassing = self.database.make_role("BYPASSRLS")
        self.database.execute(f"GRANT ALL ON users TO {bypassing}; GRANT CREATE ON SCHEMA public TO {bypassing}")
        self.assertEqual(self.run_ok(DATABASE_URL=self.database.url_of(bypassing))["rows"]["updated"], 3)


class PublicationTests(PostgresCase):
    """A subscriber without the journal's tables would stop at their first row."""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()

    def test_the_journal_is_not_made_under_a_publication_for_all_tables(self):
        self.database.execute("CREATE PUBLICATION everything FOR ALL TABLES")
        self.refused(1, "the journal must not be created by itself", 'the publication "everything" is FOR ALL TABLES',
                     "init --print-sql")
        self.assertFalse(self.has_journal())
        with self.nothing_changes():
            self.assert_failed(self.tool("init"), 1, "FOR ALL TABLES")
        self.assertFalse(self.has_journal())

    def test_a_journal_that_is_there_already_is_used(self):
        self.database.execute("CREATE PUBLICATION everything FOR ALL TABLES")
        self.database.execute(self.tool("init", "--print-sql").out)
        self.assertEqual(self.run_ok()["rows"]["updated"], 3)

    def test_a_publication_of_some_tables_is_no_obstacle(self):
        self.database.execute("CREATE PUBLICATION of_users FOR TABLE users")
        self.assertEqual(self.run_ok()["rows"]["updated"], 3)


if __name__ == "__main__":
    unittest.main()
