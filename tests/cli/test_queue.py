"""The queue: what is enqueued is run one after another, tried again, and blocks what stands behind it when it fails."""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

from support import TOOL, PostgresCase, SqliteCase, definition_text, small, wait_until

FIRST, SECOND, THIRD = "20260101000000", "20260102000000", "20260103000000"
QUICK = {"--poll-interval": "50ms", "--retry-delay": "20ms"}


def quick(flags):
    """Flags of a worker that does not let a test wait, save what is given otherwise."""
    return [*flags, *(word for name, value in QUICK.items() if name not in flags for word in (name, value))]


class QueueCase:
    def setUp(self):
        super().setUp()
        self.make_users()
        self.database.execute("CREATE TABLE log (n integer PRIMARY KEY, what text)")

    def append(self, version, name, number, **parts):
        """A definition that can only do its part when those before it have done theirs."""
        return self.define(
            version=version, name=name, table="users", post=None,
            pre=f"SELECT id, note FROM users WHERE :batch(id)",
            change=f"UPDATE users SET note = note || '{number}' WHERE :batch(id) RETURNING id, note", **parts)

    def three(self):
        for version, name, number in ((FIRST, "one", 1), (SECOND, "two", 2), (THIRD, "three", 3)):
            self.append(version, name, number)

    def enqueue(self, *what):
        result = self.tool("enqueue", *what, "--json")
        self.assertEqual(result.code, 0, result)
        return result.json["items"]

    def work(self, *flags, **variables):
        return self.tool("work", "--once", *quick(flags), **variables)

    def items(self, *flags):
        result = self.tool("queue", "--json", *flags)
        self.assertEqual(result.code, 0, result)
        return result.json["items"]

    def states(self):
        return {item["version"]: item["state"] for item in self.items("--all")}

    def notes(self):
        return sorted(set(note[len("note 1"):] for note in self.column("SELECT note FROM users")))

    def start_work(self, *flags, **variables):
        return self.start("work", *quick(flags), **variables)

    def bad_rows(self, version=FIRST, name="one"):
        """A definition that fails on the server until mend() is called."""
        self.database.execute("CREATE TABLE obstacle (n integer)")
        self.define(version=version, name=name, table="users", change="UPDATE users SET name = 'filled' WHERE name IS "
                    "NULL AND :batch(id) RETURNING id, name")
        if self.engine == "sqlite":
            self.database.execute("CREATE TRIGGER stands_in_the_way BEFORE UPDATE ON users BEGIN"
                                  " SELECT RAISE(ABORT, 'an obstacle stands here'); END")
        else:
            self.database.execute("CREATE FUNCTION obstacle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                                  " RAISE EXCEPTION 'an obstacle stands here'; END $$;"
                                  " CREATE TRIGGER stands_in_the_way BEFORE UPDATE ON users FOR EACH ROW"
                                  " EXECUTE FUNCTION obstacle()")

    def mend(self):
        self.database.execute("DROP TRIGGER stands_in_the_way" + (" ON users" if self.engine == "postgresql" else ""))


