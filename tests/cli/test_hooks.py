"""Hooks: what they are told, when, and that nothing they do has any effect on the run."""

import json
import os
import re
import signal
import time
import unittest

from support import STEPS, TOOL, VERSION, PostgresCase, SqliteCase, small, wait_until

KEEP = "cat >> hooks.jsonl"  # stdin is one line of JSON
EVENTS = ("start", "done", "failed", "paused")
SKIPPING = {"on_error": "skip", "change": "UPDATE users SET name = nullif('filled', note) WHERE name IS NULL AND :batch(id)"
                                          " RETURNING id, name"}


def lives(pid):
    """Whether a process is there that has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class HookCase:
    """Hooks that write down what they are told."""

    def setUp(self):
        super().setUp()
        self.make_users(count=20, named=2)
        self.define(ticket="OPS-7")

    def hook(self, timeout="20s", extra="", **commands):
        """Writes the config file. @param commands by event"""
        lines = [f"on-{event} = {json.dumps(command)}" for event, command in commands.items()]
        self.write("datachange.toml", "\n".join([extra, "[hooks]", f'timeout = "{timeout}"', *lines, ""]))

    def keep_all(self, **more):
        self.hook(**{**{event: KEEP for event in EVENTS}, **more})

    def told(self):
        """What hooks have read on stdin so far, oldest first."""
        if not os.path.exists(self.path("hooks.jsonl")):
            return []
        with open(self.path("hooks.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def events(self):
        return [(one["event"], one["state"]) for one in self.told()]

    def forget(self):
        os.remove(self.path("hooks.jsonl"))

    def content(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def warnings(self, result):
        return [line for line in result.err.splitlines() if line.startswith("warning: ")]

    def start_slowly(self):
        run = self.start("run", "fill", "--sleep", "1s", *small(2))
        wait_until(lambda: self.has_journal() and self.journal() and int(self.journal()[-1][2]) >= 1, "a batch is done")
        return run


class HookTests(HookCase):
    def test_a_run_that_is_done(self):
        self.keep_all()
        printed = self.run_ok(*small(5), "--operator", "anna")
        self.assertEqual(self.events(), [("start", "processing"), ("done", "done")])
        start, done = self.told()
        self.assertEqual((start["rows_changed"], start["resumed"], start["exit_status"]), (0, False, 0))
        self.assertTrue(start["text"].startswith(f"run 1 started: {VERSION} fill on "), start["text"])
        (target,) = self.ledger("SELECT target FROM runs")[0]
        expected = {
            "event": "done", "run": 1, "run_uuid": printed["uuid"], "version": VERSION, "name": "fill", "ticket": "OPS-7",
            "reverses": None, "operator": "anna", "database": target, "target": target, "group": None, "state": "done",
            "rows_changed": 18, "rows_failed": 0, "error": None, "exit_status": 0, "schema_dir": None,
            "csv_directory": self.real(printed["csv_directory"]), "ledger": self.real("datachange-ledger.db"),
            "dir": self.real("audits"), "csv_dir": self.real("audit-csv")}
        self.assertEqual({name: done[name] for name in expected}, expected)
        self.assertGreater(done["duration_ms"], 0)
        self.assertRegex(done["text"], rf"^run 1 done: {VERSION} fill on .* by anna: 18 rows changed in \d+\.\d s$")

    def real(self, name):
        return os.path.join(os.path.realpath(self.folder), name)

    def test_the_environment_says_the_same(self):
        self.keep_all(done=f"{KEEP}; env -0 > variables")
        self.run_ok()
        variables = dict(entry.split("=", 1) for entry in self.content("variables").split("\0") if "=" in entry)
        for name, value in self.told()[-1].items():
            text = {None: "", False: ""}.get(value, str(value)) if not isinstance(value, int) or value is False else str(value)
            self.assertEqual(variables["DATACHANGE_" + name.upper()], text, name)

    def test_a_run_that_fails_after_some_batches(self):
        self.database.execute("UPDATE users SET note = NULL WHERE id = 12")
        self.define(change="UPDATE users SET name = note || CASE WHEN id = 12 THEN CAST(1/(id-12) AS text) ELSE '' END"
                    " WHERE name IS NULL AND :batch(id) RETURNING id, name", requires="users.name")
        if self.engine == "sqlite":
            self.database.execute("CREATE TRIGGER poison BEFORE UPDATE ON users WHEN NEW.id = 12 BEGIN"
                                  " SELECT RAISE(ABORT, 'poisoned row'); END")
        self.keep_all()
        result = self.tool("run", "fill", *small(5))
        self.assertEqual(result.code, 6, result)
        self.assertEqual(self.events(), [("start", "processing"), ("failed", "failed")])
        failed = self.told()[-1]
        self.assertEqual((failed["exit_status"], failed["rows_changed"]), (6, int(self.journal()[0][1])))
        self.assertGreater(failed["rows_changed"], 0)
        self.assertIn(failed["error"].split("\n")[0], result.err)
        self.assertTrue(os.path.isdir(failed["csv_directory"]))

    def test_a_run_that_fails_as_a_whole(self):
        self.define(verify="SELECT id FROM users WHERE name = 'filled'")
        self.keep_all()
        result = self.tool("run", "fill")
        self.assertEqual(result.code, 1, result)
        self.assertEqual(self.events(), [("start", "processing"), ("failed", "failed")])
        failed = self.told()[-1]
        self.assertEqual((failed["exit_status"], failed["rows_changed"], failed["csv_directory"]), (1, 0, None))

    def test_pause_goes_on_and_cancel(self):
        self.keep_all()
        run = self.start_slowly()
        self.assertEqual(self.tool("pause", "1").code, 0)
        wait_until(lambda: ("paused", "paused") in self.events(), "the hook is called")
        paused = self.told()[-1]
        self.assertEqual(paused["rows_changed"], 2 * int(self.journal()[0][2]))
        self.assertTrue(paused["error"].startswith("paused by "), paused)
        self.assertTrue(run.running)
        self.assertEqual(self.tool("resume", "1").code, 0)
        self.assertEqual(self.tool("cancel", "1").code, 0)
        result = run.finish()
        self.assertNotEqual(result.code, 0)
        self.assertEqual(self.events(), [("start", "processing"), ("paused", "paused"), ("failed", "cancelled")])
        self.assertEqual(self.told()[-1]["exit_status"], result.code)

    def test_ctrl_c_and_going_on(self):
        self.keep_all()
        run = self.start_slowly()
        run.send(signal.SIGINT)
        self.assertEqual(run.finish().code, 3)
        self.assertEqual(self.events(), [("start", "processing"), ("paused", "stopped")])
        stopped = self.told()[-1]
        self.assertEqual((stopped["exit_status"], stopped["error"]), (3, "stopped on request"))
        self.forget()
        result = self.tool("resume", "1", "--json")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.events(), [("start", "processing"), ("done", "done")])
        start, done = self.told()
        self.assertEqual((start["resumed"], start["rows_changed"]), (True, stopped["rows_changed"]))
        self.assertIn("goes on", start["text"])
        self.assertEqual((done["run"], done["run_uuid"], done["rows_changed"]), (1, stopped["run_uuid"], 18))

    def test_a_stopped_run_that_is_cancelled(self):
        run = self.start_slowly()
        run.send(signal.SIGINT)
        self.assertEqual(run.finish().code, 3)
        self.keep_all()
        self.assertEqual(self.tool("cancel", "1").code, 0)
        self.assertEqual(self.events(), [("failed", "cancelled")])
        self.assertEqual(self.told()[0]["rows_changed"], int(self.journal()[0][1]))

    def test_undo(self):
        printed = self.run_ok()
        self.keep_all()
        self.assertEqual(self.tool("undo", "1", "--ticket", "OPS-8").code, 0)
        self.assertEqual(self.events(), [("start", "processing"), ("done", "done")])
        done = self.told()[-1]
        self.assertEqual((done["run"], done["reverses"], done["ticket"]), (2, printed["uuid"], "OPS-8"))
        self.assertTrue(done["name"].startswith("undo_of_"))

    def test_rows_that_are_skipped_and_tried_again(self):
        self.define(**SKIPPING)
        self.database.execute("UPDATE users SET note = 'filled' WHERE id = 3")
        self.after_trigger("poison", "UPDATE OF name", "SELECT RAISE(ABORT, 'poison') WHERE NEW.name IS NULL"
                           if self.engine == "sqlite" else
                           "IF NEW.name IS NULL THEN RAISE EXCEPTION 'poison'; END IF")
        self.keep_all()
        self.assertEqual(len(self.run_ok(*small(5))["failures"]), 1)
        self.assertEqual(self.told()[-1]["rows_failed"], 1)
        self.assertIn("17 rows changed", self.told()[-1]["text"])
        self.forget()
        self.assertEqual(self.tool("retry", "1").code, 3)
        self.assertEqual([(one["event"], one["exit_status"]) for one in self.told()], [("start", 0), ("done", 3)])
        self.forget()
        self.database.execute("UPDATE users SET note = 'mended' WHERE id = 3")
        self.assertEqual(self.tool("retry", "1").code, 0)
        self.assertEqual([(one["event"], one["exit_status"], one["rows_changed"]) for one in self.told()],
                         [("start", 0, 17), ("done", 0, 18)])

    def test_nothing_to_do_is_done(self):
        self.define(requires="users.nothing", on_missing="skip")
        self.keep_all()
        self.run_ok()
        self.assertEqual(self.events(), [("start", "processing"), ("done", "skipped")])

    def test_no_hook_for_a_rehearsal_and_what_is_refused(self):
        self.keep_all()
        self.run_ok("--dry-run")
        self.assertEqual(self.told(), [])
        self.run_ok()
        self.forget()
        self.refused(1, "has run already")
        self.define(name="wrong", version="20260101000001", requires="users.nothing")
        self.refused(1, definition="wrong")
        self.define(name="odd", version="20260101000002", pre="SELECT nothing FROM users")
        self.assertNotEqual(self.tool("run", "odd").code, 0)
        self.assertEqual(self.told(), [])

    def test_several_steps_are_one_run(self):
        self.define(STEPS)
        self.keep_all()
        self.run_ok()
        self.assertEqual(self.events(), [("start", "processing"), ("done", "done")])

    def test_every_run_of_a_migration(self):
        self.define(name="later", version="20260101000001", pre="SELECT id, note FROM users WHERE id < 3 AND :batch(id)",
                    change="UPDATE users SET note = 'later' WHERE id < 3 AND :batch(id) RETURNING id, note")
        self.keep_all()
        result = self.tool("migrate", "--json")
        self.assertEqual((result.code, len(result.json["done"])), (0, 2), result)
        self.assertEqual([(one["event"], one["name"], one["rows_changed"]) for one in self.told()],
                         [("start", "fill", 0), ("done", "fill", 18), ("start", "later", 0), ("done", "later", 2)])

    def test_a_run_whose_definition_is_gone_is_cancelled(self):
        run = self.start_slowly()
        run.send(signal.SIGINT)
        self.assertEqual(run.finish().code, 3)
        ((uuid,),) = self.ledger("SELECT uuid FROM runs")
        self.keep_all(failed=f"{KEEP}; exit 3")
        os.rename(self.path("audits"), self.path("elsewhere"))
        result = self.tool("cancel", uuid)
        self.assertEqual((result.code, len(self.warnings(result))), (0, 1), result)
        self.assertEqual([(one["run_uuid"], one["state"]) for one in self.told()], [(uuid, "cancelled")])

    def test_a_target_by_name(self):
        self.hook(extra=f'[target.eu-prod]\nurl-env = "EU_URL"\ngroup = "prod"\nledger = "eu.db"\n',
                  done=f"{KEEP}; env > variables")
        result = self.tool("run", "fill", "--target", "eu-prod", DATABASE_URL=None, EU_URL=self.database.url)
        self.assertEqual(result.code, 0, result)
        (done,) = self.told()
        self.assertEqual((done["target"], done["group"], done["ledger"]), ("eu-prod", "prod", self.real("eu.db")))
        self.assertNotEqual(done["database"], "eu-prod")
        self.assertNotIn("EU_URL", self.content("variables"))


class SqliteHookTest(HookTests, SqliteCase):
    def test_a_redacted_value_is_not_told(self):
        self.database.execute("CREATE UNIQUE INDEX one_name ON users (name)")
        self.define(redact="name", change="UPDATE users SET name = 'user 20' WHERE id = 3 AND name IS NULL AND :batch(id)"
                                          " RETURNING id, name")
        self.keep_all()
        result = self.tool("run", "fill", DATACHANGE_REDACT_KEY="0123456789abcdef")
        self.assertEqual(result.code, 1, result)
        self.assertEqual(self.events()[-1], ("failed", "failed"))
        self.assertNotIn("user 20", self.content("hooks.jsonl"))
        self.assertNotIn("0123456789abcdef", self.content("hooks.jsonl"))


class PostgresHookTest(HookTests, PostgresCase):
    def test_a_redacted_value_is_not_told(self):
        self.database.execute("CREATE UNIQUE INDEX one_name ON users (name)")
        self.define(redact="name", change="UPDATE users SET name = 'user 20' WHERE id = 3 AND name IS NULL AND :batch(id)"
                                          " RETURNING id, name")
        self.keep_all()
        result = self.tool("run", "fill", DATACHANGE_REDACT_KEY="0123456789abcdef")
        self.assertEqual(result.code, 1, result)
        self.assertEqual(self.events()[-1], ("failed", "failed"))
        self.assertIn("one_name", self.told()[-1]["error"])
        self.assertNotIn("user 20", self.content("hooks.jsonl"))

    def test_a_password_is_nowhere(self):
        url = self.database.url_of(re.search(r"//([^@:/]+)", self.database.url)[1], "hunter2")
        self.hook(extra=f'[target.eu]\nurl-command = "cat secret"\n', start=f"{KEEP}; env >> variables; cat /proc/$PPID/environ >> variables",
                  done=f"{KEEP}; env >> variables")
        self.write("secret", url + "\n")
        result = self.tool("run", "fill", "--target", "eu", PGPASSWORD="hunter3", DATABASE_URL="postgresql://a:hunter4@b/c",
                           DATACHANGE_REDACT_KEY="hunter5-hunter5-hunter5", OTHER="kept")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.events(), [("start", "processing"), ("done", "done")])
        for name in ("hooks.jsonl",):
            self.assertNotIn("hunter", self.content(name))
        own = self.content("variables").split("\0")[0]
        self.assertIn("OTHER=kept", own)
        self.assertNotIn("hunter2", self.content("variables"))
        self.assertNotIn("hunter", own.rsplit("\n", 1)[0])


class NuisanceTest(HookCase, SqliteCase):
    """Hooks that are no good. The run's exit status and stdout are those of a run without hooks."""

    def run_beside(self, *flags, **commands):
        """@return the result of a run with these hooks, whose result is as it should be"""
        self.hook(**commands)
        result = self.tool("run", "fill", "--again", "--json", *flags)
        self.assertEqual(result.code, 0, result)
        self.assertEqual((result.json["state"], result.json["warnings"]), ("done", []), result)
        self.assertEqual(self.database.rows("SELECT count(*) FROM users WHERE name IS NULL"), [("0",)])
        return result

    def check_one_warning(self, pattern, **commands):
        result = self.run_beside(**commands)
        (warning,) = self.warnings(result)
        self.assertRegex(warning, rf"^warning: the hook on-(start|done) {pattern} \(the run is not affected\)$")
        self.assertEqual(result.err.splitlines(), [warning])

    def test_one_that_fails(self):
        self.check_one_warning("ended with 3: no such host", done="echo no such host >&2; echo really >&2; exit 3")
        self.check_one_warning("ended with 1", start="false")

    def test_one_that_is_not_there(self):
        self.check_one_warning("ended with 127: .*no-such-hook.*", done="no-such-hook --at all")
        self.check_one_warning("ended with 2: .*", done="if then (")

    def test_one_that_is_killed(self):
        self.check_one_warning(r"was ended by signal 9 \(Killed\)", done="kill -KILL $$")

    def test_one_that_floods_both_streams(self):
        result = self.run_beside(done="head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2")
        self.assertEqual(self.warnings(result), [])
        self.check_one_warning("ended with 1: y{100,}…", done="head -c 3000000 /dev/zero | tr '\\0' y >&2; false")

    def test_one_that_hangs_and_ignores_signals(self):
        self.check_one_warning(
            "took longer than 0.5 s, and was ended", timeout="500ms",
            done="trap '' TERM INT HUP; sh -c 'trap \"\" TERM; echo $$ > pid; sleep 600'; sleep 600")
        pid = self.content("pid").strip()
        wait_until(lambda: not lives(pid), "what the hook started is killed")

    def test_one_that_leaves_something_in_the_background(self):
        start = time.monotonic()
        result = self.run_beside(done="sleep 600 & echo $! > pid")
        self.assertLess(time.monotonic() - start, 15)
        self.assertEqual(self.warnings(result), [])
        os.kill(int(self.content("pid")), signal.SIGKILL)

    def test_one_that_reads_all_or_nothing_of_stdin(self):
        result = self.run_beside(start="exec <&-; cat", done="cat; cat; read line")
        self.assertEqual(len(self.warnings(result)), 2, result)  # cat without a stdin; read at its end

    def test_one_that_prints(self):
        result = self.run_beside(start="echo from a hook", done="echo from a hook; echo and this >&2")
        self.assertEqual(result.err, "")

    def test_one_that_takes_the_ledger_and_the_definitions_away(self):
        """The worst that a hook can do is what its user could do by hand."""
        self.run_beside(done="rm -rf audits")
        self.assertEqual(self.ledger("SELECT state FROM runs"), [("done",)])

    def test_each_is_a_warning_of_its_own(self):
        result = self.run_beside(start="exit 1", done="exit 2")
        self.assertEqual([re.search(r"on-(\w+ ended with \d)", line)[1] for line in self.warnings(result)],
                         ["start ended with 1", "done ended with 2"])

    def test_quiet_says_nothing(self):
        self.assertEqual(self.run_beside("--quiet", done="exit 3").err, "")

    def test_a_warning_among_json_lines(self):
        result = self.run_beside("--progress", "json", done="exit 3")
        events = [json.loads(line) for line in result.err.splitlines()]
        self.assertIn("the hook on-done ended with 3", [one for one in events if one["event"] == "warning"][0]["text"])

    def test_what_fails_still_fails_alike(self):
        self.define(verify="SELECT id FROM users WHERE name = 'filled'")
        without = self.tool("run", "fill")
        self.hook(start="exit 3", failed="exit 4")
        result = self.tool("run", "fill")
        self.assertEqual((result.code, result.out), (without.code, without.out))
        self.assertEqual(len(self.warnings(result)), 2)
        others = [line for line in result.err.splitlines() if line not in self.warnings(result)]
        self.assertEqual("\n".join(others) + "\n", without.err)

    def test_a_slow_one_holds_nothing_up_and_keeps_its_place(self):
        self.hook(timeout="60s", start=f"while ! [ -e go ]; do sleep 0.02; done; {KEEP}", done=KEEP)
        run = self.start("run", "fill", *small(2))
        wait_until(lambda: self.has_journal() and self.journal() and self.journal()[0][0] == "done", "the run is done")
        self.assertEqual(self.told(), [])
        self.assertTrue(run.running)
        self.write("go", "")
        self.assertEqual(run.finish().code, 0)
        self.assertEqual([event for event, _ in self.events()], ["start", "done"])

    def test_one_that_calls_datachange(self):
        self.write("datachange.toml.kept", "")
        self.define(name="after", version="20260101000001", change="UPDATE users SET note = 'later' WHERE id = 1 AND"
                    " :batch(id) RETURNING id, name", pre="SELECT id, name FROM users WHERE id = 1 AND :batch(id)")
        tool = os.path.abspath(TOOL)
        config = self.path("datachange.toml")
        self.hook(extra=f'[target.here]\nurl = "{self.database.url}"\n', timeout="60s", start=KEEP,
                  done=f"{KEEP}; cd / && {tool} show $DATACHANGE_RUN --json > {self.folder}/shown"
                       f" && {tool} run after --config {config} --target $DATACHANGE_TARGET --json > {self.folder}/ran")
        result = self.tool("run", "fill", "--target", "here", "--operator", "anna", DATABASE_URL=None)
        self.assertEqual((result.code, self.warnings(result)), (0, []), result)
        self.assertEqual(json.loads(self.content("shown"))["state"], "done")
        self.assertEqual(json.loads(self.content("ran"))["run"], 2)
        self.assertEqual(self.ledger("SELECT operator FROM runs"), [("anna",), ("anna",)])
        self.assertEqual([one["run"] for one in self.told()], [1, 1])  # hooks of hooks there are none

    def test_files_of_the_tool_are_not_open_in_it(self):
        self.hook(start="ls -l /proc/$$/fd > open; true")
        self.run_ok()
        self.assertNotIn(self.folder + "/audit-csv", self.content("open"))
        self.assertNotIn(".db", self.content("open"))


if __name__ == "__main__":
    unittest.main()
