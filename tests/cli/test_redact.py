"""Redacted columns: digests in all that is kept and said, and the plain value nowhere."""

import hashlib
import hmac
import os
import signal
import unittest

from databases import numbers
from support import VERSION, PostgresCase, SqliteCase, small, wait_until

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER_KEY = "another key of thirty-two bytes!"
SECRET = "sekret"  # in every redacted value, whatever its case


def digest(text, kind="text", key=KEY):
    """As the documentation says that it is made."""
    return hmac.new(key.encode(), f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()


def hidden(text, kind="text", key=KEY):
    return {"$hmac": digest(text, kind, key)}


def email(number):
    return f"Sekret{number}@corp.test"


class Redacting:
    """Users with secret addresses, and a definition that redacts them."""

    low = {
        "redact": "email",
        "pre": "SELECT id, email FROM users WHERE :batch(id)",
        "change": "UPDATE users SET email = lower(email) WHERE :batch(id) RETURNING id, email",
    }
    listed = {
        "pre": "SELECT id, email FROM users",
        "change": "UPDATE users SET email = lower(email) WHERE :affected(id) RETURNING id, email",
    }

    def setUp(self):
        super().setUp()
        self.said = []
        self.make_addresses(9)

    def make_addresses(self, count, checks=""):
        self.database.execute(
            f"CREATE TABLE users (id integer PRIMARY KEY, email text UNIQUE {checks}, note text);"
            + "".join(f"INSERT INTO users VALUES ({i}, '{email(i)}', 'note');" for i in range(1, count + 1)))

    def define(self, text=None, name="fill", version=VERSION, **parts):
        return super().define(text, name, version, **({**self.low, **parts} if text is None else parts))

    def environment(self, **variables):
        return super().environment(**{"DATACHANGE_REDACT_KEY": KEY, "TMPDIR": self.folder, **variables})

    def tool(self, *arguments, **variables):
        result = super().tool(*arguments, **variables)
        self.said += [result.out, result.err]
        return result

    # --- looking for what must not be there

    def kept(self):
        """(name, bytes) of every file that the tool wrote, of all that it said, and of the journal in the target."""
        for folder, _, files in os.walk(self.folder):
            for file in files:
                if file.startswith("target.db") or folder == self.path("audits"):
                    continue
                with open(os.path.join(folder, file), "rb") as content:
                    yield file, content.read()
        yield "what was said", "\n".join(self.said).encode()
        for table in ("datachange_runs", "datachange_batches") if self.has_journal() else ():
            yield table, repr(self.database.rows(f"SELECT * FROM {table}")).encode()

    def assert_nothing_is_told(self):
        names = []
        for name, content in self.kept():
            names.append(name)
            lowered = content.lower()
            for form in (SECRET.encode(), SECRET.encode().hex().encode(), KEY.encode(), OTHER_KEY.encode()):
                self.assertNotIn(form, lowered, name)
        self.assertIn("datachange-ledger.db", names)

    def ask_everything(self, run="1"):
        """All that is asked of the ledger later."""
        for command in (["show", run], ["show", run, "--json"], ["runs"], ["runs", "--json"], ["status", "--json"],
                        ["history", "--table", "users", "--identifier", "1"],
                        ["history", "--table", "users", "--identifier", "1", "--json"]):
            result = self.tool(*command)
            self.assertEqual(result.code, 0, result)

    def fails(self, code, *flags, words=(), json=False):
        """A run that must fail so, and tell nothing."""
        result = self.tool("run", "fill", *flags, *(["--json"] if json else []))
        self.assertEqual(result.code, code, result)
        for word in words:
            self.assertIn(word, result.err + result.out)
        self.ask_everything()
        self.assert_nothing_is_told()
        return result


class KeptTests(Redacting):
    def check_images(self, count=9):
        expected = {str(i): ("updated", {"id": i, "email": hidden(email(i))},
                             {"id": i, "email": hidden(email(i).lower())}) for i in range(1, count + 1)}
        self.assertEqual(self.changes(), expected)

    def test_one_transaction(self):
        self.define(summary="SELECT count(*), count(*), max(email) AS email FROM users",
                    verify="SELECT id, email FROM users WHERE email <> lower(email)")
        printed = self.run_ok("--progress", "json")
        self.check_images()
        header, rows = self.csv(printed["csv"]["post"])
        self.assertEqual((header, rows[0]), (["id", "email"], ["1", "hmac:" + digest(email(1).lower())]))
        self.assertEqual(self.csv(printed["csv"]["diff"])[1][0],
                         ["1", "updated", "email", "hmac:" + digest(email(1)), "hmac:" + digest(email(1).lower())])
        self.assertEqual(self.ledger("SELECT redacted FROM steps"), [('["email"]',)])
        self.assertIn(digest(email(9)), self.ledger("SELECT result FROM summaries WHERE moment = 'before'")[0][0])
        self.ask_everything()
        self.assertIn("hmac", self.tool("history", "--table", "users", "--identifier", "1").out)
        shown = self.tool("show", "1", "--json").json
        self.assertEqual((shown["steps"][0]["redacted"], len(shown["redaction_key"])), (["email"], 16))
        self.assertIn("redacted: email", self.tool("show", "1").out)
        self.assertEqual(self.tool("check", "--json").code, 0)
        self.assert_nothing_is_told()
        self.assertEqual(self.column("SELECT email FROM users ORDER BY id")[0], email(1).lower())

    def test_batches_by_range(self):
        self.define()
        self.assertEqual(self.run_ok(*small(2), "--progress", "json")["mode"], "batched")
        self.check_images()
        self.assert_nothing_is_told()

    def test_workers_beside_each_other(self):
        self.define()
        workers = "2" if self.engine == "postgresql" else "1"
        self.run_ok("--batch-threshold", "1", "--batch-size", "2", "--workers", workers)
        self.check_images()
        self.assert_nothing_is_told()

    def test_batches_by_key_list(self):
        self.define(**self.listed)
        self.assertEqual(self.run_ok(*small(2))["mode"], "batched")
        self.check_images()
        self.assert_nothing_is_told()

    def test_a_large_set_in_one_transaction_is_taken_in_pieces(self):
        """By range, by key list, and streamed through temporary files."""
        count = 21_000  # more than are captured at once
        streamed = {"transaction": "single", "pre": self.listed["pre"],
                    "change": "UPDATE users SET email = lower(email) RETURNING id, email"}
        for parts in (self.low, self.listed, streamed):
            with self.subTest(parts["change"]):
                self.database.execute(f"DELETE FROM users; {numbers(count)} INSERT INTO users"
                                      " SELECT i, 'Sekret' || i || '@corp.test', 'note' FROM n")
                self.define(**parts)
                printed = self.run_ok("--again", "--single-transaction")
                self.assertEqual((printed["mode"], printed["rows"]["updated"]), ("single", count))
                self.assertEqual(self.changes()[str(count)],
                                 ("updated", {"id": count, "email": hidden(email(count))},
                                  {"id": count, "email": hidden(email(count).lower())}))
                self.assert_nothing_is_told()

    def test_null_and_equal_values_can_be_told(self):
        self.database.execute("UPDATE users SET email = NULL WHERE id = 2; UPDATE users SET email = lower(email) WHERE id = 3")
        self.define()
        self.run_ok()
        self.assertEqual(self.actions()["3"], "unchanged")
        self.assertEqual(self.changes()["2"][1:], ({"id": 2, "email": None}, {"id": 2, "email": None}))
        self.assertEqual(self.changes()["3"][1]["email"], hidden(email(3).lower()))

    def test_kinds_of_values_are_apart(self):
        self.define(redact="email, note, n", pre="SELECT id, email, note, 42 AS n FROM users WHERE :batch(id)",
                    change="UPDATE users SET note = '42' WHERE :batch(id) RETURNING id, email, note, 42 AS n",
                    post="SELECT id, email, note, 42 AS n FROM users WHERE :affected(id)")
        self.run_ok()
        after = self.changes()["1"][2]
        self.assertEqual((after["note"], after["n"]), (hidden("42"), hidden("42", "integer")))

    def test_deleted_and_inserted_rows(self):
        self.define(change="DELETE FROM users WHERE :batch(id) RETURNING id, email")
        self.run_ok()
        self.assertEqual(self.changes()["1"], ("deleted", {"id": 1, "email": hidden(email(1))}, None))
        self.define(name="add", version="20260101000001", pre="SELECT id, email FROM users WHERE :batch(id)",
                    change=f"INSERT INTO users SELECT 77, 'Sek' || 'ret@corp.test', 'x' WHERE :batch(77) RETURNING id, email")
        self.run_ok(definition="add")
        self.assertEqual(self.changes()["77"][2], {"id": 77, "email": hidden("Sekret@corp.test")})
        self.assert_nothing_is_told()

    def test_other_names_of_the_column(self):
        self.define(pre="SELECT id, email, email AS contact FROM users WHERE :batch(id)",
                    change="UPDATE users SET email = lower(email) WHERE :batch(id)"
                           " RETURNING id, email, email AS reach, email AS was_email")
        self.run_ok()
        self.assertEqual(self.changes()["1"][1]["contact"], hidden(email(1)))
        self.assert_nothing_is_told()

    def test_everything_of_the_table(self):
        self.define(change="UPDATE users SET email = lower(email) WHERE :batch(id) RETURNING *")
        printed = self.run_ok()
        self.assertEqual(self.csv(printed["csv"]["change"])[1][0], ["1", "hmac:" + digest(email(1).lower()), "note"])
        self.assert_nothing_is_told()

    def test_a_change_within_a_select(self):
        if self.engine == "sqlite":
            return
        self.define(change="WITH low AS (UPDATE users SET email = lower(email) WHERE :batch(id) RETURNING id, email AS e)"
                           " SELECT id, e FROM low")
        printed = self.run_ok()
        self.assertEqual(self.csv(printed["csv"]["change"])[1][0], ["1", "hmac:" + digest(email(1).lower())])
        self.assert_nothing_is_told()

    def test_watched_tables_and_steps_of_their_own(self):
        self.database.execute("CREATE TABLE logins (id integer PRIMARY KEY, user_id integer, email text);"
                              f"INSERT INTO logins VALUES (1, 1, '{email(1)}')")
        self.after_trigger("follow", "UPDATE", "UPDATE logins SET email = NEW.email WHERE user_id = NEW.id")
        self.define(f"""-- audit:step addresses
-- table: users
-- identifier: id
-- redact: email
-- audit:pre
{self.low['pre']};
-- audit:change
{self.low['change']};
-- audit:watch logins
-- identifier: id
SELECT id, email FROM logins;
-- audit:step notes
-- table: users
-- identifier: id
-- audit:pre
SELECT id, note FROM users WHERE :batch(id);
-- audit:change
UPDATE users SET note = 'seen' WHERE :batch(id) RETURNING id, note;
""")
        self.run_ok()
        self.assertEqual(self.ledger("SELECT redacted FROM steps ORDER BY step"), [('["email"]',), (None,), ('["email"]',)])
        self.assertEqual(self.changes(3)["1"][1:], ({"id": 1, "email": hidden(email(1))},
                                                    {"id": 1, "email": hidden(email(1).lower())}))
        self.assertEqual(self.changes(2)["1"][2]["note"], "seen")
        self.assert_nothing_is_told()

    def test_a_dry_run(self):
        self.define()
        printed = self.run_ok("--dry-run")
        self.assertEqual(self.csv(printed["csv"]["pre"])[1][0], ["1", "hmac:" + digest(email(1))])
        self.assert_nothing_is_told()

    def test_two_runs_under_one_key_and_one_under_another(self):
        self.define(repeatable="yes")
        for _ in range(2):
            self.run_ok()
        self.run_ok(DATACHANGE_REDACT_KEY=OTHER_KEY)
        images = [self.changes(run=run)["1"][2]["email"] for run in (1, 2, 3)]
        self.assertEqual(images, [hidden(email(1).lower())] * 2 + [hidden(email(1).lower(), key=OTHER_KEY)])
        keys = [key for (key,) in self.ledger("SELECT redaction_key FROM runs ORDER BY run_id")]
        self.assertEqual(keys[0], keys[1])
        self.assertNotEqual(keys[0], keys[2])
        self.assertRegex(keys[0], "^[0-9a-f]{16}$")

    def test_the_key_may_stand_in_dot_env(self):
        self.define()
        self.write(".env", f"DATACHANGE_REDACT_KEY='{KEY}'\n")
        self.run_ok(DATACHANGE_REDACT_KEY=None)
        os.remove(self.path(".env"))
        self.check_images()
        self.assert_nothing_is_told()


class FailingTests(Redacting):
    def test_unique_violation(self):
        self.database.execute(f"UPDATE users SET email = '{email(4).lower()}' WHERE id = 5")
        self.define()
        name = "users.email" if self.engine == "sqlite" else "users_email_key"
        self.fails(1, words=(name,))
        self.fails(6, *small(2), words=(name, "id 4"), json=True)

    def test_check_violation(self):
        self.database.execute("DROP TABLE users")
        self.make_addresses(9, "CHECK (email <> 'sekret6@corp.test')".replace("sekret6", "se' || 'kret6"))
        self.define()
        self.fails(1)
        self.fails(6, *small(2), words=("id 6",))

    def test_a_function_that_repeats_what_it_was_given(self):
        function = "json_extract('{}', email)" if self.engine == "sqlite" else "CAST(email AS integer)"
        self.define(change=f"UPDATE users SET note = {function} WHERE :batch(id) RETURNING id, email")
        self.fails(1, words=("withheld",))
        self.fails(1, *small(2), words=("withheld",))

    def test_a_query_that_fails_while_it_reads(self):
        function = "json_extract('{}', email)" if self.engine == "sqlite" else "CAST(email AS integer)"
        self.define(pre=f"SELECT id, email FROM users WHERE {function} IS NULL AND :batch(id)")
        for command in (["run", "fill"], ["run", "fill", "--dry-run"], ["check"], ["check", "--json"]):
            result = self.tool(*command)
            self.assertEqual(result.code, 1, result)
            self.assertIn("withheld", result.out + result.err)
        self.assert_nothing_is_told()

    def test_a_trigger_that_tells_the_value(self):
        self.forbid("NEW.id = 5")
        self.define()
        self.fails(1, words=("withheld",))
        self.fails(6, *small(2), words=("id 5", "withheld"))
        self.fails(6, *small(2), json=True)

    def test_a_deferred_trigger_that_tells_the_value(self):
        if self.engine == "sqlite":
            return
        self.database.execute(
            "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'not %', NEW.email USING ERRCODE = '23514'; END $$;"
            "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION late()")
        self.define()
        self.fails(1, words=("a check constraint is violated", "withheld"))
        self.fails(1, *small(2), words=("id 1 cannot be changed",))

    def test_rows_that_are_skipped(self):
        self.forbid("NEW.id IN (2, 5)")
        self.define()
        result = self.tool("run", "fill", "--json", "--on-error", "skip", *small(3), "--progress", "json")
        self.assertEqual([failure["identifier"] for failure in result.json["failures"]], ["2", "5"])
        self.ask_everything()
        self.assertEqual(len(self.changes()), 7)
        self.assertTrue(self.ledger("SELECT 1 FROM events WHERE kind = 'split'"))
        self.assert_nothing_is_told()

    def test_rows_of_a_key_list_that_are_skipped_and_drifted(self):
        self.forbid("NEW.id IN (2, 5)")
        self.define(**self.listed)
        result = self.tool("run", "fill", "--json", "--on-error", "skip", *small(3))
        self.assertEqual([failure["identifier"] for failure in result.json["failures"]], ["2", "5"])
        self.assert_nothing_is_told()  # the set stays in the ledger, to be tried again
        self.assertTrue(self.ledger("SELECT count(*) FROM spool")[0][0])
        self.allow()
        self.database.execute("UPDATE users SET email = 'Sekret other' WHERE id = 2")
        again = self.tool("retry", "1", "--json")
        self.assertEqual(again.json["rows"]["updated"], 8, again)
        self.assertIn("1 row had changed since the set was read", again.json["warnings"][0])
        self.assert_nothing_is_told()

    def test_verify_that_fails(self):
        self.define(verify="SELECT id, email FROM users WHERE id < 3")
        self.fails(1, words=("verify returned 2 rows", digest(email(1).lower())))

    def test_a_retried_conflict_and_a_lock(self):
        if self.engine == "sqlite":
            return
        session = self.session()
        session.execute("BEGIN")
        session.execute("UPDATE users SET note = 'mine' WHERE id = 3")
        self.define()
        self.fails(1, "--lock-timeout", "100ms", "--retries", "1", words=("lock",))


class KilledTests(Redacting):
    def kill_in_the_middle(self):
        """kill -9 when some batches are committed: the throttle holds the run there."""
        held = "SELECT CASE WHEN count(*) >= 2 THEN 1 ELSE 0 END FROM datachange_batches"
        started = self.start("run", "fill", *small(2), "--throttle-query", held)
        wait_until(lambda: self.has_journal() and self.column("SELECT count(*) FROM datachange_batches") == ["2"],
                   "two batches are committed")
        started.send(signal.SIGKILL)
        result = started.finish()
        self.said += [result.out, result.err]
        self.assert_nothing_is_told()

    def check_resume(self):
        for key, words in ((None, ("DATACHANGE_REDACT_KEY is not set", "openssl rand -hex 32")),
                           (OTHER_KEY, ("the key with the fingerprint",))):
            for command in ("resume", "run"):
                with self.nothing_changes():
                    result = self.tool(command, "fill", *(["--take-over"] if command == "resume" else []),
                                       DATACHANGE_REDACT_KEY=key)
                self.assert_failed(result, 2, *words)
        self.assertEqual(self.journal()[0][2], "2")
        result = self.tool("resume", "1", "--json", "--take-over")
        self.assertEqual((result.code, result.json["rows"]["updated"]), (0, 9), result)
        self.assertEqual(self.changes()["9"][1], {"id": 9, "email": hidden(email(9))})
        self.assertEqual(len(self.csv(result.json["csv"]["pre"])[1]), 9)
        self.assert_nothing_is_told()

    def test_by_range(self):
        self.define()
        self.kill_in_the_middle()
        self.check_resume()

    def test_by_key_list(self):
        self.define(**self.listed)
        self.kill_in_the_middle()
        self.assertEqual(self.ledger("SELECT image FROM spool ORDER BY seq")[0],
                         ('[1,{"$hmac":"%s"}]' % digest(email(1)),))
        self.check_resume()

    def test_who_only_cancels_needs_no_key(self):
        self.define()
        self.kill_in_the_middle()
        result = self.tool("resume", "1", "--take-over", DATACHANGE_REDACT_KEY=None)
        self.assertEqual(result.code, 2, result)
        wait_until(lambda: self.tool("cancel", "1", DATACHANGE_REDACT_KEY=None).code == 0, "the run counts as stalled")
        self.assertEqual(self.journal()[0][0], "cancelled")
        self.assert_nothing_is_told()


class RefusedTests(Redacting):
    def test_without_a_key(self):
        self.define()
        result = self.refused(2, "DATACHANGE_REDACT_KEY is not set", "openssl rand -hex 32", DATACHANGE_REDACT_KEY=None)
        self.refused(2, "has 15 bytes", "needs 16", DATACHANGE_REDACT_KEY="x" * 15)
        self.refused(2, "not set", flags=["--dry-run"], DATACHANGE_REDACT_KEY="")
        self.assertIn("audits/20260101000000_fill.sql", result.err)
        self.assertFalse(self.has_journal())
        self.assertEqual(sorted(os.listdir(self.folder))[0], "audits")
        self.assertFalse(os.path.exists(self.path("datachange-ledger.db")))

    def test_keys_that_are_redacted(self):
        self.define(redact="note, ID")
        self.refused(2, "audits/20260101000000_fill.sql:5:1", "id is both identifier and redacted")
        self.define(identifier="id, note", redact="note", pre="SELECT id, note FROM users WHERE :batch(id, note)",
                    change="UPDATE users SET note = 'x' WHERE :batch(id, note) RETURNING id, note")
        self.refused(2, "note is both identifier and redacted")
        self.define(pre="SELECT u.id, email FROM users u WHERE :batch(u.email)")
        self.refused(2, "audits/20260101000000_fill.sql:6:", ":batch(u.email) runs over u.email, which is redacted")
        self.define(keys="SELECT email AS k FROM users WHERE :batch(id)")
        self.refused(2, "audits/20260101000000_fill.sql:6:1", "k (column email) is both key and redacted")
        self.define(identifier="who", pre="SELECT email AS who, note FROM users WHERE :batch(id)",
                    post="SELECT email AS who, note FROM users WHERE :affected(email)",
                    change="UPDATE users SET note = 'x' WHERE :batch(id) RETURNING email AS who, note")
        self.refused(2, "who (column email) is both key and redacted")
        self.define(tail="-- audit:watch users\n-- identifier: email\nSELECT id, email FROM users;")
        self.refused(2, "email is both identifier and redacted")

    def test_names_that_nothing_has(self):
        self.define(redact="email, emial")
        self.refused(2, "`redact` names emial, and no query gives it", "did you mean email?")
        self.define(redact="email, zzz")
        self.refused(2, "zzz", "Take it out of `redact`")

    def test_what_would_tell_the_value_under_another_name(self):
        self.define(redact="contact", pre="SELECT id, email AS contact FROM users WHERE :batch(id)",
                    post="SELECT id, email AS contact FROM users WHERE :affected(id)")
        self.refused(2, "contact is redacted, but it is the column email of", "Add email to `redact`")
        self.define(change="UPDATE users SET email = lower(email) WHERE :batch(id) RETURNING id, upper(email) AS loud")
        self.refused(2, "RETURNING tells of email, which is redacted, in `upper(email) AS loud`")
        self.define(pre="SELECT id, email, substr(email, 1, 3) AS start FROM users WHERE :batch(id)")
        self.refused(2, "pre tells of email", "audits/20260101000000_fill.sql:6:1")
        self.define(pre="SELECT id, note AS e FROM users WHERE :batch(id) UNION SELECT id, email FROM users WHERE id < 0",
                    post="SELECT id, note AS e FROM users WHERE :affected(id)")
        self.refused(2, "pre tells of email", "`email`")
        if self.engine == "postgresql":
            self.define(change="WITH low AS (UPDATE users SET email = lower(email) WHERE :batch(id) RETURNING id, email)"
                               " SELECT id, upper(email) AS loud FROM low")
            self.refused(2, "RETURNING tells of email", "`upper(email) AS loud`")
            self.define(change="UPDATE users SET email = lower(email) WHERE :batch(id) RETURNING *, upper(email) AS loud")
            self.refused(2, "RETURNING tells of email", "`upper(email) AS loud`")
        self.define(summary="SELECT max(email) AS last FROM users")
        self.refused(2, "summary tells of email")
        self.define(redact="email, start", pre="SELECT id, email, substr(email, 1, 3) AS start FROM users WHERE :batch(id)",
                    summary="SELECT count(*) FILTER (WHERE email IS NULL) AS missing FROM users")
        self.run_ok()
        self.assertEqual(self.changes()["1"][1]["start"], hidden("Sek"))
        self.assert_nothing_is_told()


class OnSqlite(SqliteCase):
    def forbid(self, condition):
        self.database.execute(f"CREATE TRIGGER forbid BEFORE UPDATE ON users WHEN {condition} BEGIN"
                              " SELECT RAISE(ABORT, 'sekret: not this one'); END")

    def allow(self):
        self.database.execute("DROP TRIGGER forbid")


class OnPostgres(PostgresCase):
    def forbid(self, condition):
        self.database.execute(
            "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {condition} THEN RAISE EXCEPTION 'not %', OLD.email USING DETAIL = NEW.email, HINT = NEW.email,"
            " ERRCODE = 'P0001'; END IF; RAISE NOTICE 'seen %', NEW.email; RETURN NEW; END $$;"
            "CREATE TRIGGER forbid BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION forbid()")

    def allow(self):
        self.database.execute("DROP TRIGGER forbid ON users")


class KeptOnSqlite(KeptTests, OnSqlite):
    pass


class KeptOnPostgres(KeptTests, OnPostgres):
    pass


class FailingOnSqlite(FailingTests, OnSqlite):
    pass


class FailingOnPostgres(FailingTests, OnPostgres):
    pass


class KilledOnSqlite(KilledTests, OnSqlite):
    pass


class KilledOnPostgres(KilledTests, OnPostgres):
    pass


class RefusedOnSqlite(RefusedTests, OnSqlite):
    pass


class RefusedOnPostgres(RefusedTests, OnPostgres):
    pass


if __name__ == "__main__":
    unittest.main()