class OrderTests(QueueCase):
    def test_what_is_enqueued_runs_in_order(self):
        self.three()
        queued = self.enqueue("--all")
        self.assertEqual([(item["position"], item["version"], item["name"], item["state"]) for item in queued],
                         [(1, FIRST, "one", "created"), (2, SECOND, "two", "created"), (3, THIRD, "three", "created")])
        self.assertEqual(self.notes(), [""])
        result = self.work("--json")
        self.assertEqual(result.code, 0, result)
        runs = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([run["version"] for run in runs], [FIRST, SECOND, THIRD])
        self.assertEqual(self.notes(), ["123"])
        self.assertEqual(self.items(), [])
        done = self.items("--all")
        self.assertEqual([(item["state"], item["run_uuid"], item["attempts"], item["errors"]) for item in done],
                         [("done", run["uuid"], 0, []) for run in runs])
        for item in done:
            for moment in ("enqueued_at", "finished_at", "heartbeat_at", "claimed_at"):
                self.assertRegex(item[moment], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", moment)

    def test_the_order_is_that_of_the_command(self):
        self.three()
        self.enqueue("three", FIRST)
        self.enqueue("two")
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["312"])

    def test_all_leaves_out_what_is_there_or_done(self):
        self.three()
        self.assertEqual(self.tool("run", "one").code, 0)
        self.enqueue("three")
        self.assertEqual([item["version"] for item in self.enqueue("--all")], [SECOND])
        self.assertEqual(self.enqueue("--all"), [])
        self.assertIn("nothing is pending that is not in the queue already", self.tool("enqueue", "--all").out)

    def test_two_workers_never_run_beside_each_other(self):
        self.three()
        self.enqueue("--all")
        workers = [self.start_work("--once") for _ in range(3)]
        self.assertEqual([worker.finish().code for worker in workers], [0, 0, 0])
        self.assertEqual(self.notes(), ["123"])
        runs = self.database.rows("SELECT version, started_at, finished_at FROM datachange_runs ORDER BY version")
        self.assertEqual([run[0] for run in runs], [FIRST, SECOND, THIRD])
        for (_, _, ended), (_, started, _) in zip(runs, runs[1:]):
            self.assertLessEqual(ended, started)

    def test_positions_of_many_at_once_are_all_different(self):
        versions = [f"2026010100000{i}" for i in range(8)]
        for i, version in enumerate(versions):
            self.append(version, f"d{i}", i)
        started = [self.start("enqueue", version) for version in versions]
        self.assertEqual([each.finish().code for each in started], [0] * len(versions))
        self.assertEqual([item["position"] for item in self.items()], list(range(1, len(versions) + 1)))


class RefusedTests(QueueCase):
    def assert_refused(self, result, code, *words):
        self.assert_failed(result, code, *words)
        self.assertIn("Nothing was enqueued.", result.err)

    def test_nothing_is_enqueued_twice(self):
        self.three()
        self.enqueue("two")
        before = self.items()
        self.assert_refused(self.tool("enqueue", "one", "two"), 1, SECOND, "in the queue already")
        self.assertEqual(self.items(), before)
        self.assert_refused(self.tool("enqueue", "one", "one"), 1, FIRST, "in the queue already")
        self.assertEqual(self.items(), before)

    def test_what_is_not_pending_or_wrong_is_refused(self):
        self.three()
        self.assertEqual(self.tool("run", "one").code, 0)
        self.assert_refused(self.tool("enqueue", "two", "one"), 1, FIRST, "it is done")
        self.define(version=SECOND, name="two", text="-- identifier: id\n-- audit:nonsense\nSELECT 1;\n")
        self.assertEqual(self.tool("enqueue", "three", "two").code, 2)
        self.assertEqual(self.tool("enqueue", "nobody").code, 2)
        self.assert_refused(self.tool("enqueue"), 2, "nothing to enqueue was named")
        self.assert_refused(self.tool("enqueue", "--all", "three"), 2, "--all")
        self.assertEqual(self.items(), [])

    def test_a_definition_outside_of_the_folder(self):
        path = self.write("elsewhere/20260105000000_far.sql", definition_text())
        self.three()
        self.assert_refused(self.tool("enqueue", path), 2, "does not stand in audits")

    def test_one_for_another_group(self):
        self.append(FIRST, "one", 1, targets="prod")
        self.assert_refused(self.tool("enqueue", "one", DATACHANGE_GROUP="staging"), 1, "targets: prod", "staging")
        self.assertEqual(len(self.enqueue("one")), 1)
        result = self.work(DATACHANGE_GROUP="staging")
        self.assertEqual((result.code, self.states()[FIRST]), (3, "failed"), result)

    def test_what_may_run_again_is_enqueued_again(self):
        self.append(FIRST, "one", 1, repeatable="yes")
        for times in (1, 2, 3):
            self.enqueue("one")
            self.assertEqual(self.work().code, 0)
            self.assertEqual(self.notes(), ["1" * times])


