"""datachange.toml: every table and key, what is refused in it and where, and what wins over what."""

import os
import random
import re
import time
import unittest

from databases import Sqlite
from support import PostgresCase, SqliteCase, definition_text

SECRET = "hunter2-and-never-told"


class ConfigCase(SqliteCase):
    """Files are enough: the folder, a database and a definition."""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()

    def config(self, text, name="datachange.toml"):
        self.write(name, text)

    def status(self, *flags, **variables):
        return self.tool("status", "--json", *flags, **{"DATABASE_URL": None, **variables})

    def refusal(self, *flags, **variables):
        return self.tool("status", *flags, **{"DATABASE_URL": None, **variables})

    def target_of(self, *flags, **variables):
        """The database that the tool works on, by its file's name."""
        result = self.status(*flags, **variables)
        self.assertEqual(result.code, 0, result)
        return os.path.basename(result.json["target"])

    def check_refused(self, text, place, *words, flags=(), **variables):
        """The config is refused there, before the database is touched. @param place "2:5"; "" is the file as a whole"""
        self.config(text)
        with self.subTest(text):
            result = self.refusal(*flags, **variables)
            self.assert_failed(result, 2, *words)
            self.assertTrue(result.err.startswith(f"datachange.toml{place and ':'}{place}: error: "), result)
            self.assertFalse(self.has_journal())
        return result


