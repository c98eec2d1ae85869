"""A password is nowhere: not in what is printed, not in any file, not in the journal."""

import os
import unittest

from support import PostgresCase

PASSWORD = "secret word"
WRONG = "wrong-and-never-to-be-shown"


def file_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class PasswordTests(PostgresCase):
    """The server lets the role datachange_password in with its password alone; see tests/support/postgres."""

    ROLE = "datachange_password"

    def setUp(self):
        super().setUp()
        rules = self.column(f"SELECT auth_method FROM pg_hba_file_rules WHERE '{self.ROLE}' = ANY (user_name)")
        if "scram-sha-256" not in rules:
            self.skipTest("the server was not started by tests/support/postgres: no role needs a password there")
        self.make_users()
        self.database.execute(f"GRANT ALL ON users TO {self.ROLE}; GRANT CREATE ON SCHEMA public TO {self.ROLE}")
        self.define()

    def assert_secret(self, password, result):
        self.assertNotIn(password, result.out + result.err)
        for folder, _, files in os.walk(self.folder):
            for file in files:
                self.assertNotIn(password.encode(), file_bytes(os.path.join(folder, file)), file)
        if self.has_journal():
            self.assertNotIn(password, str(self.database.rows("SELECT * FROM datachange_runs")))

    def test_a_wrong_password_in_the_url(self):
        url = self.database.url_of(self.ROLE, WRONG)
        for command in (["run", "fill"], ["run", "fill", "--json"], ["run", "fill", "--dry-run"], ["status"], ["check"],
                        ["init"]):
            with self.subTest(command), self.nothing_changes():
                result = self.tool(*command, DATABASE_URL=url)
                self.assertEqual((result.code, result.out), (5, ""), result)
                self.assertIn("password authentication failed", result.err)
                self.assertIn(f"postgresql://{self.ROLE}@127.0.0.1:", result.err)
                self.assert_secret(WRONG, result)
        self.assertFalse(self.has_journal())

    def test_a_wrong_password_in_a_keyword_string(self):
        host, port = self.database.url.split("@")[1].split("/")[0].split(":")
        result = self.tool("run", "fill",
                           DATABASE_URL=f"host={host} port={port} dbname={self.database.name} user={self.ROLE}"
                                        f" password={WRONG}")
        self.assert_failed(result, 5, "password authentication failed")
        self.assert_secret(WRONG, result)

    def test_a_wrong_password_from_the_environment(self):
        result = self.tool("run", "fill", DATABASE_URL=self.database.url_of(self.ROLE), PGPASSWORD=WRONG)
        self.assert_failed(result, 5, "password authentication failed", "PGPASSWORD")
        self.assert_secret(WRONG, result)

    def test_no_password(self):
        result = self.tool("run", "fill", DATABASE_URL=self.database.url_of(self.ROLE))
        self.assert_failed(result, 5, "no password supplied", "PGPASSWORD")

    def test_a_password_stays_out_of_everything_that_a_run_leaves(self):
        url = self.database.url_of(self.ROLE, PASSWORD.replace(" ", "%20"))
        for command in (["check"], ["run", "fill", "--dry-run", "--json"], ["run", "fill"], ["status"],
                        ["status", "--json"], ["runs", "--json"],
                        ["show", "2", "--json"], ["show", "2"], ["run", "fill"]):
            with self.subTest(command):
                result = self.tool(*command, DATABASE_URL=url)
                self.assert_secret(PASSWORD, result)
                self.assert_secret("secret%20word", result)
        ((target,),) = self.ledger("SELECT target FROM runs WHERE NOT dry_run")
        self.assertEqual(target, self.database.url_of(self.ROLE))
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name = 'filled'"), ["3"])

    def test_a_password_stays_out_of_a_run_that_fails_later(self):
        url = self.database.url_of(self.ROLE, PASSWORD.replace(" ", "%20"))
        self.define(expect_rows="100..")
        result = self.tool("run", "fill", DATABASE_URL=url)
        self.assert_failed(result, 1, "expect-rows")
        self.assert_secret(PASSWORD, result)
        self.assert_secret("secret%20word", result)


if __name__ == "__main__":
    unittest.main()