class FailureTests(QueueCase):
    def test_what_may_pass_is_tried_again(self):
        self.bad_rows()
        self.enqueue("one")
        worker = self.start_work("--once", "--max-attempts", "1000")
        wait_until(lambda: self.items()[0]["attempts"] >= 2, "it was tried twice")
        item = self.items()[0]
        self.assertIn(item["state"], ("pending", "processing"))
        self.assertIn("an obstacle stands here", item["errors"][-1])
        self.mend()
        result = worker.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.states(), {FIRST: "done"})
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["0"])

    def test_after_the_last_attempt_it_blocks_until_it_is_tried_again(self):
        self.bad_rows()
        self.append(SECOND, "two", 2)
        self.enqueue("one", "two")
        result = self.work("--max-attempts", "2")
        self.assert_failed(result, 3, FIRST, "an obstacle stands here", f"queue --retry {FIRST}", f"mark {FIRST} done",
                           f"queue --remove {FIRST}")
        self.assertEqual(self.states(), {FIRST: "failed", SECOND: "created"})
        self.assertEqual(self.items()[0]["attempts"], 2)
        text = self.tool("queue").out
        self.assertIn("an obstacle stands here", text)
        self.assertRegex(text, rf"(?m)^\s+1  {FIRST}  one   failed\s+2")
        self.assertEqual(self.work().code, 3, "it still blocks")
        self.mend()
        self.assertEqual(self.tool("queue", "--retry", FIRST).code, 0)
        self.assertEqual((self.items()[0]["state"], self.items()[0]["attempts"]), ("created", 0))
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.states(), {FIRST: "done", SECOND: "done"})

    def test_the_wait_before_an_attempt_is_doubled(self):
        self.bad_rows()
        self.enqueue("one")
        worker = self.start("work", "--poll-interval", "20ms", "--retry-delay", "1h")
        wait_until(lambda: self.items()[0]["state"] == "pending", "it waits")
        [(wait,)] = self.database.rows(
            "SELECT extract(epoch FROM not_before - heartbeat_at) FROM datachange_queue" if self.engine == "postgresql"
            else "SELECT (julianday(not_before) - julianday(heartbeat_at)) * 86400 FROM datachange_queue")
        self.assertTrue(299 <= float(wait) <= 700, f"ten minutes at most, five at least: {wait}")
        self.assertRegex(self.tool("queue").out, r"again in \d+ s: .*an obstacle stands here")
        self.mend()
        self.assertEqual(self.tool("queue", "--retry", "one").code, 0)
        wait_until(lambda: self.states()[FIRST] == "done", "it does not wait any more")
        worker.send(signal.SIGTERM)
        self.assertEqual(worker.finish().code, 0)

    def test_a_wrong_definition_is_not_tried_again(self):
        self.define(version=FIRST, name="one", pre="SELECT id, nothing FROM users WHERE :batch(id)")
        self.enqueue("one")
        result = self.work()
        self.assertEqual(result.code, 3, result)
        [item] = self.items()
        self.assertEqual((item["state"], item["attempts"], len(item["errors"])), ("failed", 0, 1))
        self.assertIn("nothing", item["errors"][0])

    def test_a_refused_run_is_not_tried_again(self):
        self.append(FIRST, "one", 1, expect_rows="1..2")
        self.enqueue("one")
        self.assertEqual(self.work().code, 3)
        self.assertIn("expect-rows", self.items()[0]["errors"][0])
        self.assertEqual((self.items()[0]["attempts"], self.notes()), (0, [""]))

    def test_an_edited_definition_fails_until_it_is_said_to_be_meant(self):
        self.three()
        self.enqueue("one", "two")
        self.append(FIRST, "one", 9)
        result = self.work()
        self.assert_failed(result, 3, "is not any more what was enqueued")
        self.assertEqual(self.notes(), [""])
        self.assertEqual(self.tool("queue", "--retry", "one").code, 0)
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["92"])

    def test_a_definition_that_this_host_lacks(self):
        self.three()
        self.enqueue("one")
        os.remove(self.path(f"audits/{FIRST}_one.sql"))
        self.assertEqual(self.work().code, 3)
        self.assertIn(f"has no definition {FIRST} one", self.items()[0]["errors"][0])

    def test_errors_are_bounded(self):
        self.bad_rows()
        self.enqueue("one")
        long = "é" * 3000
        if self.engine == "sqlite":
            self.mend()
            self.database.execute("CREATE TRIGGER stands_in_the_way BEFORE UPDATE ON users BEGIN"
                                  f" SELECT RAISE(ABORT, '{long}'); END")
        else:
            self.database.execute("CREATE OR REPLACE FUNCTION obstacle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                                  f" RAISE EXCEPTION '{long} %', clock_timestamp(); END $$")
        self.assertEqual(self.work("--max-attempts", "12", "--retry-delay", "1ms").code, 3)
        [item] = self.items()
        self.assertEqual(item["attempts"], 12)
        for error in item["errors"]:
            self.assertLessEqual(len(error.encode()), 1000)
            self.assertTrue(error.endswith("é..."), error[-20:])
        self.assertLessEqual(len("\n".join(item["errors"]).encode()), 8000)

    def test_errors_hold_no_redacted_values(self):
        if self.engine == "sqlite":
            self.skipTest("errors of SQLite hold no values")
        self.database.execute("UPDATE users SET name = 'secret'; ALTER TABLE users ADD CHECK (name <> 'secretsecret')")
        self.define(version=FIRST, name="one", redact="name", pre="SELECT id, name FROM users WHERE :batch(id)",
                    change="UPDATE users SET name = name || name WHERE :batch(id) RETURNING id, name")
        self.enqueue("one")
        result = self.work("--max-attempts", "1", DATACHANGE_REDACT_KEY="k" * 32)
        self.assertEqual(result.code, 3, result)
        self.assertIn("23514", self.items()[0]["errors"][0])
        self.assertNotIn("secret", self.tool("queue", "--json").out + result.err)

    def test_a_run_by_hand_is_waited_for(self):
        self.three()
        self.enqueue("one", "two")
        by_hand = self.start("run", "one", *small(1), "--sleep", "200ms")
        wait_until(lambda: self.journal(), "the run has begun")
        worker = self.start_work("--once", "--max-attempts", "1000")
        self.assertEqual(by_hand.finish().code, 0)
        result = worker.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.notes(), ["12"])
        self.assertEqual([item["attempts"] for item in self.items("--all")], [0, 0])

    def test_a_cancelled_run_has_failed(self):
        self.append(FIRST, "one", 1)
        self.enqueue("one")
        worker = self.start_work("--once", *small(1), "--sleep", "100ms")
        wait_until(lambda: self.journal(), "the run has begun")
        self.assertEqual(self.tool("cancel", FIRST).code, 0)
        self.assertEqual(worker.finish().code, 3)
        self.assertEqual((self.states(), self.items()[0]["attempts"]), ({FIRST: "failed"}, 0))
        self.assertIn("cancelled", self.items()[0]["errors"][0])