class RefusedTest(ConfigCase):
    def test_what_is_no_toml(self):
        for text, place in (("ledger = \n", "1:"), ("ledger\n", "1:"), ("a = 1\na = 2\n", "2:"), ("[target.x\n", "1:"),
                            ("# fine\n\nledger = 'x\n", "3:"), ("ledger = \"\\q\"\n", "1:"), ("[hooks]\n[hooks]\n", "2:")):
            with self.subTest(text):
                self.config(text)
                result = self.refusal()
                self.assert_failed(result, 2, "datachange.toml is a TOML file")
                self.assertTrue(result.err.startswith("datachange.toml:" + place), result)

    def test_files_that_cannot_be_read(self):
        os.mkdir(self.path("datachange.toml"))
        result = self.refusal()
        self.assert_failed(result, 2, "datachange.toml: error: ")
        os.rmdir(self.path("datachange.toml"))
        with open(self.path("datachange.toml"), "wb") as file:
            file.write(b"operator = '\xff\xfe'\n")
        self.assert_failed(self.refusal(), 2, "datachange.toml:1:")
        with open(self.path("datachange.toml"), "wb") as file:
            file.write(b"\xef\xbb\xbfledger = 'bom.db'\r\n[hooks]\r\ntimeout = '1s'\r\n")
        self.run_ok()
        self.assertTrue(os.path.exists(self.path("bom.db")))

    def test_unknown_keys_with_the_near_one(self):
        for text, place, unknown, near in (
                ("legder = 'x'\n", "1:10", "unknown key legder", "did you mean ledger?"),
                ("ledger = 'x'\n[targets.a]\nurl = 'x'\n", "2:1", "unknown key targets", "did you mean target?"),
                ("[target.a]\nurl = 'x'\ngruop = 'y'\n", "3:9", "unknown key gruop in [target.a]", "did you mean group?"),
                ("[group.p]\napproval-required = 1\n", "2:21", "unknown key approval-required in [group.p]",
                 "did you mean approvals-required?"),
                ("[hooks]\non-finish = 'x'\n", "2:13", "unknown key on-finish in [hooks]", "Known are: on-done, "),
                ("[hooks]\non-strat = 'x'\n", "2:12", "unknown key on-strat in [hooks]", "did you mean on-start?"),
                ("[target.a]\nshards = ['x', { url = 'y', nmae = 'z' }]\n", "2:36", "unknown key nmae in [target.a.2]",
                 "did you mean name?"),
                ("timeout = '1s'\n", "1:11", "unknown key timeout", "Known are: ")):
            self.check_refused(text, place, unknown, near)

    def test_wrong_types(self):
        texts = ("database", "ledger", "dir", "csv-dir", "schema-dir", "journal-schema", "operator", "group",
                 "allowed-signers")
        for key in texts:
            for value in ("5", "true", "['x']", "1979-05-27"):
                self.check_refused(f"{key} = {value}\n", f"1:{len(key) + 4}", f"{key} must be a text", f'Write {key} = "..."')
            self.check_refused(f"{key} = ''\n", f"1:{len(key) + 4}", f"{key} is empty")
        for value in ("'5'", "5.0", "-1", "0", "true"):
            self.check_refused(f"batch-size = {value}\n", "1:14", "batch-size must be a positive number of rows")
        self.check_refused("batch-threshold = -1\n", "1:19", "batch-threshold must be a number of rows")
        for value in ("'1'", "1.0", "-1", "101", "true"):
            self.check_refused(f"approvals-required = {value}\n", "1:22", "approvals-required must be a number of people")
        for value in ("'10'", "'%'", "'x%'", "'10%x'", "-0.1", "'-1%'", "nan", "inf", "'nan%'", "true", "10", "1.5", "[]"):
            self.check_refused(f"approval-drift = {value}\n", "1:18", "approval-drift must be a part of the rows")
        for value in ("5", "'5 s'", "''", "'0s'", "'-1s'", "'1w'", "true"):
            self.check_refused(f"[hooks]\ntimeout = {value}\n", "2:11", "timeout must be a duration")
        for key in ("on-start", "on-done", "on-failed", "on-paused"):
            self.check_refused(f"[hooks]\n{key} = ['true']\n", f"2:{len(key) + 4}", f"{key} must be a text")
        self.check_refused("hooks = 'x'\n", "1:9", "hooks must be a table", "Write [hooks].")
        self.check_refused("[[hooks]]\n", "1:1", "hooks must be a table")
        self.check_refused("target = 5\n", "1:10", "target must be tables", "Write [target.NAME].")
        self.check_refused("[group]\nprod = 5\n", "2:8", "group.prod must be a table", "Write [group.NAME].")
        self.check_refused("[target]\na = 'x'\n", "2:5", "target.a must be a table")
        self.check_refused("[[target.a]]\nurl = 'x'\n", "1:1", "target.a must be a table")
        for key in ("url", "url-env", "url-command", "ledger", "dir", "csv-dir", "schema-dir", "journal-schema", "group"):
            self.check_refused(f"[target.a]\n{key} = 5\n", f"2:{len(key) + 4}", f"{key} must be a text")
            self.check_refused(f"[target.a]\n{key} = ''\n", f"2:{len(key) + 4}", f"{key} is empty")
        self.check_refused("[target.a]\nurl = 'x'\napprovals-required = 'two'\n", "3:22", "number of people")
        self.check_refused("[group.a]\napprovals-required = 'two'\n", "2:22", "number of people")

    def test_targets_without_or_with_several_urls(self):
        self.check_refused("# one\n[target.a]\n", "2:1", "target.a has no URL", "Give one of url = ")
        self.check_refused("[target.a]\ngroup = 'x'\n[target.b]\nurl = 'x'\n", "1:1", "target.a has no URL")
        for keys in (("url", "url-env"), ("url-env", "url-command"), ("url", "url-env", "url-command")):
            lines = "".join(f"{key} = 'x'\n" for key in keys)
            self.check_refused("[target.a]\n" + lines, "1:1", "target.a has more than one URL")
        self.check_refused("[target.a]\nurl = 'x'\nshards = ['y']\n", "1:1", "target.a has a URL and shards")

    def test_names(self):
        for name in ("'a b'", "'a.b'", "''", "'ü'", "'a/b'"):
            self.check_refused(f"[target.{name}]\nurl = 'x'\n", "1:1", "cannot be the name of a target")
        self.check_refused("[target.a]\nshards = [{ name = 'b.c', url = 'x' }]\n", "2:11",
                           '"b.c" cannot be the name of a shard')
        self.check_refused("[target.a]\nshards = [{ name = 'x', url = 'x' },\n  { name = 'x', url = 'y' }]\n", "3:3",
                           "target a has two shards x", "The other is at datachange.toml:2:11")
        self.check_refused("[target.a]\nshards = [{ name = '2', url = 'x' }, 'y']\n", "2:38", "target a has two shards 2")

    def test_the_group_and_tables_of_groups(self):
        self.config("group = 'prod'\n[group.prod]\napprovals-required = 1\n")
        self.assert_failed(self.refusal(), 2, "datachange.toml:3:1", "redefine", "either group = ", "DATACHANGE_GROUP")

    def test_shards(self):
        for value in ("'x'", "5", "[]", "{}"):
            self.check_refused(f"[target.a]\nshards = {value}\n", "2:10", "shards must be a list of databases")
        self.check_refused("[target.a]\nshards = ['x', 5]\n", "2:16", "an element of shards must be a URL or a table")
        self.check_refused("[target.a]\nshards = ['x',\n {}]\n", "3:2", "target.a.2 has no URL")
        self.check_refused("[target.a]\nshards = ['']\n", "2:11", "target.a.1 has no URL")
        self.check_refused("[target.a]\nshards = [{ url = 'x', url-env = 'Y' }]\n", "2:11", "target.a.1 has more than one URL")
        self.check_refused("[target.a]\nshards = [{ url = 'x', group = 'y' }]\n", "2:32", "unknown key group")

    def test_random_files_are_refused_or_read(self):
        """Whatever stands in it: exit status 2 with a place, or it is read; no crash, and nothing that hangs."""
        seed = int(os.environ.get("DATACHANGE_TEST_SEED", "20260101"))
        chance = random.Random(seed)
        keys = ["database", "ledger", "batch-size", "batch-threshold", "approval-drift", "approvals-required", "group",
                "target", "target.a", "target.a.shards", "target.a.url", "group.b", "hooks", "hooks.timeout", "hooks.on-done",
                "'a b'.c", "x", '""', "target.''.url", "shards", "url"]
        values = ["1", "-1", "0", "1.5", "nan", "inf", "true", "'x'", "''", "'5s'", "'10%'", "[]", "{}", "['x']", "[1, 2]",
                  "[[]]", "[{}]", "[{url = 'x'}]", "{url = 'x'}", "{a = {url = 'x'}}", "1979-05-27", "07:32:00",
                  "9223372036854775807", "0xff", '"\\u0000"', "'''\na\n'''", "{a.b.c = 1}", "99999999999999999999", "'"]
        lines = [lambda: f"{chance.choice(keys)} = {chance.choice(values)}", lambda: f"[{chance.choice(keys)}]",
                 lambda: f"[[{chance.choice(keys)}]]", lambda: "".join(chance.choice("[]{}=.,'\"#\\ \t\nab1é\x00") for _ in
                                                                      range(chance.randrange(12)))]
        weights = [12, 6, 1, 1]
        for number in range(250):
            text = "\n".join(chance.choices(lines, weights)[0]() for _ in range(chance.randrange(1, 7))) + "\n"
            self.config(text)
            with self.subTest(seed=seed, number=number, text=text):
                result = self.tool("runs", DATABASE_URL=None)
                if "datachange.toml" in result.err:
                    self.assertEqual(result.code, 2, result)
                    self.assertRegex(result.err, r"^datachange\.toml(:\d+:\d+)?: error: [^\n]+")
                    self.assertRegex(result.err, r"(?m)^hint: \S")
                else:
                    self.assertIn(result.code, (0, 5), result)


