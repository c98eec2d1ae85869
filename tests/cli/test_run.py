"""The ordinary run: what it prints, writes and leaves; and being stopped."""

import hashlib
import json
import os
import signal
import stat
import unittest

from support import PostgresCase, SqliteCase, definition_text, small, wait_until


class RunTests:
    def test_it_changes_the_rows_and_says_so(self):
        self.make_users()
        self.define(ticket="OPS-1", author="Anna")
        result = self.tool("run", "fill")
        self.assertEqual((result.code, result.err), (0, ""), result)
        self.assertIn(f"run 1 done: 20260101000000 fill on ", result.out)
        self.assertIn("one transaction, 1 batch", result.out)
        self.assertIn("3 updated: pre 3, change 3, post 3", result.out)
        self.assertIn("audit-csv/20260101000000_fill/1-", result.out)
        self.assertEqual(self.column("SELECT name FROM users ORDER BY id"), ["filled"] * 3 + ["user 4", "user 5"])

    def test_the_fields_of_json(self):
        self.make_users()
        self.define(post="SELECT id, name FROM users WHERE :affected(id)", summary="SELECT count(name) AS named FROM users")
        printed = self.run_ok()
        rows = {"pre": 3, "change": 3, "post": 3, "updated": 3, "inserted": 0, "deleted": 0, "unchanged": 0, "missing": 0,
                "unexpected": 0}
        self.assertEqual(printed["rows"], rows)
        fixed = {"run": 1, "version": "20260101000000", "name": "fill", "engine": self.engine, "mode": "single",
                 "state": "done",
                 "dry_run": False, "batches": 1, "collateral": [], "warnings": [],
                 "summary": {"before": [{"named": 2}], "after": [{"named": 5}]}}
        self.assertEqual({name: printed[name] for name in fixed}, fixed)
        self.assertRegex(printed["uuid"], "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertGreaterEqual(printed["duration_ms"], 0)
        (step,) = printed["steps"]
        self.assertEqual((step["step"], step["name"], step["table"], step["rows"], step["csv"]),
                         (1, None, "users", rows, printed["csv"]))
        self.assertEqual(set(printed["csv"]), {"pre", "change", "post", "diff"})
        self.assertEqual(printed["csv_directory"], os.path.dirname(printed["csv"]["pre"]))

    def test_timings_tell_what_the_time_was_spent_on(self):
        self.make_users()
        self.define(repeatable="yes")
        self.assertNotIn("timings", self.run_ok())
        timings = self.run_ok("--timings")["timings"]
        self.assertEqual(set(timings), {"wall", "server", "decode", "compare", "encode", "durable", "ledger", "csv"})
        for phase in ("server", "compare", "encode", "durable", "ledger", "csv"):
            self.assertGreater(timings[phase], 0, phase)
        printed = self.tool("run", "fill", "--timings").out
        self.assertRegex(printed, r"(?m)^  time    \d+\.\d\d s; seconds in server \d+\.\d\d, decode .*, csv \d+\.\d\d$")

    def test_a_definition_is_named_by_version_name_both_or_path(self):
        self.make_users()
        path = self.define(repeatable="yes")
        for name in ("20260101000000", "fill", "20260101000000_fill", path, self.path(path), "./" + path):
            with self.subTest(name):
                self.assertEqual(self.run_ok(definition=name)["version"], "20260101000000")

    def test_the_csvs_hold_the_rows_in_key_order(self):
        self.make_users(count=12, named=1)
        self.define()
        csv = self.run_ok()["csv"]
        ids = [str(i) for i in range(1, 12)]  # 10 and 11 behind 9
        self.assertEqual(self.csv(csv["pre"]), (["id", "name"], [[i, None] for i in ids]))
        self.assertEqual(self.csv(csv["change"]), (["id", "name"], [[i, "filled"] for i in ids]))
        self.assertEqual(self.csv(csv["post"]), (["id", "name"], [[i, "filled"] for i in ids]))
        self.assertEqual(self.csv(csv["diff"]),
                         (["identifier", "action", "column", "before", "after"],
                          [[i, "updated", "name", None, "filled"] for i in ids]))

    def test_the_ledger_holds_the_same_with_who_and_why(self):
        self.make_users()
        text = definition_text(ticket="OPS-1", author="Anna", note="as discussed")
        self.define(text=text)
        printed = self.run_ok("--operator", "bert")
        (run,) = self.ledger("SELECT uuid, version, name, definition, definition_sha256, engine, operator, ticket, author,"
                             " mode, state, rows_changed, dry_run, error FROM runs")
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.assertEqual(run, (printed["uuid"], "20260101000000", "fill", text, digest, self.engine, "bert", "OPS-1",
                               "Anna", "single", "done", 3, 0, None))
        self.assertEqual(self.changes(),
                         {str(i): ("updated", {"id": i, "name": None}, {"id": i, "name": "filled"}) for i in (1, 2, 3)})
        self.assertEqual(self.ledger("SELECT step, batch, state, lower_key, upper_key, rows FROM batches"),
                         [(1, "1", "committed", None, None, 3)])
        self.assertEqual(self.ledger("SELECT count(*) FROM runs WHERE started_at LIKE '____-__-__T__:__:__.___Z' AND"
                                     " finished_at >= started_at"), [(1,)])

    def test_the_files_are_on_record_and_private(self):
        self.make_users()
        self.define()
        printed = self.run_ok()
        files = self.ledger("SELECT name, path, bytes, sha256 FROM files ORDER BY name")
        self.assertEqual([file[0] for file in files], ["change.csv", "diff.csv", "post.csv", "pre.csv"])
        for _, path, size, digest in files:
            with open(self.path(path), "rb") as file:
                data = file.read()
            self.assertEqual((len(data), hashlib.sha256(data).hexdigest()), (size, digest), path)
            self.assertEqual(stat.S_IMODE(os.stat(self.path(path)).st_mode), 0o600, path)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("datachange-ledger.db")).st_mode), 0o600)
        folder = printed["csv_directory"]
        while folder:
            self.assertEqual(stat.S_IMODE(os.stat(self.path(folder)).st_mode), 0o700, folder)
            folder = os.path.dirname(folder)

    def test_a_run_leaves_no_log_beside_the_ledger(self):
        self.make_users()
        self.define()
        self.run_ok()
        log = self.path("datachange-ledger.db-wal")
        self.assertTrue(not os.path.exists(log) or os.path.getsize(log) == 0)

    def test_quiet_prints_the_result_alone(self):
        self.make_users()
        self.define(change="UPDATE users SET name = 'x' WHERE id = 1 AND :batch(id) RETURNING id, name")
        result = self.tool("run", "fill", "--quiet")
        self.assertEqual((result.code, result.err), (0, ""), result)
        self.assertIn("2 missing", result.out)

    def test_an_error_is_an_object_with_json(self):
        self.make_users()
        path = self.define(change="DELETE FROM users")
        result = self.tool("run", "fill", "--json")
        self.assertEqual((result.code, result.out), (2, ""), result)
        error = json.loads(result.err)
        self.assertEqual((error["exit_status"], error["where"]), (2, path + ":8:1"))
        self.assertIn("no RETURNING", error["error"])
        self.assertTrue(error["hint"])

    def test_the_user_s_other_rows_stay_untouched(self):
        self.make_users(count=50, named=25)
        before = self.database.rows("SELECT * FROM users WHERE id > 25 ORDER BY id")
        notes = self.column("SELECT note FROM users ORDER BY id")
        self.define()
        self.run_ok()
        self.assertEqual(self.database.rows("SELECT * FROM users WHERE id > 25 ORDER BY id"), before)
        self.assertEqual(self.column("SELECT note FROM users ORDER BY id"), notes)