class OutsideTests(QueueCase):
    def test_removed_ones_are_history(self):
        self.three()
        self.enqueue("--all")
        result = self.tool("queue", "--remove", "two", "--json")
        self.assertEqual([item["version"] for item in result.json["items"]], [FIRST, THIRD])
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["13"])
        self.assertEqual(self.states(), {FIRST: "done", SECOND: "removed", THIRD: "done"})
        self.assert_failed(self.tool("queue", "--remove", "two"), 2, "does not stand in the queue")
        self.assertEqual([item["position"] for item in self.enqueue("two")], [4])

    def test_what_is_done_by_hand_is_done(self):
        self.three()
        self.enqueue("--all")
        self.assertEqual(self.tool("run", "one").code, 0)
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["123"])

    def mark_done(self, version):
        self.assertEqual(self.tool("mark", version, "done", "--reason", "by hand").code, 0)

    def test_a_failed_one_that_is_marked_lets_others_pass(self):
        self.bad_rows()
        self.append(SECOND, "two", 2)
        self.enqueue("one", "two")
        worker = self.start_work("--max-attempts", "1")
        wait_until(lambda: self.states()[FIRST] == "failed", "it has failed")
        self.mend()
        self.mark_done(FIRST)
        wait_until(lambda: self.states() == {FIRST: "done", SECOND: "done"}, "both are done")
        worker.send(signal.SIGINT)
        result = worker.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn(f"queue --retry {FIRST}", result.err)
        self.assertEqual(self.notes(), ["2"])

    def test_a_waiting_one_that_is_marked_is_not_run(self):
        self.three()
        self.enqueue("one", "two")
        self.mark_done(FIRST)
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["2"])
        self.assertEqual(self.states(), {FIRST: "done", SECOND: "done"})

    def test_one_in_hand_is_not_removed(self):
        self.three()
        self.enqueue("one")
        worker = self.start_work("--once", *small(1), "--sleep", "200ms")
        wait_until(lambda: self.items()[0]["run_uuid"], "the run has begun")
        self.assert_failed(self.tool("queue", "--remove", "one"), 3, "is being worked on", f"cancel {FIRST}")
        self.assert_failed(self.tool("queue", "--retry", "one"), 1, "is processing")
        self.assertRegex(self.tool("queue").out, r"run [0-9a-f]{8}, \d+ batch(es)?, by .*, heard \d+ s ago")
        self.assertEqual(worker.finish().code, 0)

    def test_an_empty_queue(self):
        for flags in ([], ["--all"]):
            self.assertIn("the queue is empty", self.tool("queue", *flags).out)
        self.assertEqual(self.items(), [])
        self.assertEqual(self.work().code, 0)
        self.assertFalse(self.has_journal(), "who only looks makes no tables")

    def test_a_journal_of_an_older_tool(self):
        self.three()
        self.assertEqual(self.tool("run", "one").code, 0)
        self.database.execute("DROP TABLE datachange_queue")
        self.assertEqual(self.items(), [])
        self.assertEqual(self.work().code, 0)
        self.assert_failed(self.tool("queue", "--retry", "two"), 2, "does not stand in the queue")
        self.assertEqual(len(self.enqueue("two")), 1)
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["12"])

    def test_flags_that_make_no_sense(self):
        for command in (["queue", "--retry", "1", "--remove", "1"], ["queue", "--watch", "--json"], ["queue", "--watch"],
                        ["work", "--max-attempts", "0"], ["work", "--worker-timeout", "10ms"], ["work", "--oncee"]):
            with self.subTest(command):
                self.assertEqual(self.tool(*command).code, 2)