class TargetTest(ConfigCase):
    def setUp(self):
        super().setUp()
        for name in ("one", "two", "three"):
            self.make_users(database=Sqlite(self.folder, f"{name}.db"))

    def test_the_three_ways_of_giving_the_url(self):
        self.config("[target.a]\nurl = 'one.db'\n[target.b]\nurl-env = 'TWO_URL'\n"
                    "[target.c]\nurl-command = 'echo three.db; echo this is not read >&2'\n")
        self.assertEqual(self.target_of("--target", "a"), "one.db")
        self.assertEqual(self.target_of("--target", "b", TWO_URL="sqlite:two.db"), "two.db")
        self.assertEqual(self.target_of("--target", "c"), "three.db")

    def test_a_variable_of_dotenv(self):
        self.config("[target.b]\nurl-env = 'TWO_URL'\n")
        self.write(".env", "TWO_URL=two.db\n")
        self.assertEqual(self.target_of("--target", "b"), "two.db")
        self.assertEqual(self.target_of("--target", "b", TWO_URL="one.db"), "one.db")

    def test_a_variable_that_is_not_set(self):
        text = "\n[target.b]\nurl-env = 'TWO_URL'\n"
        hint = "Set it in the environment or in .env."
        self.check_refused(text, "2:1", "TWO_URL is not set, which is to have the URL of target b", hint, flags=("--target", "b"))
        self.check_refused(text, "2:1", "TWO_URL is not set", flags=("--target", "b"), TWO_URL="")
        result = self.check_refused(text, "2:1", "TWO_URL is no URL", flags=("--target", "b"), TWO_URL=SECRET)
        self.assertNotIn(SECRET, result.err)
        self.assertEqual(self.tool("runs").code, self.tool("runs", "--config", "/dev/null").code)  # needs no target

    def test_a_command_that_is_no_good(self):
        for command, words, more in (
                (f"echo {SECRET} >&2; echo {SECRET}; exit 3", "the url-command of target c ended with 3", {}),
                (f"echo {SECRET}; kill -9 $$", "was ended by signal 9", {}),
                ("true", "printed nothing", {}),
                (f"echo sqlite:{SECRET}; echo {SECRET}", "printed more than one line", {}),
                (f"echo {SECRET}", "printed something that is no URL", {}),
                (f"echo {SECRET} | tr - '\\t'", "printed something that is no URL", {}),
                ("no-such-program", "ended with 127", {}),
                (f"echo {SECRET}; sleep 600", "took longer than 0.3 s, and was ended",
                 {"DATACHANGE_URL_COMMAND_TIMEOUT": "300"})):
            start = time.monotonic()
            result = self.check_refused(f"[target.c]\nurl-command = {command!r}\n".replace("'\\\\t'", "'\\t'"), "1:1", words,
                                        "Call it by hand", flags=("--target", "c"), **more)
            self.assertNotIn(SECRET, result.err)
            self.assertNotIn(SECRET.replace("-", "\t"), result.err)
            self.assertLess(time.monotonic() - start, 20)

    def test_a_command_reads_nothing_and_is_not_called_in_vain(self):
        self.config("database = 'one.db'\n[target.c]\nurl-command = 'cat; touch called; echo three.db'\n")
        self.assertEqual(self.target_of(), "one.db")
        self.assertEqual(self.tool("runs").code, self.tool("runs").code)
        self.assertFalse(os.path.exists(self.path("called")))
        self.assertEqual(self.target_of("--target", "c"), "three.db")
        self.assertTrue(os.path.exists(self.path("called")))

    def test_shards_by_number_and_name(self):
        self.config("[target.all]\nshards = ['one.db', { url-env = 'TWO_URL' }, { name = 'c', url-command = 'echo three.db' }]\n"
                    "group = 'prod'\nledger = 'all.db'\n[target.single]\nshards = ['one.db']\n")
        self.assertEqual(self.target_of("--target", "all.1"), "one.db")
        self.assertEqual(self.target_of("--target", "all.2", TWO_URL="two.db"), "two.db")
        self.assertEqual(self.target_of("--target", "all.c"), "three.db")
        self.assertEqual(self.target_of("--target", "single.1"), "one.db")
        result = self.tool("run", "fill", "--target", "all.c", DATABASE_URL=None)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(len(self.ledger("SELECT 1 FROM runs", name="all.db")), 1)
        self.assert_failed(self.refusal("--target", "all.3"), 2, "no such target: all.3", "did you mean all.")

    def test_all_ways_of_writing_the_tables(self):
        for text in ("target.a.url = 'one.db'\ntarget.b.url = 'two.db'\n", "target = { a = { url = 'one.db' }, b = { url = 'two.db' } }",
                     "[target]\na.url = 'one.db'\nb = { url = 'two.db' }\n", "[target]\n[target.b]\nurl = 'two.db'\n[target.a]\nurl = 'one.db'\n",
                     '["target"."a"]\n"url" = "one.db"\n[target.b]\nurl = """two.db"""\n'):
            with self.subTest(text):
                self.config(text)
                self.assertEqual([self.target_of("--target", name) for name in "ab"], ["one.db", "two.db"])

    def test_a_mistyped_target(self):
        self.config("[target.eu-prod]\nurl = 'one.db'\n[target.us-prod]\nurl = 'two.db'\n")
        self.assert_failed(self.refusal("--target", "eu-pord"), 2, "no such target: eu-pord", "did you mean eu-prod?")
        self.assert_failed(self.refusal("--target", "zzzzzzzz"), 2, "Known are: eu-prod, us-prod.")
        self.assert_failed(self.refusal("--target", ""), 2, "no such target")
        self.assert_failed(self.refusal(), 2, "no database is given", "Give --target NAME (eu-prod, us-prod)")
        self.config("")
        self.assert_failed(self.refusal("--target", "eu"), 2, "no such target: eu", "no table [target.NAME]")

    def test_target_and_database(self):
        self.config("[target.a]\nurl = 'one.db'\n")
        self.assert_failed(self.refusal("--target", "a", "--database", "two.db"), 2, "--target and --database both name the target")
        self.assertEqual(self.target_of("--target", "a", DATABASE_URL="two.db"), "one.db")
        self.assertEqual(self.target_of("--target", "a", PGHOST="nowhere", PGDATABASE="none"), "one.db")
        self.assertEqual(self.target_of(DATABASE_URL="two.db"), "two.db")

    def test_another_config_file(self):
        self.config("[target.a]\nurl = 'one.db'\n")
        self.config("[target.a]\nurl = 'two.db'\n", "conf/other.toml")
        self.assertEqual(self.target_of("--target", "a", "--config", "conf/other.toml"), "two.db")