class RunOnSqlite(RunTests, SqliteCase):
    pass


class RunOnPostgres(RunTests, PostgresCase):
    pass


class WorkersTests(PostgresCase):
    """The first rows of the first batches are locked, so that as many sessions wait as there are workers."""

    def setUp(self):
        super().setUp()
        self.make_users(count=300, named=0)
        self.define()
        self.holder = self.session()
        self.holder.execute("BEGIN")
        self.holder.execute("SELECT * FROM users WHERE id IN (1, 6, 11, 16, 21) FOR UPDATE")

    def assert_workers(self, workers, *flags):
        run = self.start("run", "fill", "--lock-timeout", "1h", "--batch-threshold", "1", "--batch-size", "5", *flags)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        wait_until(lambda: self.column(waiting) == [str(workers)], f"{workers} sessions wait")
        self.holder.execute("ROLLBACK")
        result = run.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn("batched, 60 batches", result.out)
        (post,) = [file for file in self.csv_files() if file.endswith("post.csv")]
        (_, rows) = self.csv(f"audit-csv/{post}")
        self.assertEqual([row[0] for row in rows], [str(i) for i in range(1, 301)])  # whoever was first

    def test_two_unless_another_number_is_given(self):
        self.assert_workers(2)

    def test_one(self):
        self.assert_workers(1, "--workers", "1")

    def test_four(self):
        self.assert_workers(4, "--workers", "4")