class AsyncTests(QueueCase):
    def test_migrate_enqueues_what_is_pending_and_returns(self):
        self.three()
        self.enqueue("three")
        result = self.tool("migrate", "--async", "--json")
        self.assertEqual(result.code, 0, result)
        self.assertEqual([item["version"] for item in result.json["items"]], [FIRST, SECOND])
        self.assertEqual(self.notes(), [""])
        self.assertIn("nothing is pending that is not in the queue already", self.tool("migrate", "--async").out)
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["312"])

    def test_only_what_is_meant(self):
        self.three()
        self.assertEqual(self.tool("migrate", "--async", "--to", "two").code, 0)
        self.assertEqual([item["version"] for item in self.items()], [FIRST, SECOND])

    def test_a_wrong_one_keeps_all_out(self):
        self.three()
        self.define(version=SECOND, name="two", text="-- identifier: id\n-- audit:nonsense\nSELECT 1;\n")
        self.assertEqual(self.tool("migrate", "--async").code, 2)
        self.assertEqual(self.items(), [])

    def test_options_that_a_worker_would_not_obey(self):
        self.three()
        for flags in (["--dry-run"], ["--batch-size", "5"], ["--strict"], ["--ledger", "x.db"]):
            with self.subTest(flags):
                self.assert_failed(self.tool("migrate", "--async", *flags), 2, "--async cannot be given with " + flags[0],
                                   "Nothing was enqueued")
        self.assertEqual(self.items(), [])


