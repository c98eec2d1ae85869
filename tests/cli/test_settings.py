"""Where settings come from: the command line, the environment, .env, datachange.toml, the default; the first wins."""

import os
import unittest

from databases import Sqlite
from support import PostgresCase, SqliteCase, definition_text


class SettingsTests(SqliteCase):
    """Most of it needs no more than files whose names tell which setting was in force."""

    def setUp(self):
        super().setUp()
        for source in ("flag", "environment", "dotenv", "toml"):
            database = Sqlite(self.folder, f"{source}.db")
            self.make_users(database=database)
            self.write(f"{source}_audits/20260101000000_fill.sql", definition_text())

    def source(self, kind, name):
        return {"database": f"{name}.db", "ledger": f"{name}-ledger.db", "dir": f"{name}_audits", "csv-dir": f"{name}-csv",
                "operator": f"{name}-operator"}[kind]

    VARIABLES = {"database": "DATABASE_URL", "ledger": "DATACHANGE_LEDGER", "dir": "DATACHANGE_DIR",
                 "csv-dir": "DATACHANGE_CSV_DIR", "operator": "DATACHANGE_OPERATOR"}

    def run_with(self, *sources):
        """Runs with every setting given by each of these sources."""
        flags, variables = [], {"DATABASE_URL": None}
        for kind, variable in self.VARIABLES.items():
            if "flag" in sources:
                flags += [f"--{kind}", self.source(kind, "flag")]
            if "environment" in sources:
                variables[variable] = self.source(kind, "environment")
        if "dotenv" in sources:
            lines = [f"{variable}={self.source(kind, 'dotenv')}" for kind, variable in self.VARIABLES.items()]
            self.write(".env", "# settings\n\n" + "\n".join(lines) + "\n")
        if "toml" in sources:
            self.write("datachange.toml", "".join(f'{kind} = "{self.source(kind, "toml")}"\n' for kind in self.VARIABLES))
        return self.run_ok(*flags, **variables)

    def check_in_force(self, name, printed):
        self.assertEqual(printed["csv_directory"].split("/")[0], f"{name}-csv")
        self.assertEqual(self.ledger("SELECT operator, target, definition_path FROM runs", name=f"{name}-ledger.db"),
                         [(f"{name}-operator", f"sqlite:{os.path.realpath(self.folder)}/{name}.db",
                           f"{name}_audits/20260101000000_fill.sql")])

    def test_each_source_wins_over_the_ones_behind_it(self):
        order = ["flag", "environment", "dotenv", "toml"]
        for first in range(len(order)):
            with self.subTest(order[first]):
                for name in (".env", "datachange.toml"):
                    if os.path.exists(self.path(name)):
                        os.remove(self.path(name))
                self.check_in_force(order[first], self.run_with(*order[first:]))

    def test_the_ways_of_writing_dotenv(self):
        self.write(".env",
                   "# a comment\n\nexport DATACHANGE_OPERATOR='anna b'\n DATACHANGE_LEDGER = \"dotenv-ledger.db\""
                   " \nOTHER=x=y\n")
        self.make_users()
        self.define()
        self.run_ok()
        self.assertEqual(self.ledger("SELECT operator FROM runs", name="dotenv-ledger.db"), [("anna b",)])

    def test_a_line_of_dotenv_that_is_none(self):
        self.make_users()
        self.define()
        self.write(".env", "# fine\nnonsense\n")
        with self.nothing_changes():
            result = self.tool("run", "fill")
        self.assertEqual((result.code, result.out), (2, ""), result)
        self.assertIn(".env:2: error: ", result.err)

    def test_an_empty_variable_is_none(self):
        self.make_users()
        self.define()
        self.run_ok(DATACHANGE_LEDGER="", DATACHANGE_OPERATOR="")
        self.assertEqual(len(self.ledger("SELECT operator FROM runs")), 1)

    def test_an_unknown_key_of_the_config_file(self):
        self.make_users()
        self.define()
        self.write("datachange.toml", 'ledger = "x.db"\nbach-size = 5\n')
        self.refused(2, "datachange.toml:2:", "unknown key bach-size", "did you mean batch-size?")
        self.assertFalse(os.path.exists(self.path("x.db")))

    def test_values_of_the_wrong_type(self):
        self.make_users()
        self.define()
        for text, words in {"ledger = 5\n": "ledger must be a text",
                            'batch-size = "many"\n': "batch-size must be a positive number",
                            "batch-size = 0\n": "batch-size",
                            "ledger = \n": "datachange.toml:1:"}.items():
            with self.subTest(text):
                self.write("datachange.toml", text)
                self.refused(2, "datachange.toml:1:", words)

    def test_sizes_of_the_config_file(self):
        self.make_users()
        self.define()
        self.write("datachange.toml", "batch-size = 2\nbatch-threshold = 1\n")
        printed = self.run_ok()
        self.assertEqual((printed["mode"], printed["batches"]), ("batched", 2))
        self.database.execute("UPDATE users SET name = NULL WHERE id < 4")
        self.assertEqual(self.run_ok("--again", "--batch-size", "1")["batches"], 3)

    def test_another_config_file(self):
        self.make_users()
        self.define()
        self.write("conf/other.toml", 'ledger = "other.db"\n')
        self.run_ok("--config", "conf/other.toml")
        self.assertEqual(self.ledger("SELECT count(*) FROM runs", name="other.db"), [(1,)])
        self.refused(2, "no such config file: nowhere.toml", flags=["--config", "nowhere.toml"])

    def test_the_defaults(self):
        self.make_users()
        self.define()
        self.assertTrue(self.run_ok()["csv_directory"].startswith("audit-csv/20260101000000_fill/1-"))
        self.assertEqual(len(self.ledger("SELECT 1 FROM runs")), 1)

    def test_the_ways_of_naming_a_sqlite_file(self):
        self.make_users()
        self.define(repeatable="yes")
        for url in ("target.db", "./target.db", "sqlite:target.db", self.database.path, f"sqlite:{self.database.path}",
                    f"sqlite://{self.database.path}"):
            with self.subTest(url):
                self.run_ok("--database", url)


class PostgresSettingsTests(PostgresCase):
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define(repeatable="yes")
        address = self.database.url.split("://")[1]
        self.user, rest = address.split("@")
        self.host, self.port = rest.split("/")[0].split(":")

    def test_the_variables_of_libpq(self):
        printed = self.run_ok(DATABASE_URL=None, PGHOST=self.host, PGPORT=self.port, PGUSER=self.user,
                              PGDATABASE=self.database.name)
        self.assertEqual((printed["engine"], printed["rows"]["updated"]), ("postgresql", 3))

    def test_a_url_wins_over_them(self):
        self.run_ok(PGDATABASE="nowhere", PGHOST="nowhere.invalid", PGPORT="1", PGUSER="nobody")

    def test_the_ways_of_naming_a_database(self):
        keywords = f"host={self.host} port={self.port} user={self.user} dbname={self.database.name}"
        for url in (self.database.url, self.database.url.replace("postgresql://", "postgres://"), keywords):
            with self.subTest(url):
                self.run_ok("--database", url)
        self.assertEqual(set(self.ledger("SELECT target FROM runs")), {(self.database.url,)})

    def test_dotenv_may_hold_them(self):
        self.write(".env", f"PGHOST={self.host}\nPGPORT={self.port}\nPGUSER={self.user}\nPGDATABASE={self.database.name}\n")
        self.assertEqual(self.run_ok(DATABASE_URL=None)["engine"], "postgresql")


if __name__ == "__main__":
    unittest.main()