class PrecedenceTest(ConfigCase):
    """The command line, the target's table, the environment, .env, the file: the first that says it."""

    KEYS = {"ledger": "DATACHANGE_LEDGER", "dir": "DATACHANGE_DIR", "csv-dir": "DATACHANGE_CSV_DIR"}

    def name_of(self, key, source):
        return f"{source}-{key}"

    def test_each_source_wins_over_the_ones_behind_it(self):
        order = ["flag", "target", "environment", "dotenv", "file"]
        for source in order:
            self.write(f"{self.name_of('dir', source)}/20260101000000_fill.sql", definition_text(repeatable="yes"))
        for first, source in enumerate(order):
            given = order[first:]
            with self.subTest(source):
                lines = {one: "".join(f"{key} = '{self.name_of(key, one)}'\n" for key in self.KEYS) for one in order}
                self.config((lines["file"] if "file" in given else "") + f"[target.a]\nurl = '{self.database.path}'\n" +
                            (lines["target"] if "target" in given else ""))
                self.write(".env", "".join(f"{variable}={self.name_of(key, 'dotenv')}\n" for key, variable in self.KEYS.items())
                           if "dotenv" in given else "")
                flags = [word for key in self.KEYS for word in (f"--{key}", self.name_of(key, "flag"))] if source == "flag" else []
                variables = {variable: self.name_of(key, "environment") if "environment" in given else None
                             for key, variable in self.KEYS.items()}
                self.database.execute("UPDATE users SET name = NULL")
                result = self.tool("run", "fill", "--target", "a", "--json", *flags, DATABASE_URL=None, **variables)
                self.assertEqual(result.code, 0, result)
                self.assertTrue(result.json["csv_directory"].startswith(self.name_of("csv-dir", source) + "/"), result)
                self.assertEqual(self.ledger("SELECT definition_path FROM runs ORDER BY run_id DESC LIMIT 1",
                                             name=self.name_of("ledger", source)),
                                 [(self.name_of("dir", source) + "/20260101000000_fill.sql",)])

    def group(self, *flags, **variables):
        """The group in force, as a hook is told it."""
        self.database.execute("UPDATE users SET name = NULL")
        result = self.tool("run", "fill", "--again", *flags, **variables)
        self.assertEqual(result.code, 0, result)
        with open(self.path("group"), encoding="utf-8") as file:
            return file.read().strip()

    def test_the_group(self):
        hooks = "[hooks]\non-done = 'echo $DATACHANGE_GROUP > group'\n"
        targets = f"[target.a]\nurl = '{self.database.path}'\ngroup = 'of-target'\n[target.b]\nurl = '{self.database.path}'\n"
        self.config(hooks + targets)
        self.assertEqual(self.group(), "")
        self.assertEqual(self.group("--target", "a", DATACHANGE_GROUP="of-environment"), "of-target")
        self.assertEqual(self.group("--target", "b", DATACHANGE_GROUP="of-environment"), "of-environment")
        self.assertEqual(self.group(DATACHANGE_GROUP="of-environment"), "of-environment")
        self.config("group = 'of-file'\n" + hooks + targets)
        self.assertEqual(self.group(), "of-file")
        self.assertEqual(self.group("--target", "b"), "of-file")
        self.assertEqual(self.group(DATACHANGE_GROUP="of-environment"), "of-environment")
        self.write(".env", "DATACHANGE_GROUP=of-dotenv\n")
        self.assertEqual(self.group("--target", "b"), "of-dotenv")
        self.assertEqual(self.group("--target", "a"), "of-target")

    def test_keys_that_only_the_file_has(self):
        self.config("approvals-required = 0\nallowed-signers = 'signers'\napproval-drift = '10%'\nbatch-threshold = 0\n"
                    "[group.prod]\napprovals-required = 0\n[hooks]\non-start = ''\ntimeout = '1.5s'\n")
        self.run_ok()
        self.config("approval-drift = 0.25\n[group.prod]\n[hooks]\n")
        self.run_ok("--again")