class InterruptTests(PostgresCase):
    """Ctrl-C while the second of three batches waits for a lock."""

    def test_the_batch_in_hand_ends_and_the_rest_stays(self):
        self.make_users()
        self.define()
        holder = self.session()
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM users WHERE id = 2 FOR UPDATE")
        run = self.start("run", "fill", *small(1))
        self.wait_until_blocked()
        run.send(signal.SIGINT)
        holder.execute("ROLLBACK")
        result = run.finish()
        self.assert_failed(result, 3, "stopped on request", "2 batches with 2 changed rows committed before")
        self.assertEqual(self.column("SELECT id FROM users WHERE name = 'filled' ORDER BY id"), ["1", "2"])
        self.assertEqual(self.actions(), {"1": "updated", "2": "updated"})
        (folder,) = {os.path.dirname(file) for file in self.csv_files() if file.endswith(".csv")}
        self.assertEqual(len(self.csv(f"audit-csv/{folder}/post.csv")[1]), 2)
        self.assertEqual(self.tool("status", "--exit-code").code, 3)
        printed = self.run_ok()
        self.assertEqual((printed["run"], printed["resumed"], printed["rows"]["updated"]), (1, True, 3))
        self.assertEqual(self.journal(), [("done", "3", "3")])

    def test_a_killed_run_leaves_nothing_of_the_batch_in_hand(self):
        self.make_users()
        self.define()
        holder = self.session()
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM users WHERE id = 2 FOR UPDATE")
        run = self.start("run", "fill", *small(1))
        self.wait_until_blocked()
        run.send(signal.SIGKILL)
        run.finish()
        holder.execute("ROLLBACK")
        self.assertEqual(self.column("SELECT id FROM users WHERE name = 'filled'"), ["1"])
        self.assertEqual(self.column("SELECT batch FROM datachange_batches"), ["1"])
        self.assertEqual([file for file in self.csv_files() if file.endswith(".csv")],
                         [])  # half-written ones are called .partial
        # what the target has committed the ledger knows, at least as prepared
        self.assertEqual(self.ledger("SELECT batch FROM batches"), [("1",)])
        self.assertRegex(self.tool("status").out, r"(?m)^20260101000000 +fill +stalled\b")

        printed = self.run_ok()
        self.assertEqual((printed["run"], printed["resumed"], printed["rows"]["updated"]), (1, True, 3))
        self.assertEqual(self.journal(), [("done", "3", "3")])


if __name__ == "__main__":
    unittest.main()