class StopTests(QueueCase):
    def test_an_idle_worker_ends_at_once(self):
        self.three()
        worker = self.start_work("--poll-interval", "1h")
        wait_until(lambda: waits_for_signals(worker), "it watches for signals")
        worker.send(signal.SIGTERM)
        self.assertEqual(worker.finish().code, 0)

    def test_a_run_in_hand_is_stopped_and_gone_on_with(self):
        self.three()
        self.enqueue("one", "two")
        worker = self.start_work(*small(1), "--sleep", "300ms")
        wait_until(lambda: self.journal() and int(self.journal()[0][2]) > 0, "a batch is committed")
        worker.send(signal.SIGTERM)
        result = worker.finish()
        self.assertEqual(result.code, 3, result)
        item = self.items()[0]
        self.assertEqual((item["state"], item["attempts"], item["errors"]), ("created", 0, []))
        self.assertEqual(self.column("SELECT state FROM datachange_runs"), ["stopped"])
        self.assertIn("goes on", self.tool("queue").out)
        self.assertEqual(self.work().code, 0)
        self.assertEqual(self.notes(), ["12"])
        self.assertEqual(self.items("--all")[0]["run_uuid"], item["run_uuid"], "it is the same run")
        self.assertEqual(self.ledger("SELECT count(*) FROM runs"), [(2,)])

    def test_a_run_that_a_person_goes_on_with_is_let_alone(self):
        self.three()
        self.enqueue("one")
        worker = self.start_work(*small(1), "--sleep", "300ms")
        wait_until(lambda: self.journal() and int(self.journal()[0][2]) > 0, "a batch is committed")
        worker.send(signal.SIGTERM)
        self.assertEqual(worker.finish().code, 3)
        by_hand = self.start("resume", FIRST, "--sleep", "300ms", "--batch-size", "1", "--workers", "1")
        wait_until(lambda: self.column("SELECT state FROM datachange_runs") == ["processing"], "a person goes on")
        worker = self.start_work("--once", "--max-attempts", "1000")
        self.assertEqual(by_hand.finish().code, 0)
        self.assertEqual(worker.finish().code, 0)
        self.assertFalse(self.column("SELECT owner FROM datachange_runs")[0].endswith("for the queue"))
        self.assertEqual((self.notes(), self.states()), (["1"], {FIRST: "done"}))

    def test_asked_twice_it_ends_at_once(self):
        if self.engine == "sqlite":
            self.skipTest("a statement that lasts is made on a server")
        self.append(FIRST, "one", 1)
        self.define(version=FIRST, name="one", change="UPDATE users SET name = 'filled' WHERE name IS NULL AND"
                    " (SELECT pg_sleep(600)) IS NOT NULL AND :batch(id) RETURNING id, name")
        self.enqueue("one")
        worker = self.start_work()
        wait_until(lambda: self.column("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                       " AND wait_event = 'PgSleep'") == ["1"], "the statement is under way")
        worker.send(signal.SIGTERM)
        worker.send(signal.SIGINT)
        result = worker.finish()
        self.assertEqual(result.code, 3, result)
        self.assertEqual((self.items()[0]["state"], self.items()[0]["attempts"]), ("created", 0))
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name = 'filled'"), ["0"])

    def test_who_works_for_a_person_and_for_programs(self):
        self.three()
        self.enqueue("one")
        result = self.work("--operator", "robot")
        self.assertIn(f"{FIRST} one: begins", result.err)
        self.assertIn(f"{FIRST} one: done", result.err)
        self.assertIn("run 1 done", result.out)
        self.assertEqual(self.ledger("SELECT operator FROM runs"), [("robot",)])
        [(owner,)] = self.database.rows("SELECT owner FROM datachange_runs")
        self.assertTrue(owner.startswith("robot@") and owner.endswith(" for the queue"), owner)
        self.enqueue("two")
        self.assertEqual(self.work("--quiet").err, "")


class WatchTests(QueueCase):
    def read_until(self, terminal, *words):
        """@return all that came"""
        shown = ""
        def there():
            nonlocal shown
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 65536).decode()
            return all(word in shown for word in words)
        wait_until(there, f"the terminal shows {words}")
        return shown

    def check_watching(self, end):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(TOOL, [TOOL, "queue", "--watch"], self.environment(TERM="xterm"))
        try:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 60, 0, 0))
            self.read_until(terminal, "\x1b[?1049h", FIRST, "created")
            self.enqueue("two")
            self.read_until(terminal, SECOND)
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 3, 30, 0, 0))
            os.kill(pid, signal.SIGWINCH)
            shown = self.read_until(terminal, "\x1b[J")
            os.write(terminal, end)
            self.read_until(terminal, "\x1b[?1049l")
            lines = [line for line in shown.split("\x1b[H")[-1].split("\x1b[J")[0].split("\r\n")]
            self.assertLessEqual(len(lines), 10)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        finally:
            os.close(terminal)

    def test_it_shows_the_queue_until_a_key(self):
        for end in (b"q", b"\x03"):
            with self.subTest(end):
                self.three()
                self.database.execute("DROP TABLE IF EXISTS datachange_queue")
                self.enqueue("one")
                self.assertEqual(self.check_watching(end), 0)