class PostgresConfigTest(PostgresCase):
    def test_the_schema_of_the_journal(self):
        self.make_users()
        self.define()
        self.database.execute("CREATE SCHEMA of_target; CREATE SCHEMA of_flag")
        self.write("datachange.toml", f"journal-schema = 'of_file'\n[target.a]\nurl = '{self.database.url}'\n"
                   "journal-schema = 'of_target'\n")
        for flags, schema in (((), "of_target"), (("--journal-schema", "of_flag"), "of_flag")):
            result = self.tool("run", "fill", "--target", "a", *flags, DATABASE_URL=None,
                               DATACHANGE_JOURNAL_SCHEMA="of_environment")
            self.assertEqual(result.code, 0, result)
            self.assertEqual(self.column(f"SELECT count(*) FROM {schema}.datachange_runs"), ["1"])

    def test_a_password_from_a_command_is_not_told_where_the_server_is_away(self):
        self.define()
        self.write("datachange.toml", f"[target.a]\nurl-command = 'echo postgresql://anna:{SECRET}@127.0.0.1:1/none'\n"
                   f"[target.b]\nurl-env = 'B'\n")
        for flags, variables in ((("--target", "a"), {}), (("--target", "b"), {"B": f"postgresql://anna:{SECRET}@127.0.0.1:1/none"})):
            result = self.tool("status", *flags, **variables)
            self.assert_failed(result, 5)
            self.assertNotIn(SECRET, result.err)


if __name__ == "__main__":
    unittest.main()
