"""Several targets at once: chosen by name and group, run beside each other, shown against each other."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import termios
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
from databases import Postgres, Sqlite, _psql, server, with_database  # noqa: E402
from servers import DatabaseOfServer, Server  # noqa: E402
from support import DEADLINE, TOOL, VERSION, CliCase, PostgresCase, small, wait_until  # noqa: E402

PASSWORD = "secret word"


class NoDatabase:
    url = None


class Targets(CliCase):
    """A config file whose targets the test names. No database is given in another way."""

    def new_database(self):
        return NoDatabase()

    def environment(self, **variables):
        return super().environment(**{"DATABASE_URL": None, **variables})

    def configure(self, targets, text=""):
        """@param targets name: (url, group), or name: lines of its table"""
        for name, target in targets.items():
            lines = target if isinstance(target, list) else [f'url = "{target[0]}"', f'group = "{target[1]}"']
            text += f"\n[target.{name}]\n" + "\n".join(lines) + "\n"
        self.write("datachange.toml", text)

    def sqlite_file(self, name, rows=5, named=2):
        database = Sqlite(self.folder, f"{name}.db")
        self.make_users(rows, named, database)
        return database

    def files(self, groups, **users):
        """SQLite targets, name: group, each with a table of users. @return their databases by name"""
        found = {}
        for name in groups:
            if found:
                shutil.copy(next(iter(found.values())).path, self.path(f"{name}.db"))
                found[name] = Sqlite(self.folder, f"{name}.db")
            else:
                found[name] = self.sqlite_file(name, **users)
        self.configure({name: (database.url, groups[name]) for name, database in found.items()})
        return found

    def run_several(self, code, *flags, definition="fill", **variables):
        """@return (what --json printed, its targets by name)"""
        result = self.tool("run", definition, "--json", *flags, **variables)
        self.assertEqual(result.code, code, result)
        return result.json, {target["target"]: target for target in result.json["targets"]}

    def states(self, code, *flags, **variables):
        return {name: target["state"] for name, target in self.run_several(code, *flags, **variables)[1].items()}

    def status(self, code, *flags, **variables):
        result = self.tool("status", "--json", *flags, **variables)
        self.assertEqual(result.code, code, result)
        return result.json

    def where(self, status, version=VERSION):
        """{target: state} of one version."""
        [definition] = [one for one in status["definitions"] if one["version"] == version]
        return {on["target"]: on["state"] for on in definition["on"]}

    def filled(self, database):
        return [int(row[0]) for row in database.rows("SELECT count(*) FROM users WHERE name = 'filled'")][0]

    def refused_port(self):
        """A port that nobody listens on, as long as the test goes on."""
        held = socket.socket()
        self.addCleanup(held.close)
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


class ChoiceTests(Targets):
    def setUp(self):
        super().setUp()
        self.databases = self.files({"eu-1": "eu", "eu-2": "eu", "us-1": "us"})
        self.define()

    def chosen(self, *flags):
        return [target["target"] for target in self.status(0, *flags)["targets"]]

    def test_by_name_by_group_and_all_in_the_order_of_the_file(self):
        self.assertEqual(self.chosen("--target", "us-1,eu-1"), ["eu-1", "us-1"])
        self.assertEqual(self.chosen("--target", "us-1", "--target", "eu-2"), ["eu-2", "us-1"])
        self.assertEqual(self.chosen("--group", "eu"), ["eu-1", "eu-2"])
        self.assertEqual(self.chosen("--group", "us"), ["us-1"])
        self.assertEqual(self.chosen("--group", "us", "--group", "eu"), ["eu-1", "eu-2", "us-1"])
        self.assertEqual(self.chosen("--target", "eu-1", "--group", "us"), ["eu-1", "us-1"])
        self.assertEqual(self.chosen("--target", "eu-1", "--group", "eu"), ["eu-1", "eu-2"])
        self.assertEqual(self.chosen("--all"), ["eu-1", "eu-2", "us-1"])

    def test_one_name_is_as_one_database(self):
        for command in (["status"], ["status", "--json"], ["check"], ["run", "fill", "--json"], ["run", "fill"], ["status"],
                        ["run", "nothing"]):
            with self.subTest(command):
                named = self.tool(*command, "--target", "eu-1")
                given = self.tool(*command, DATABASE_URL=self.databases["eu-2"].url)
                self.assertEqual(named.code, given.code, (named, given))
                self.assertEqual(self.alike(named.out), self.alike(given.out))
                self.assertEqual(self.alike(named.err), self.alike(given.err))

    @staticmethod
    def alike(text):
        text = re.sub(r"eu-[12]\.db", "DB", text)
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9]+-[0-9a-f]{8}\b|\b[0-9a-f]{8}\b", "UUID", text)
        text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9.]+ s\b", "TIME", text)
        text = re.sub(r'"duration_ms":\d+|"run":\d+|run \d+', "N", text)
        return text

    def test_what_cannot_be_chosen(self):
        for flags, words in (
                (["--target", "eu-3"], ["no such target: eu-3", "did you mean eu-"]),
                (["--target", "eu-1,somewhere"], ["no such target: somewhere", "eu-1, eu-2, us-1"]),
                (["--group", "eux"], ["no target is in group eux", "did you mean eu?"]),
                (["--all", "--database", "x.db"], ["--target and --database"]),
                (["--all", "--jobs", "0"], ["--jobs"]),
                ([], ["no database is given", "eu-1, eu-2, us-1"]),
        ):
            with self.subTest(flags):
                result = self.tool("run", "fill", *flags)
                self.assert_failed(result, 2, *words)
        self.configure({}, 'dir = "audits"\n')
        self.assert_failed(self.tool("status", "--all"), 2, "no table [target.NAME]")
        self.assertFalse(os.path.exists(self.path("datachange-ledger.db")))

    def test_commands_on_one_target_do_not_take_several(self):
        self.assert_failed(self.tool("undo", "1", "--all"), 2, "--all")

    def test_what_the_shell_completes(self):
        def offered(*words):
            return self.tool("__complete", *words).out.splitlines()

        self.assertEqual(offered("run", "--target", ""), ["eu-1\teu", "eu-2\teu", "us-1\tus"])
        self.assertEqual(offered("status", "--group", ""), ["eu", "us"])
        self.assertIn("--fail-fast", "\n".join(offered("migrate", "--")))


class FiftyFilesTests(Targets):
    """Breadth: 50 SQLite files with one ledger."""

    def setUp(self):
        super().setUp()
        self.databases = self.files({f"{region}-{i:02}": region for region in ("eu", "us") for i in range(1, 26)})
        self.define()

    def test_all_of_them_share_one_ledger(self):
        printed, targets = self.run_several(0, "--all", "--jobs", "8")
        self.assertEqual({target["state"] for target in targets.values()}, {"done"})
        self.assertEqual((printed["totals"]["targets"], printed["totals"]["done"], printed["totals"]["rows_changed"]),
                         (50, 50, 150))
        self.assertEqual({self.filled(database) for database in self.databases.values()}, {3})
        runs = self.ledger("SELECT run_id, target, state, rows_changed FROM runs")
        self.assertEqual(sorted(run for run, *_ in runs), list(range(1, 51)))
        self.assertEqual({target for _, target, *_ in runs},
                         {f"sqlite:{os.path.realpath(database.path)}" for database in self.databases.values()})
        self.assertEqual({tuple(rest) for _, _, *rest in runs}, {("done", 3)})
        for name, target in targets.items():
            self.assertEqual(target["runs"], [target["result"]["run"]])
            self.assertEqual(target["exit_status"], 0)
            self.assertTrue(os.path.exists(self.path(target["result"]["csv"]["diff"])), name)
        verified = self.tool("verify", "--deep", DATABASE_URL=self.databases["eu-01"].url)
        self.assertEqual(verified.code, 0, verified)

        again, targets = self.run_several(0, "--all", "--jobs", "8")
        self.assertEqual(again["totals"]["skipped"], 50)
        self.assertIn("has run already", targets["eu-01"]["note"])
        self.assertEqual(self.ledger("SELECT count(*) FROM runs"), [(50,)])

    def test_the_matrix_of_fifty_fits_a_terminal(self):
        self.states(0, "--group", "us")
        self.states(0, "--target", "eu-07,eu-11")
        self.configure({**{name: (database.url, name[:2]) for name, database in self.databases.items()},
                        "eu-26": (self.path("missing.db"), "eu")})
        self.define(name="later", version="20260102000000")
        for width in (80, 160):
            with self.subTest(width=width):
                shown = self.tool("status", "--all", COLUMNS=str(width))
                self.assertEqual(shown.code, 0, shown)
                matrix = shown.out.split("eu-26: error")[0]
                self.assertLessEqual(max(len(line) for line in matrix.splitlines()), width, matrix)
                self.assertLess(len(shown.out.splitlines()), 24, "more than a screen")
                self.assertIn("done on 27: 3 rows each, 81 in all", shown.out)
                self.assertIn("pending on eu-01, eu-02,", shown.out)
                self.assertIn("pending on 50", shown.out)
                self.assertIn("eu-26: error: ", shown.out)
                self.assertIn("51 targets, 1 unreachable; something is pending on 50", shown.out)
        self.assertEqual(self.tool("status", "--all", "--exit-code").code, 5)
        self.assertEqual(self.tool("status", "--group", "us", "--exit-code").code, 3)


class FewFilesTests(Targets):
    """What needs no more than some SQLite files."""

    def broken(self, *names):
        """These lose their table."""
        for name in names:
            self.databases[name].execute("DROP TABLE users")

    def use(self, *names, group="prod", **users):
        self.databases = self.files({name: group for name in names}, **users)
        self.define()

    def test_one_failure_does_not_stop_the_others(self):
        self.use("a", "b", "c", "d")
        self.broken("b")
        printed, targets = self.run_several(6, "--all")
        self.assertEqual({name: target["state"] for name, target in targets.items()},
                         {"a": "done", "b": "failed", "c": "done", "d": "done"})
        self.assertIn("users", targets["b"]["error"])
        self.assertTrue(targets["b"]["hint"])
        self.assertEqual((targets["b"]["exit_status"], targets["b"]["result"]), (2, None))
        self.assertEqual(printed["totals"]["failed"], 1)

    def test_the_report_for_people(self):
        self.use("a", "b", "c", "d")
        self.broken("b", "d")
        result = self.tool("run", "fill", "--all")
        self.assertIn(f"{VERSION} fill on 4 targets", result.out)
        self.assertRegex(result.out, r"(?m)^  a +prod +done +3 +\d+\.\d\d s +\d+$")
        self.assertRegex(result.out, r"(?m)^  b +prod +failed .*users")
        self.assertRegex(result.out, r"(?m)^b, d: .*error: .*users.*\nhint: \S")
        self.assertRegex(result.out, r"(?m)^4 targets: 2 done, 2 failed; 6 rows changed in \d+\.\d\d s$")
        self.assertIn("b: failed: ", result.err)
        self.assertIn("a: done, 3 rows (", result.err)
        quiet = self.tool("run", "fill", "--all", "--quiet")
        self.assertRegex(quiet.err, r"(?m)\A([bd]: failed: .*\n){2}\Z")

    def test_exit_statuses_by_how_serious_they_are(self):
        self.use("a", "b", "c")
        self.define(expect_rows="5..")
        self.databases["a"].execute("UPDATE users SET name = NULL")  # 5 rows there, 3 elsewhere
        self.assertEqual(self.states(1, "--target", "b,c"), {"b": "failed", "c": "failed"})
        self.assertEqual(self.states(6, "--all"), {"a": "done", "b": "failed", "c": "failed"})
        self.configure({"a": (self.databases["a"].url, "prod"), "gone": (self.path("gone.db"), "prod")})
        self.assertEqual(self.states(5, "--all"), {"a": "skipped", "gone": "failed"})

    def test_fail_fast_does_not_begin_the_others(self):
        self.use("a", "b", "c", "d")
        self.broken("b")
        self.assertEqual(self.states(6, "--all", "--jobs", "1", "--fail-fast"),
                         {"a": "done", "b": "failed", "c": "not begun", "d": "not begun"})
        text = self.tool("run", "fill", "--all", "--jobs", "1", "--fail-fast").out
        self.assertRegex(text, r"(?m)^  c +prod +not begun$")
        self.assertRegex(text, r"(?m)^4 targets: 1 skipped, 1 failed, 2 not begun")

    def test_fail_fast_stops_those_that_are_running(self):
        self.use("a", "b", "c")
        self.databases["b"].execute("ALTER TABLE users RENAME TO waiting")
        self.write("hold", "")
        run = self.start("run", "fill", "--all", "--json", "--fail-fast", "--jobs", "2", "--throttle-flag-file", "hold",
                         *small(1))
        result = run.finish()
        targets = {target["target"]: target for target in result.json["targets"]}
        self.assertEqual({name: target["state"] for name, target in targets.items()},
                         {"a": "stopped", "b": "failed", "c": "not begun"}, result)
        os.unlink(self.path("hold"))
        self.databases["b"].execute("ALTER TABLE waiting RENAME TO users")
        self.assertEqual(set(self.states(0, "--all").values()), {"done"})

    def held(self, *flags):
        """A run on all targets that waits before each batch, as long as the file is there."""
        self.write("hold", "")
        return self.start("run", "fill", "--all", "--json", "--throttle-flag-file", "hold", *small(1), *flags)

    def processing(self):
        """How many targets are being worked on now."""
        with contextlib.suppress(sqlite3.Error):
            return self.ledger("SELECT count(*) FROM runs WHERE state = 'processing'")[0][0]
        return 0

    def changed(self):
        """Rows of all targets that are changed by now."""
        with contextlib.suppress(sqlite3.Error):
            return sum(self.filled(database) for database in self.databases.values())
        return 0

    def most_at_once(self):
        moments = self.ledger("SELECT started_at, 1 FROM runs UNION ALL SELECT finished_at, -1 FROM runs ORDER BY 1, 2")
        now = most = 0
        for _, change in moments:
            now += change
            most = max(most, now)
        return most

    def test_jobs_is_how_many_are_worked_on_at_once(self):
        self.use("a", "b", "c", "d", "e")
        run = self.held("--jobs", "3")
        wait_until(lambda: self.processing() == 3, "three are at work")
        os.unlink(self.path("hold"))
        result = run.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.most_at_once(), 3)

    def test_one_job_is_one_after_the_other(self):
        self.use("a", "b", "c")
        self.states(0, "--all", "--jobs", "1")
        self.assertEqual(self.most_at_once(), 1)
        self.assertEqual([os.path.basename(name) for (name,) in self.ledger("SELECT target FROM runs ORDER BY run_id")],
                         ["a.db", "b.db", "c.db"])

    def test_ctrl_c_stops_all_and_they_go_on_later(self):
        self.use("a", "b", "c")
        run = self.start("run", "fill", "--all", "--json", "--sleep", "1h", "--jobs", "2", *small(1))
        wait_until(lambda: self.changed() == 2, "two have changed a row")
        run.send(signal.SIGINT)
        result = run.finish()
        self.assertEqual(result.code, 3, result)
        targets = {target["target"]: target for target in result.json["targets"]}
        self.assertEqual({name: target["state"] for name, target in targets.items()},
                         {"a": "stopped", "b": "stopped", "c": "not begun"})
        self.assertRegex(targets["a"]["hint"], r"`datachange resume \d+ --target a`")
        self.assertEqual(self.changed(), 2)
        resumed = self.tool("resume", re.search(r"resume (\d+)", targets["a"]["hint"])[1], "--target", "a")
        self.assertEqual(resumed.code, 0, resumed)
        printed, targets = self.run_several(0, "--all")
        self.assertEqual({name: target["state"] for name, target in targets.items()},
                         {"a": "skipped", "b": "done", "c": "done"})
        self.assertEqual({self.filled(database) for database in self.databases.values()}, {3})

    def test_somebody_else_has_one(self):
        self.use("a", "b")
        self.write("hold", "")
        other = self.start("run", "fill", "--target", "a", "--throttle-flag-file", "hold", *small(1))
        wait_until(lambda: self.processing() == 1, "the other run is at work")
        printed, targets = self.run_several(3, "--all")
        self.assertEqual((targets["a"]["state"], targets["b"]["state"]), ("held", "done"))
        self.assertIn("--take-over --target a`", targets["a"]["hint"])
        os.unlink(self.path("hold"))
        self.assertEqual(other.finish().code, 0)

    def test_a_dry_run_changes_none(self):
        self.use("a", "b")
        before = {name: database.dump() for name, database in self.databases.items()}
        printed, targets = self.run_several(0, "--all", "--dry-run")
        self.assertEqual({name: database.dump() for name, database in self.databases.items()}, before)
        self.assertTrue(all(target["result"]["dry_run"] for target in targets.values()))
        self.assertIn("and rolled back", self.tool("run", "fill", "--all", "--dry-run").out)

    def test_a_definition_that_is_not_there_is_told_once_before_any_is_begun(self):
        self.use("a", "b")
        self.assert_failed(self.tool("run", "fil", "--all"), 2, "no such definition", "fill")
        self.assert_failed(self.tool("run", "fill", "--all", "--timings"), 2, "--timings")
        self.assertFalse(os.path.exists(self.path("datachange-ledger.db")))

    def test_targets_with_folders_and_ledgers_of_their_own(self):
        self.use("a", "b")
        shutil.copytree(self.path("audits"), self.path("b-audits"))
        self.configure({"a": (self.databases["a"].url, "x"),
                        "b": [f'url = "{self.databases["b"].url}"', 'ledger = "b.ledger"', 'csv-dir = "b-csv"',
                              'dir = "b-audits"']})
        _, targets = self.run_several(0, "--all")
        self.assertTrue(targets["b"]["result"]["csv_directory"].startswith("b-csv/"))
        self.assertEqual(self.ledger("SELECT definition_path FROM runs", name="b.ledger"), [(f"b-audits/{VERSION}_fill.sql",)])
        self.assertEqual(self.ledger("SELECT count(*) FROM runs"), [(1,)])
        given = self.tool("run", "fill", "--all", "--again", "--ledger", "given.ledger")
        self.assertEqual(given.code, 0, given)
        self.assertEqual(self.ledger("SELECT count(*) FROM runs", name="given.ledger"), [(2,)])

    # --- progress

    def events(self, *flags):
        result = self.tool("run", "fill", "--all", *flags)
        return result, result.err.splitlines()

    def test_lines_begin_with_the_name_of_the_target(self):
        self.use("a", "b")
        self.define(change="UPDATE users SET name = 'x' WHERE id = 1 AND :batch(id) RETURNING id, name")
        result, lines = self.events()
        self.assertEqual(result.code, 0, result)
        self.assertTrue(all(line.startswith(("a: ", "b: ")) for line in lines), lines)
        self.assertEqual(sum(": warning: " in line for line in lines), 2, lines)

    def test_json_progress_names_the_target(self):
        self.use("a", "b")
        self.broken("b")
        result, lines = self.events("--progress", "json", *small(1))
        events = [json.loads(line) for line in lines]
        self.assertEqual({event["target"] for event in events}, {"a", "b"})
        ended = {event["target"]: event for event in events if event["event"] == "target"}
        self.assertEqual((ended["a"]["state"], ended["a"]["rows_changed"], ended["b"]["state"]), ("done", 3, "failed"))
        last = [event for event in events if event["event"] == "progress"][-1]
        self.assertEqual((last["target"], last["rows"], last["total"]), ("a", 3, 3))

    def test_one_line_on_a_terminal(self):
        self.use("a", "b", "c")
        self.broken("c")
        self.write("hold", "")
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 120, 0, 0))
        run = subprocess.Popen([TOOL, "run", "fill", "--all", "--throttle-flag-file", "hold", *small(1)],
                               cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs,
                               env=self.environment(TERM="xterm", NO_COLOR="1"))
        os.close(theirs)
        self.addCleanup(run.kill)
        written = b""
        with open(ours, "rb", buffering=0) as reader, contextlib.suppress(OSError):
            while piece := reader.read(4096):
                written += piece
                if b"a 0 % (held)" in written and os.path.exists(self.path("hold")):
                    os.unlink(self.path("hold"))
        self.assertEqual(run.wait(timeout=DEADLINE), 6)
        text = written.decode()
        self.assertRegex(text, r"\[#+\.+\]  1 of 3 targets  1 failed  0:\d\d  a 0 % \(held\)  b 0 % \(held\)")
        self.assertIn("c: failed: ", text)
        self.assertEqual(text.replace("\r\n", "").rpartition("\r")[2], "\x1b[K", "the line is gone at the end")

    # --- groups

    def test_a_definition_for_a_group(self):
        self.databases = self.files({"prod-1": "prod", "stage-1": "stage", "prod-2": "prod"})
        self.define(targets="prod, canary")
        with_stage = self.databases["stage-1"].dump()
        printed, targets = self.run_several(0, "--all")
        self.assertEqual({name: target["state"] for name, target in targets.items()},
                         {"prod-1": "done", "stage-1": "excluded", "prod-2": "done"})
        self.assertEqual(printed["totals"]["excluded"], 1)
        self.assertEqual(self.databases["stage-1"].dump(), with_stage)
        refused = self.tool("run", "fill", "--target", "stage-1")
        self.assert_failed(refused, 2, "prod, canary", "stage-1 is in group stage")
        dry = self.tool("run", "fill", "--target", "stage-1", "--dry-run")
        self.assertEqual(dry.code, 2, dry)
        self.assertEqual(self.ledger("SELECT count(*) FROM runs"), [(2,)])
        self.assertEqual(self.where(self.status(0, "--all", "--exit-code")),
                         {"prod-1": "done", "stage-1": "excluded", "prod-2": "done"})
        checked = self.tool("check", "--all")
        self.assertEqual(checked.code, 0, checked)
        self.assertRegex(checked.out, r"(?m)^skip  audits/.*  on stage-1$")

    def test_a_target_whose_group_is_not_known(self):
        self.databases = self.files({"prod-1": "prod", "other": "x"})
        self.configure({"prod-1": (self.databases["prod-1"].url, "prod"), "other": [f'url = "{self.databases["other"].url}"']})
        self.define(targets="prod")
        for flags, word in ((["--all"], "[target.other]"), (["--target", "other"], "[target.other]"),
                            (["--database", self.databases["other"].url], "DATACHANGE_GROUP=prod")):
            with self.subTest(flags):
                self.assert_failed(self.tool("run", "fill", *flags), 2, "the group of", "is not known", word)
        self.assertFalse(os.path.exists(self.path("datachange-ledger.db")))
        self.assertEqual({self.filled(database) for database in self.databases.values()}, {0})
        known = self.tool("run", "fill", "--database", self.databases["other"].url, DATACHANGE_GROUP="prod")
        self.assertEqual(known.code, 0, known)
        self.assertNotIn("warning", known.err)

    # --- the matrix

    def test_a_grid_where_there_is_room(self):
        self.use("a", "b", "c")
        self.states(0, "--target", "a,b")
        self.define(name="later", version="20260102000000")
        grid = self.tool("status", "--all", COLUMNS="100").out
        self.assertRegex(grid, r"(?m)^version +name +a +b +c$")
        self.assertRegex(grid, rf"(?m)^{VERSION}  fill +done 3 +done 3 +pending$")
        self.assertRegex(grid, r"(?m)^20260102000000  later +pending +pending +pending$")
        self.assertIn("3 targets; something is pending on 3", grid)
        lines = self.tool("status", "--all", COLUMNS="45").out
        self.assertIn("    done on a, b: 3 rows each, 6 in all\n    pending on c\n", lines)
        self.assertNotRegex(lines, "(?m)^version")

    def test_states_of_the_matrix(self):
        self.use("a", "b", "c", "d")
        self.states(0, "--target", "a,b", "--jobs", "1")
        self.define(change="UPDATE users SET name = 'else' WHERE name IS NULL AND :batch(id) RETURNING id, name")
        self.broken("d")
        undone = self.tool("undo", "1", "--target", "a")
        self.assertEqual(undone.code, 0, undone)
        os.unlink(self.databases["c"].path)
        status = self.status(5, "--all", "--exit-code")
        self.assertEqual(self.where(status), {"a": "undone", "b": "edited", "d": "pending"})
        by_name = {target["target"]: target for target in status["targets"]}
        self.assertEqual((by_name["c"]["reachable"], by_name["c"]["exit_status"], by_name["c"]["pending"]), (False, 5, None))
        self.assertIn("c.db", by_name["c"]["error"])
        self.assertEqual((by_name["b"]["reachable"], by_name["b"]["group"], by_name["b"]["rows_changed"]), (True, "prod", 3))
        self.assertEqual(status["totals"], {"targets": 4, "unreachable": 1, "pending": 1})
        self.assertEqual(self.status(0, "--all")["totals"]["unreachable"], 1)
        self.assertRegex(self.tool("status", "--all").out, r"undone +edited 3 +unreachable +pending")
        self.assertEqual(self.tool("status", "--target", "c,c").code, 5)
        self.assertEqual(self.tool("status", "--target", "a,b", "--exit-code").code, 0)
        self.assertEqual(self.tool("status", "--target", "a,d", "--exit-code").code, 3)

    def test_numbers_of_rows_that_are_far_from_the_others(self):
        rows = {"a": 100, "b": 110, "c": 90, "d": 10, "e": 0, "f": 11, "g": 1100, "h": 1}
        for name, count in rows.items():
            self.sqlite_file(name, rows=max(count, 1), named=0 if count else 1)
        group = {"h": "stage"}
        self.configure({name: (self.path(f"{name}.db"), group.get(name, "prod")) for name in rows})
        self.define()
        self.states(0, "--all")
        [definition] = self.status(0, "--all")["definitions"]
        # the median of prod (0, 10, 11, 90, 100, 110, 1100) is 90, of all (0, 1, 10, 11, 90, ...) 50.5
        self.assertEqual({on["target"]: on["median"] for on in definition["on"] if on["outlier"]},
                         {"e": 90.0, "g": 90.0, "h": 50.5})
        lines = self.tool("status", "--all", COLUMNS="70").out
        self.assertIn("! e: 0 rows changed, and the median of group prod is 90", lines)
        self.assertIn("! h: 1 row changed, and the median of all targets is 50.5", lines)
        grid = self.tool("status", "--target", "a,b,g").out
        self.assertIn("done 1,100 !", grid)
        self.assertIn("! g: 1,100 rows changed, and the median of group prod is 110 (fill)", grid)
        self.assertNotIn("!", self.tool("status", "--target", "a,g").out)

    # --- migrate

    def test_migrate_and_abort_if_pending_on_several(self):
        self.use("a", "b", "c")
        self.define(name="notes", version="20260102000000", pre="SELECT id, note FROM users WHERE id = 1",
                    change="UPDATE users SET note = 'x' WHERE id = 1 RETURNING id, note")
        self.assertEqual(self.tool("run", "fill", "--target", "a").code, 0)
        self.broken("c")
        pending = self.tool("abort-if-pending", "--all")
        self.assert_failed(pending, 3, "something is pending on 3 of 3 targets", "  a: 20260102000000 notes\n",
                           f"  b: {VERSION} fill, 20260102000000 notes\n")
        planned = self.tool("migrate", "--target", "a,b", "--dry-run", "--json")
        self.assertEqual([(target["state"], len(target["result"]["would_run"])) for target in planned.json["targets"]],
                         [("pending", 1), ("pending", 2)])
        migrated = self.tool("migrate", "--all", "--json")
        self.assertEqual(migrated.code, 6, migrated)
        targets = {target["target"]: target for target in migrated.json["targets"]}
        self.assertEqual({name: (target["state"], target["rows_changed"], len(target["runs"]))
                          for name, target in targets.items()},
                         {"a": ("done", 1, 1), "b": ("done", 4, 2), "c": ("failed", 0, 0)})
        self.assertEqual([run["name"] for run in targets["b"]["result"]["done"]], ["fill", "notes"])
        self.assertEqual(targets["c"]["result"]["not_run"][0]["name"], "notes")
        again = self.tool("migrate", "--target", "a,b")
        self.assertEqual(again.code, 0, again)
        self.assertRegex(again.out, r"(?m)^  a +prod +skipped +nothing is pending$")
        self.assertEqual(self.tool("abort-if-pending", "--target", "a,b").out, "nothing is pending on 2 targets\n")
        os.unlink(self.databases["a"].path)
        gone = self.tool("abort-if-pending", "--target", "a,b", "--json")
        self.assertEqual((gone.code, gone.json["targets"][0]["pending"]), (5, None))

    def test_migrate_does_not_run_what_may_be_meant_for_another_group(self):
        self.databases = self.files({"prod-1": "prod", "stage-1": "stage", "other": "x"})
        self.configure({**{name: (self.databases[name].url, name[:-2]) for name in ("prod-1", "stage-1")},
                        "other": [f'url = "{self.databases["other"].url}"']})
        self.define(targets="prod")
        result = self.tool("migrate", "--all", "--json")
        self.assertEqual(result.code, 6, result)
        self.assertEqual({target["target"]: target["state"] for target in result.json["targets"]},
                         {"prod-1": "done", "stage-1": "skipped", "other": "failed"})
        self.assertIn("is not known", result.json["targets"][2]["error"])

    # --- check

    def test_check_on_several(self):
        self.use("a", "b", "c")
        self.broken("b")
        checked = self.tool("check", "--all")
        self.assertEqual(checked.code, 2, checked)
        self.assertRegex(checked.out, r"(?m)^ok    audits/.*fill.sql  on a, c$")
        self.assertRegex(checked.out, r"(?m)^FAIL  audits/.*fill.sql  on b$")
        self.assertRegex(checked.out, r"(?m)^      b: .*error: .*users")
        printed = self.tool("check", "--all", "--json").json["targets"]
        self.assertEqual([(target["target"], target["definitions"][0]["ok"]) for target in printed],
                         [("a", True), ("b", False), ("c", True)])
        self.assertRegex(self.tool("check", "--target", "a,c").out, r"(?m)^ok    audits/.*fill.sql  on all 2$")
        os.unlink(self.databases["a"].path)
        self.assertEqual(self.tool("check", "--target", "a,c").code, 5)


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.]+)\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')


def read_metrics(text):
    """{(name, frozenset of labels): number}, of a file that keeps to the grammar of the text format."""
    if not text.endswith("\n"):
        raise ValueError("the last line does not end")
    samples, types, order = {}, {}, []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            order.append(line.split(" ")[2])
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name in types or kind not in ("counter", "gauge"):
                raise ValueError(line)
            types[name] = kind
            continue
        name, labels, number = SAMPLE.match(line).groups()
        if name not in types or order[-1] != name:
            raise ValueError(f"not behind its own TYPE: {line}")
        if (name.endswith("_total")) != (types[name] == "counter"):
            raise ValueError(f"counters end in _total: {line}")
        unescape = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
        values = {label: re.sub(r'\\[\\"n]', lambda found: unescape[found[0]], value)
                  for label, value in LABEL.findall(labels or "")}
        key = (name, frozenset(values.items()))
        if key in samples:
            raise ValueError(f"twice: {line}")
        samples[key] = float(number)
    return samples


class PrometheusTests(Targets):
    def metrics(self, name="datachange.prom"):
        with open(self.path(name), encoding="utf-8") as file:
            return read_metrics(file.read())

    def of(self, metrics, name, **labels):
        return metrics[(name, frozenset(labels.items()))]

    def test_several_targets(self):
        databases = self.files({"eu-1": "eu", "us-1": "us"})
        self.configure({**{name: (database.url, name[:2]) for name, database in databases.items()},
                        "us-2": (self.path("gone.db"), "us")})
        self.define()
        self.define(name="later", version="20260102000000")
        self.states(0, "--target", "eu-1", "--group", "eu")
        previous = os.umask(0o077)
        self.addCleanup(os.umask, previous)
        result = self.tool("status", "--all", "--prometheus", "datachange.prom")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(os.stat(self.path("datachange.prom")).st_mode & 0o777, 0o644)
        self.assertEqual([name for name in os.listdir(self.folder) if ".prom" in name], ["datachange.prom"])
        metrics = self.metrics()
        for name, up in (("eu-1", 1), ("us-1", 1), ("us-2", 0)):
            self.assertEqual(self.of(metrics, "datachange_target_up", target=name, group=name[:2]), up)
        count = lambda name, state: self.of(metrics, "datachange_definitions", target=name, group=name[:2], state=state)
        self.assertEqual((count("eu-1", "done"), count("eu-1", "pending"), count("eu-1", "failed")), (1, 1, 0))
        self.assertEqual((count("us-1", "done"), count("us-1", "pending")), (0, 2))
        states = {dict(labels)["state"] for name, labels in metrics if name == "datachange_definitions"}
        self.assertEqual(states, {"pending", "processing", "paused", "stalled", "stopped", "failed", "cancelled", "done",
                                  "edited", "undoing", "undone", "marked", "excluded"})
        self.assertEqual(self.of(metrics, "datachange_rows_changed_total", target="eu-1", group="eu"), 3)
        [(finished,)] = self.ledger("SELECT CAST(strftime('%s', finished_at) AS integer) FROM runs")
        self.assertAlmostEqual(self.of(metrics, "datachange_last_success_timestamp_seconds", target="eu-1", group="eu"),
                               finished, delta=2)
        known = {dict(labels)["target"] for name, labels in metrics if name == "datachange_last_success_timestamp_seconds"}
        self.assertEqual(known, {"eu-1"}, "what is not known is left out")
        self.assertNotIn("us-2", {dict(labels)["target"] for name, labels in metrics if name == "datachange_definitions"})
        with open(self.path("datachange.prom"), encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("sqlite", text)
        self.assertNotIn(self.folder, text)
        if shutil.which("promtool"):
            with open(self.path("datachange.prom"), "rb") as file:
                checked = subprocess.run(["promtool", "check", "metrics"], stdin=file, capture_output=True, check=False)
            self.assertEqual(checked.returncode, 0, checked)

    def test_one_database_with_a_name_that_needs_escapes(self):
        name = 'say "hi"\\n.db'
        self.make_users(database=Sqlite(self.folder, name))
        self.define()
        wanted = f"sqlite:{os.path.realpath(self.folder)}/{name}"
        self.assertEqual(self.tool("status", "--database", name, "--prometheus", "one.prom").code, 0)
        self.assertEqual(self.of(self.metrics("one.prom"), "datachange_target_up", target=wanted, group=""), 1)
        os.unlink(self.path(name))
        self.assertEqual(self.tool("status", "--database", name, "--prometheus", "one.prom").code, 5)
        gone = self.metrics("one.prom")
        self.assertEqual(list(gone.values()), [0])
        self.assertEqual({key for key, _ in gone}, {"datachange_target_up"})

    def test_a_file_that_cannot_be_written(self):
        self.files({"a": "x"})
        self.define()
        self.assert_failed(self.tool("status", "--all", "--prometheus", "no/folder/x.prom"), 1, "no/folder/x.prom")


class PostgresTargetsTests(Targets):
    """Several servers, several engines, shards."""

    @classmethod
    def setUpClass(cls):
        cls.other = Server()

    @classmethod
    def tearDownClass(cls):
        cls.other.remove()

    def shared(self):
        database = Postgres()
        self.addCleanup(database.drop)
        self.make_users(database=database)
        return database

    def of_other_server(self, name):
        database = DatabaseOfServer(self.other, name)
        self.addCleanup(lambda: self.other.execute(f"DROP DATABASE {name} WITH (FORCE)"))
        self.addCleanup(database.close)
        self.make_users(database=database)
        return database

    def test_both_engines_on_two_servers_and_one_that_is_down(self):
        here, there, file = self.shared(), self.of_other_server("there"), self.sqlite_file("file")
        down = f"postgresql://nobody@127.0.0.1:{self.refused_port()}/nothing"
        self.configure({"here": (here.url, "pg"), "down": (down, "pg"), "there": (there.url, "pg"), "file": (file.url, "lite")})
        self.define()
        printed, targets = self.run_several(5, "--all")
        self.assertEqual({name: target["state"] for name, target in targets.items()},
                         {"here": "done", "down": "failed", "there": "done", "file": "done"})
        self.assertEqual([targets[name]["result"]["engine"] for name in ("here", "there", "file")],
                         ["postgresql", "postgresql", "sqlite"])
        self.assertIn("cannot connect to", targets["down"]["error"])
        self.assertEqual([self.filled(database) for database in (here, there, file)], [3, 3, 3])
        self.assertEqual(self.where(self.status(5, "--all", "--exit-code")), dict.fromkeys(["here", "there", "file"], "done"))
        shown = self.tool("status", "--all", COLUMNS="120")
        self.assertRegex(shown.out, r"done 3 +unreachable +done 3 +done 3")
        self.assertRegex(shown.out, r"(?m)^down: error: cannot connect to .*\nhint: ")

    def test_shards_on_two_servers(self):
        shards = [self.shared(), self.of_other_server("shard")]
        self.configure({"orders": [f'shards = ["{shards[0].url}", {{ url-env = "SHARD_2", name = "two" }}]', 'group = "prod"']})
        self.define()
        result = self.tool("run", "fill", "--target", "orders", SHARD_2=shards[1].url)
        self.assertEqual(result.code, 0, result)
        self.assertRegex(result.out, r"(?m)^  orders\.1 +prod +done +3 ")
        self.assertRegex(result.out, r"(?m)^  orders\.two +prod +done +3 ")
        self.assertRegex(result.out, r"(?m)^  = orders +prod +done +6 ")
        self.assertEqual(self.ledger("SELECT count(DISTINCT target) FROM runs WHERE rows_changed = 3"), [(2,)])
        printed, targets = self.run_several(2, "--target", "orders", "--again", "--jobs", "1", SHARD_2=None)
        self.assertEqual((targets["orders.two"]["exit_status"], targets["orders.1"]["exit_status"]), (2, 0))
        self.assertIn("SHARD_2 is not set", targets["orders.two"]["error"])
        self.assertEqual([(shard["target"], shard["shards"], shard["done"]) for shard in printed["shards"]],
                         [("orders", 2, 1)])
        self.assert_failed(self.tool("undo", "1", "--target", "orders"), 2, "orders.1, orders.two")

    def test_eight_at_once_in_batches_on_one_ledger(self):
        template = self.shared()
        template.execute("DROP TABLE users")
        self.make_users(400, 0, template)
        names = [f"{template.name}_{i}" for i in range(8)]
        for name in names:
            _psql(server(), f"CREATE DATABASE {name} TEMPLATE {template.name}")
            self.addCleanup(_psql, server(), f"DROP DATABASE {name} WITH (FORCE)")
        self.configure({f"t{i}": (with_database(server(), name), "prod") for i, name in enumerate(names)})
        self.define()
        printed, targets = self.run_several(0, "--all", "--jobs", "8", "--batch-threshold", "1", "--batch-size", "20")
        self.assertEqual(printed["totals"]["rows_changed"], 3200)
        self.assertEqual({target["result"]["batches"] for target in targets.values()}, {20})
        self.assertEqual(self.ledger("SELECT count(*), count(DISTINCT run_id) FROM batches WHERE state = 'committed'"),
                         [(160, 8)])
        self.assertEqual(self.ledger("SELECT count(*) FROM changes"), [(3200,)])
        for target in ("t0", "t7"):
            verified = self.tool("verify", "--deep", "--target", target)
            self.assertEqual(verified.code, 0, verified)

    def test_fifty_databases_on_one_server(self):
        template = self.shared()
        self.define()
        names = [f"{template.name}_{i:02}" for i in range(50)]
        creating = [f"CREATE DATABASE {name} TEMPLATE {template.name} STRATEGY file_copy" for name in names]
        for statements in (creating[i::4] for i in range(4)):
            subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server()],
                           input=";\n".join(statements).encode() + b";", check=True)
        self.addCleanup(subprocess.run, ["psql", "-X", "-q", "-d", server()],
                        input="".join(f"DROP DATABASE {name} WITH (FORCE);\n" for name in names).encode(), check=True)
        self.configure({f"db-{i:02}": (with_database(server(), name), "prod") for i, name in enumerate(names)})
        self.assertEqual(self.status(3, "--all", "--exit-code", "--jobs", "8")["totals"]["pending"], 50)
        printed, targets = self.run_several(0, "--all", "--jobs", "8")
        self.assertEqual((printed["totals"]["done"], printed["totals"]["rows_changed"]), (50, 150))
        shown = self.tool("status", "--all", "--exit-code", "--jobs", "8", COLUMNS="80")
        self.assertEqual(shown.code, 0, shown)
        self.assertIn("done on 50: 3 rows each, 150 in all", shown.out)
        self.assertIn("50 targets; nothing is pending", shown.out)


class SecretTests(Targets, PostgresCase):
    """A URL is nowhere, wherever it comes from."""

    ROLE = "datachange_password"
    new_database = PostgresCase.new_database

    def setUp(self):
        super().setUp()
        rules = self.column(f"SELECT auth_method FROM pg_hba_file_rules WHERE '{self.ROLE}' = ANY (user_name)")
        if "scram-sha-256" not in rules:
            self.skipTest("the server was not started by tests/support/postgres: no role needs a password there")
        self.make_users()
        self.database.execute(f"GRANT ALL ON users TO {self.ROLE}; GRANT CREATE ON SCHEMA public TO {self.ROLE}")
        self.define()
        self.url = self.database.url_of(self.ROLE, PASSWORD.replace(" ", "%20"))
        self.write("print-url", f"#!/bin/sh\necho '{self.url}'\n")
        self.write("fail", f"#!/bin/sh\necho 'no vault: {self.url}'\necho 'token {PASSWORD}' >&2\nexit 7\n")
        self.write("two-lines", f"#!/bin/sh\necho 'warning'\necho '{self.url}'\n")
        self.write("no-url", f"#!/bin/sh\necho 'token={PASSWORD}'\n")
        self.scripts = {"print-url", "fail", "two-lines", "no-url"}
        for script in self.scripts:
            os.chmod(self.path(script), 0o755)

    def assert_secret(self, result):
        for secret in (PASSWORD, "secret%20word"):
            self.assertNotIn(secret, result.out + result.err)
            for folder, _, files in os.walk(self.folder):
                for name in files:
                    if name in self.scripts:
                        continue
                    with open(os.path.join(folder, name), "rb") as file:
                        self.assertNotIn(secret.encode(), file.read(), name)
            if self.has_journal():
                for table in ("datachange_runs", "datachange_batches", "datachange_requests"):
                    self.assertNotIn(secret, str(self.database.rows(f"SELECT * FROM {table}")))

    def test_urls_from_the_environment_and_from_commands(self):
        self.configure({
            "env": ['url-env = "SECRET_URL"'], "command": ['url-command = "./print-url"'], "fails": ['url-command = "./fail"'],
            "lines": ['url-command = "./two-lines"'], "no-url": ['url-command = "./no-url"'],
            "env-no-url": ['url-env = "NO_URL"'], "slow": ['url-command = "exit 3"'],
        })
        given = {"SECRET_URL": self.url, "NO_URL": f"postgresql:/{PASSWORD}@host"}
        _, targets = self.run_several(2, "--target", "fails,lines,no-url,env-no-url", **given)
        self.assertIn("ended with 7", targets["fails"]["error"])
        self.assertIn("more than one line", targets["lines"]["error"])
        self.assertIn("no URL", targets["no-url"]["error"])
        self.assertIn("NO_URL is no URL", targets["env-no-url"]["error"])
        commands = [["status", "--all"], ["status", "--all", "--json"], ["check", "--all"], ["check", "--all", "--json"],
                    ["run", "fill", "--all", "--dry-run"], ["run", "fill", "--all", "--json"], ["run", "fill", "--all"],
                    ["run", "fill", "--target", "fails"], ["run", "fill", "--target", "no-url"], ["status", "--target", "env"],
                    ["status", "--all", "--prometheus", "x.prom"], ["runs", "--json"], ["verify", "--target", "command"]]
        for command in commands:
            with self.subTest(command):
                self.assert_secret(self.tool(*command, **given))
        self.assertEqual(self.filled(self.database), 3)
        [(target,)] = self.ledger("SELECT DISTINCT target FROM runs WHERE state = 'done' AND NOT dry_run")
        self.assertEqual(target, self.database.url_of(self.ROLE))

    def test_a_secret_is_in_no_list_of_processes(self):
        self.configure({"command": ['url-command = "./print-url"'], "env": ['url-env = "SECRET_URL"']})
        self.write("hold", "")
        run = self.start("run", "fill", "--target", "command,env", "--jobs", "1", "--throttle-flag-file", "hold", *small(1),
                         SECRET_URL=self.url)
        wait_until(lambda: self.has_journal() and self.database.rows("SELECT 1 FROM datachange_runs"), "it is at work")
        for process in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as file:
                line = file.read()
                self.assertNotIn(PASSWORD.encode(), line)
                self.assertNotIn(b"secret%20word", line)
        self.assertEqual(self.database.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%secret%'"),
                         [("0",)])
        os.unlink(self.path("hold"))
        self.assert_secret(run.finish())


if __name__ == "__main__":
    unittest.main()