class RightsTests(QueueCase, PostgresCase):
    def test_a_role_that_may_make_no_table_is_told_what_to_ask_for(self):
        self.three()
        role = self.database.make_role()
        self.database.execute(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
                              f"GRANT SELECT, INSERT, UPDATE, DELETE ON users TO {role}")
        url = self.database.url_of(role)
        self.assert_failed(self.tool("enqueue", "one", DATABASE_URL=url), 1, "the journal cannot be created",
                           "init --print-sql")
        self.database.execute(self.tool("init", "--print-sql", DATABASE_URL=url).out)
        self.database.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON datachange_runs, datachange_batches,"
                              f" datachange_requests, datachange_marks, datachange_queue TO {role}")
        self.assertEqual(self.tool("enqueue", "one", DATABASE_URL=url).code, 0)
        result = self.work(DATABASE_URL=url)
        self.assertEqual(result.code, 0, result)

    def test_a_journal_in_a_schema_of_its_own(self):
        self.three()
        self.database.execute("CREATE SCHEMA audit")
        schema = ["--journal-schema", "audit"]
        self.assertEqual(self.tool("enqueue", "--all", *schema).code, 0)
        self.assertEqual(self.work(*schema).code, 0)
        self.assertEqual(self.notes(), ["123"])
        self.assertEqual(self.column("SELECT count(*) FROM audit.datachange_queue WHERE state = 'done'"), ["3"])


class UnitTests(unittest.TestCase):
    """The samples for systemd."""

    def test_systemd_takes_them(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        samples = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "samples", "systemd")
        with tempfile.TemporaryDirectory() as folder:
            for name, checked in (("datachange-worker.service",) * 2, ("datachange-worker@.service", "datachange-worker@eu-prod.service")):
                with open(os.path.join(samples, name), encoding="utf-8") as file:
                    unit = file.read()
                self.assertIn("ExecStart=/usr/bin/datachange work ", unit)
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(unit.replace("/usr/bin/datachange", os.path.abspath(TOOL)))
                done = subprocess.run(["systemd-analyze", "verify", "--man=no", os.path.join(folder, checked)],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)


def waits_for_signals(started):
    """Two threads: one that works, one that watches."""
    try:
        return len(os.listdir(f"/proc/{started.process.pid}/task")) > 1
    except FileNotFoundError:
        return False


for _name, _tests in {name: tests for name, tests in globals().items()
                      if isinstance(tests, type) and issubclass(tests, QueueCase) and tests is not QueueCase
                      and not issubclass(tests, PostgresCase)}.items():
    for _base, _engine in ((SqliteCase, "Sqlite"), (PostgresCase, "Postgres")):
        _made = type(f"{_name[:-5]}On{_engine}", (_tests, _base), {"__module__": __name__})
        globals()[_made.__name__] = _made
    del globals()[_name]

if __name__ == "__main__":
    sys.exit(unittest.main())
