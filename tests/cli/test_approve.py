"""Four eyes: what is signed, whose signatures let a run through, what uses them up, and what stays as evidence."""

import hashlib
import json
import os
import pty
import shutil
import stat
import subprocess
import unittest
import zipfile

from databases import Sqlite
from support import DEADLINE, STEPS, TOOL, VERSION, PostgresCase, SqliteCase, small, wait_until

# the sanitizers' own library has to be loaded first, and faketime's is
FAKETIME = os.environ.get("DATACHANGE_SANITIZE") != "1"
FILL_PATH = f"audits/{VERSION}_fill.sql"
FOLDER = f"{FILL_PATH}.approvals"


class ApproveCase:
    """Two people with keys, whom allowed_signers names, and a config that wants one of them to approve."""

    required = 1

    def setUp(self):
        super().setUp()
        for person in ("anna", "carl"):
            self.make_key(person)
        self.allow(*(self.line(person) for person in ("anna", "carl")))
        self.configure()
        self.make_users()
        self.define()

    def keygen(self, *arguments, **options):
        return subprocess.run(["ssh-keygen", *arguments], cwd=self.folder, capture_output=True, timeout=DEADLINE,
                              check=True, **options).stdout.decode()

    def make_key(self, name, *options, passphrase=""):
        self.keygen("-q", *(options or ("-t", "ed25519")), "-N", passphrase, "-C", "", "-f", name)

    def public(self, key):
        with open(self.path(f"{key}.pub"), encoding="utf-8") as file:
            return file.read().strip()

    def line(self, person, key=None, options=""):
        return f"{person}@example.com {options}{self.public(key or person)}"

    def allow(self, *lines):
        self.write("allowed_signers", "\n".join(["# who may approve", *lines]) + "\n")

    def configure(self, text="", **keys):
        keys = {"approvals-required": self.required, "allowed-signers": '"allowed_signers"', **keys}
        self.write("datachange.toml", "".join(f"{key} = {value}\n" for key, value in keys.items()) + text)

    def approve(self, person="anna", *flags, key=None, definition="fill", **variables):
        """Approves, which must succeed. @return what --json printed"""
        result = self.tool("approve", definition, "--key", key or person, "--operator", person, "--json", *flags,
                           **variables)
        self.assertEqual(result.code, 0, result)
        return result.json

    def run_by(self, person="bob", *flags):
        return self.tool("run", "fill", "--operator", person, *flags)

    def let_through(self, *flags, person="bob"):
        result = self.run_by(person, "--json", *flags)
        self.assertEqual(result.code, 0, result)
        return result.json

    def stopped(self, *words, flags=(), person="bob"):
        """The run is refused, and neither the target nor the ledger has anything of it."""
        runs = self.journal_runs()
        with self.nothing_changes():
            result = self.run_by(person, *flags)
        self.assert_failed(result, 1, "needs", "of other people", *words)
        self.assertIn("Nothing was changed.", result.err)
        self.assertEqual(self.journal_runs(), runs)
        return result

    def killed_run(self):
        """It is gone when one of three rows is committed."""
        killed = self.start("run", "fill", "--operator", "bob", *small(1), DATACHANGE_FAILPOINT="batch.committed:1:KILL").finish()
        self.assertEqual(killed.code, -9, killed)

    def journal_runs(self):
        return self.column("SELECT count(*) FROM datachange_runs") if self.has_journal() else ["0"]

    def used(self):
        return self.database.rows("SELECT nonce, run_uuid, version, signer FROM datachange_approvals ORDER BY used_at, nonce")

    def listed(self, *flags, operator="bob"):
        result = self.tool("approve", "fill", "--list", "--json", "--operator", operator, *flags)
        self.assertEqual(result.code, 0, result)
        return result.json["targets"]


class ApproveTests(ApproveCase):
    def test_what_is_signed(self):
        self.define(ticket="OPS-1", post="SELECT id, name FROM users WHERE :affected(id)")
        before = self.database.dump()
        printed = self.approve("anna", "--expires", "8h")
        self.assertEqual(self.database.dump(), before)
        path = printed["file"]
        self.assertRegex(path, rf"^{FOLDER}/[0-9a-f]{{8}}-anna\.json$")
        self.assertEqual(printed["signature_file"], path + ".sig")
        with open(self.path(path), encoding="utf-8") as file:
            text = file.read()
        signed = json.loads(text)
        self.assertEqual(signed, printed["approval"])
        self.assertEqual(list(signed), ["format", "version", "name", "definition_sha256", "scope", "approved_by",
                                        "approved_at", "expires_at", "nonce"])
        with open(self.path(FILL_PATH), "rb") as file:
            self.assertEqual(signed["definition_sha256"], hashlib.sha256(file.read()).hexdigest())
        (target,) = signed["scope"]
        self.assertEqual((target["target"], target["group"]), (None, None))
        self.assertIn(os.path.basename(self.database.url.split("?")[0]), target["database"])
        (step,) = target["steps"]
        self.assertEqual(
            {name: step[name] for name in ("step", "table", "planned", "pre", "change", "post", "updated", "inserted",
                                           "deleted")},
            {"step": 1, "table": "users", "planned": 3, "pre": 3, "change": 3, "post": 3, "updated": 3, "inserted": 0,
             "deleted": 0})
        # one field a line, and no values in it
        self.assertIn('\n  "version": "20260101000000",\n', text)
        self.assertNotIn("user 4", text)
        for name, mode in ((FOLDER, 0o755), (path, 0o644), (path + ".sig", 0o644)):
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), mode, name)
        self.assertEqual(sorted(os.listdir(self.path(FOLDER))), sorted(os.path.basename(p) for p in (path, path + ".sig")))

    def test_identifiers_are_counted_again_with_sort_and_sha256sum(self):
        self.database.execute("INSERT INTO users (id) VALUES (10), (9), (100)")
        step = self.approve()["approval"]["scope"][0]["steps"][0]
        self.let_through()
        self.write("ids", "".join(f"{key}\n" for key in self.changes()))
        recount = subprocess.run("LC_ALL=C sort ids | sha256sum", shell=True, cwd=self.folder, capture_output=True,
                                 check=True).stdout.decode().split()[0]
        self.assertEqual(step["identifiers_sha256"], recount)
        self.assertEqual(len(self.changes()), 6)

    def test_a_run_needs_it_and_uses_it_up(self):
        self.stopped("needs 1 approval", "has none", f"datachange approve {VERSION}")
        self.assertFalse(self.has_journal())
        approval = self.approve()["approval"]
        printed = self.let_through()
        self.assertEqual(printed["approved_by"], ["anna@example.com"])
        self.assertEqual(self.used(), [(approval["nonce"], printed["uuid"], VERSION, "anna@example.com")])
        self.stopped("has used it up", flags=("--again",))
        self.approve()
        self.assertEqual(self.run_by("bob", "--again").code, 0)
        self.assertEqual(len(self.used()), 2)

    def test_a_rehearsal_and_an_undo_need_none(self):
        self.assertEqual(self.run_by("bob", "--dry-run").code, 0)
        self.approve()
        run = self.let_through()["run"]
        self.assertEqual(self.tool("undo", str(run)).code, 0)
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["3"])
        self.assertEqual(len(self.used()), 1)

    def test_another_target(self):
        self.approve()
        other = self.new_database() if self.engine == "postgresql" else Sqlite(self.folder, "other.db")
        self.make_users(database=other)
        result = self.tool("run", "fill", "--operator", "bob", "--database", other.url)
        self.assert_failed(result, 1, "it is for ")
        self.assertEqual(other.rows("SELECT count(*) FROM users WHERE name IS NULL"), [("3",)])

    def test_rows_that_drift(self):
        self.database.execute("DELETE FROM users")
        self.database.execute("".join(f"INSERT INTO users (id) VALUES ({i});" for i in range(1, 31)))
        self.approve()
        for count, word in ((34, "34 rows now, and 30 were approved, which is more than 10 % off"), (26, "26 rows now")):
            self.database.execute(f"DELETE FROM users WHERE id > {count}")
            self.database.execute("".join(f"INSERT INTO users (id) VALUES ({i});" for i in range(31, count + 1)))
            self.stopped(word)
        self.configure(**{"approval-drift": '"0%"'})
        self.database.execute("".join(f"INSERT INTO users (id) VALUES ({i});" for i in range(27, 30)))
        self.stopped("29 rows now", "more than 0 % off")
        self.configure()
        self.let_through()

    def test_the_evidence(self):
        approval = self.approve()
        with open(self.path(approval["file"]), encoding="utf-8") as file:
            text = file.read()
        with open(self.path(approval["signature_file"]), encoding="utf-8") as file:
            signature = file.read()
        run = str(self.let_through()["run"])  # the rehearsal has a number as well
        line = self.line("anna")
        self.assertEqual(
            self.ledger("SELECT run_id, version, signer, detail, nonce, signature, allowed_signer FROM approvals"),
            [(int(run), VERSION, "anna@example.com", text, approval["approval"]["nonce"], signature, line)])
        self.assertIn("approved by anna@example.com, nonce " + approval["approval"]["nonce"], self.tool("show", run).out)
        (shown,) = self.tool("show", run, "--json").json["approvals"]
        self.assertEqual((shown["signer"], shown["signed"], shown["signature"], shown["allowed_signer"]),
                         ("anna@example.com", text, signature, line))
        for form, word in (("markdown", "## Approvals"), ("html", "Approvals</h2>"), ("json", '"approvals":[{"signer"')):
            self.assertIn(word, self.tool("export", run, "--format", form).out, form)
        self.assertEqual(self.tool("verify").code, 0)

    def test_a_run_that_was_killed_goes_on_without_a_new_one(self):
        self.approve()
        self.killed_run()
        self.assertEqual(len(self.used()), 1)
        for path in os.listdir(self.path(FOLDER)):
            os.remove(self.path(FOLDER, path))
        done = self.let_through("--workers", "1")
        self.assertTrue(done["resumed"])
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["0"])
        self.assertEqual(len(self.used()), 1)

    def test_a_run_that_began_before_approvals_were_required_needs_one_to_go_on(self):
        self.configure(**{"approvals-required": 0})
        self.killed_run()
        self.configure()
        before = self.database.dump()
        self.assert_failed(self.run_by(), 1, "needs 1 approval")
        self.assert_failed(self.tool("resume", "1", "--operator", "bob"), 1, "needs 1 approval")
        self.assertEqual(self.database.dump(), before)
        nonce = self.approve()["approval"]["nonce"]
        self.assertTrue(self.let_through("--workers", "1")["resumed"])
        self.assertEqual([row[0] for row in self.used()], [nonce])
        self.assertEqual(self.ledger("SELECT nonce FROM approvals"), [(nonce,)])

    def test_a_failure_that_changed_nothing_gives_its_approval_back(self):
        self.database.execute("CREATE TABLE gate (x integer)")
        self.define(verify="SELECT x FROM gate")
        self.approve()
        self.database.execute("INSERT INTO gate VALUES (1)")
        self.assert_failed(self.run_by(), 1, "verify")
        self.assertEqual(self.used(), [])
        self.assertIn("given back: nothing was changed", self.tool("show", "2").out)
        self.database.execute("DELETE FROM gate")
        self.let_through()
        self.assertEqual(len(self.used()), 1)

    def test_two_runs_that_race_for_one_approval(self):
        self.approve()
        self.let_through()
        self.approve()
        others = [self.start("run", "fill", "--again", "--operator", "bob", DATACHANGE_FAILPOINT="run.begun:1:STOP")
                  for _ in range(2)]
        for other in others:  # both have been let through, and neither has taken the version
            wait_until(lambda other=other: self.stopped_process(other), "it stands before the version")
        for other in others:
            other.send(18)
        results = [other.finish() for other in others]
        self.assertEqual(sorted(result.code for result in results)[0], 0, results)
        loser = next(result for result in results if result.code != 0)
        self.assertIn(loser.code, (1, 3), loser)
        self.assertEqual(len(self.used()), 2)
        self.assertEqual([state for state, *_ in self.journal()], ["done", "done"])

    def test_an_approval_that_another_run_used_since_it_was_let_through(self):
        self.approve()
        self.let_through()
        self.approve()
        late = self.start("run", "fill", "--again", "--operator", "bob", DATACHANGE_FAILPOINT="run.begun:1:STOP")
        wait_until(lambda: self.stopped_process(late), "it stands before the version")
        self.let_through("--again")
        late.send(18)
        result = late.finish()
        self.assertEqual(result.code, 1, result)
        self.assertIn("the approval of anna@example.com was used up by another run just now", result.err)
        self.assertEqual(len(self.journal()), 2)

    @staticmethod
    def stopped_process(started):
        with open(f"/proc/{started.process.pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "T"

    def test_a_journal_of_an_older_tool(self):
        self.assertEqual(self.tool("init").code, 0)
        self.database.execute("DROP TABLE datachange_approvals")
        self.approve()
        self.let_through()
        self.assertEqual(len(self.used()), 1)


class TwoPeopleTests(ApproveCase):
    """A group of the config file wants two."""

    def configure(self, text="", **keys):
        super().configure(f'[group.prod]\napprovals-required = 2\n'
                          f'[target.prod]\nurl = "{self.database.url}"\ngroup = "prod"\n'
                          f'[target.dev]\nurl = "{self.database.url}"\ngroup = "dev"\n'
                          + text, **{"approvals-required": 0, **keys})

    def run_by(self, person="bob", *flags):
        return super().run_by(person, "--target", "prod", *flags)

    def test_the_group_decides_how_many(self):
        self.approve("anna", "--target", "prod")
        self.stopped("needs 2 approvals of other people on prod, and has 1", "counts, by anna@example.com",
                     f"datachange approve {VERSION} --target prod")
        self.approve("anna", "--target", "prod")
        self.stopped("anna@example.com has approved already, and counts once")
        self.allow(self.line("anna"), self.line("carl", "anna"), self.line("carl"))
        self.stopped("has approved already, and counts once")
        approved = self.approve("carl", "--group", "prod")["approval"]
        self.assertEqual([(one["target"], one["group"]) for one in approved["scope"]], [("prod", "prod")])
        printed = self.let_through()
        self.assertEqual(sorted(printed["approved_by"]), ["anna@example.com", "carl@example.com"])
        self.assertEqual(len(self.used()), 2)

    def test_another_group_needs_none(self):
        self.assertEqual(self.tool("run", "fill", "--target", "dev", "--operator", "bob").code, 0)

    def test_by_another_name_a_target_is_another_one(self):
        self.configure('[target.prod2]\nurl = "%s"\ngroup = "prod"\n' % self.database.url)
        for person in ("anna", "carl"):
            self.approve(person, "--target", "prod2,dev")
        self.stopped("it is for dev, prod2", "has none")
        for person in ("anna", "carl"):
            approval = self.approve(person, "--target", "prod", "--target", "prod2")["approval"]
            self.assertEqual([one["target"] for one in approval["scope"]], ["prod", "prod2"])
        self.let_through()

    def test_a_choice_that_is_none(self):
        for flags, words in ((("--target", "prd"), ("no such target: prd", "did you mean prod?")),
                             (("--group", "prd"), ("no target is in group prd", "did you mean prod?")),
                             (("--target", "prod", "--database", "x.db"), ("--database",))):
            self.assert_failed(self.tool("approve", "fill", "--key", "anna", *flags), 2, *words)

    def test_a_target_that_the_definition_is_not_for(self):
        self.define(targets="dev")
        self.assert_failed(self.tool("approve", "fill", "--key", "anna", "--target", "prod"), 2, "the definition is meant for: dev")


class OneEngineTests(ApproveCase):
    """What is the same whatever the target."""

    def test_steps_and_evidence_that_keeps_no_rows(self):
        self.define(evidence="counts")
        self.assertIsNone(self.approve()["approval"]["scope"][0]["steps"][0]["identifiers_sha256"])

    def test_ssh_keygen_alone_can_check_it(self):
        path = self.approve()["file"]
        command = ["-Y", "verify", "-f", "allowed_signers", "-I", "anna@example.com", "-n", "datachange", "-s", path + ".sig"]
        with open(self.path(path), "rb") as file:
            self.assertIn('Good "datachange" signature for anna@example.com', self.keygen(*command, stdin=file))

    def test_other_keys(self):
        for kind in (("-t", "ecdsa"), ("-t", "rsa", "-b", "2048")):
            with self.subTest(kind):
                name = kind[1]
                self.make_key(name, *kind)
                self.allow(self.line("anna", name))
                self.approve("anna", key=name)
        self.assertEqual([one["counts"] for one in self.listed()[0]["approvals"]].count(True), 1)

    def test_an_integrity_check_needs_one_unless_it_is_rehearsed(self):
        self.write(FILL_PATH, "-- table: users\n-- identifier: id\n-- audit:verify\nSELECT id FROM users WHERE id < 0;\n")
        self.stopped("has none")
        self.assertEqual(self.run_by("bob", "--dry-run").code, 0)
        self.approve()
        self.let_through()

    def test_an_edit_of_the_definition_voids_it(self):
        self.approve()
        with open(self.path(FILL_PATH), "a", encoding="utf-8") as file:
            file.write("\n")
        self.stopped("the definition was edited since it was approved")

    @unittest.skipUnless(FAKETIME, "sanitizers and faketime do not go together")
    def test_an_approval_that_expired_or_is_from_the_future(self):
        def approve_at(moment, *flags):
            done = self.tool("approve", "fill", "--key", "anna", "--operator", "anna", *flags, prefix=("faketime", moment))
            self.assertEqual(done.code, 0, done)
        approve_at("-8 days")
        self.stopped("it expired at ", "the clock here says")
        approve_at("-6 days")
        self.let_through()
        approve_at("+1 hour")
        self.stopped("yet to come", "the clock here says", flags=("--again",))
        approve_at("-6 days", "--expires", "5d")
        self.stopped("it expired at ", flags=("--again",))

    def test_one_row_of_few_may_be_more(self):
        self.approve()
        self.database.execute("INSERT INTO users (id) VALUES (101), (102)")
        self.stopped("5 rows now, and 3 were approved")
        self.database.execute("DELETE FROM users WHERE id = 102")
        self.let_through()

    def test_nobody_approves_their_own_run(self):
        self.approve()
        for name in ("anna", "Anna", "anna@example.com", "ANNA@elsewhere.example"):
            with self.subTest(name):
                self.stopped("it is signed by anna@example.com, who runs it", person=name)
        self.let_through()

    def test_nobody_has_a_friend_lend_a_key(self):
        self.approve("bob", key="carl")
        self.stopped("it was made by bob, who runs it")
        self.approve("carl")
        self.let_through()

    def test_a_key_that_is_not_allowed(self):
        self.make_key("eve")
        done = self.tool("approve", "fill", "--key", "eve", "--operator", "eve")
        self.assertEqual(done.code, 0, done)
        self.assertIn("warning: the approval will not count as it is: its key is not in allowed_signers", done.err)
        self.stopped("its key is not in allowed_signers")
        self.allow(self.line("eve"))
        self.let_through()

    def test_what_was_tampered_with(self):
        path = self.path(self.approve()["file"])
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path + ".sig", encoding="utf-8") as file:
            signature = file.read()

        def put(name, content):
            with open(name, "w", encoding="utf-8") as file:
                file.write(content)
        for changed in (text.replace('"planned": 3', '"planned": 9'), text + " ", text.replace("anna", "carl"), "", "{}"):
            put(path, changed)
            self.stopped("its signature is not valid")
        put(path, text)
        lines = signature.split("\n")
        lines[4] = lines[4][:5] + ("A" if lines[4][5] != "A" else "B") + lines[4][6:]
        for changed in ("\n".join(lines), "", "not a signature", signature[:100]):
            put(path + ".sig", changed)
            self.stopped("its signature is not valid" if changed.endswith("-----\n") else
                         "ssh-keygen finds nobody for it in allowed_signers: Couldn't parse signature")
        os.remove(path + ".sig")
        self.stopped("its signature is not there")
        put(path + ".sig", signature)
        self.let_through()

    def test_a_signature_for_another_purpose_or_of_something_else(self):
        path = self.path(self.approve()["file"])
        os.remove(path + ".sig")
        self.keygen("-Y", "sign", "-n", "git", "-f", "anna", path)
        self.stopped("its signature is not valid")
        os.remove(path + ".sig")
        self.write(path, '{"format": "datachange approval 9"}')
        self.keygen("-Y", "sign", "-n", "datachange", "-f", "anna", path)
        self.stopped('it is of the format "datachange approval 9"')

    def test_what_allowed_signers_says_is_for_ssh_keygen_to_judge(self):
        self.make_key("ca")
        self.make_key("dora")
        self.keygen("-q", "-s", "ca", "-I", "dora", "-n", "dora@example.com", "-V", "+1d", "dora.pub")
        shutil.copy(self.path("dora"), self.path("certified"))
        shutil.copy(self.path("dora-cert.pub"), self.path("certified.pub"))
        self.approve("anna")
        for options, why in (('namespaces="git" ', "its signature is not valid"),
                             ('valid-before="20200101" ', "allowed_signers:2: key has expired")):
            self.allow(self.line("anna", options=options))
            self.stopped(why)
        self.allow(f"*@example.com {self.public('anna')}")
        self.stopped("a pattern of names, which is no person")
        self.allow(self.line("carl"), f"*@example.com cert-authority {self.public('ca')}")
        self.stopped("its key is not in allowed_signers")
        path = self.path(self.approve("dora", key="certified.pub")["file"])
        self.assertEqual(self.let_through()["approved_by"], ["dora@example.com"])
        self.assertTrue(os.path.exists(path))

    def test_several_names_of_a_person(self):
        self.allow(f"anna@example.com,anna.b@example.com namespaces=\"datachange\" {self.public('anna')}")
        self.approve("anna")
        self.stopped("who runs it", person="anna.b")
        self.assertEqual(self.let_through()["approved_by"], ["anna@example.com"])

    def test_without_a_usable_file_of_allowed_signers(self):
        self.approve()
        for content, why in (("# nobody\n\n", "allows nobody to sign"), (None, "no such file of allowed signers")):
            if content is None:
                os.remove(self.path("allowed_signers"))
            else:
                self.write("allowed_signers", content)
            with self.nothing_changes():
                self.assert_failed(self.run_by(), 1, why)
        self.write("datachange.toml", "approvals-required = 1\n")
        self.assert_failed(self.run_by(), 1, "no file of allowed signers is given", "allowed-signers")

    def test_without_ssh_keygen(self):
        os.mkdir(self.path("bin"))
        with self.nothing_changes():
            result = self.tool("approve", "fill", "--key", "anna", PATH=self.path("bin"))
            self.assert_failed(result, 1, "cannot run ssh-keygen", "openssh-client")
            self.assertFalse(os.path.exists(self.path(FOLDER)))
            shutil.rmtree(self.path("audit-csv"))  # of the rehearsal
        self.approve()
        with self.nothing_changes():
            self.assert_failed(self.tool("run", "fill", "--operator", "bob", PATH=self.path("bin")), 1,
                               "cannot run ssh-keygen", "openssh-client")

    def test_a_key_that_is_none(self):
        for key, code, why in (("nokey", 2, "no such key"), ("allowed_signers", 1, "could not sign")):
            self.assert_failed(self.tool("approve", "fill", "--key", key), code, why)
        self.assert_failed(self.tool("approve", "fill"), 2, "--key is needed")
        self.assert_failed(self.tool("approve", "fill", "--key", "anna", "--expires", "soon"), 2, "is no duration")
        self.assertFalse(os.path.exists(self.path(FOLDER)))

    def test_what_cannot_be_rehearsed_is_not_signed(self):
        self.define(expect_rows="9")
        self.assert_failed(self.tool("approve", "fill", "--key", "anna"), 1, "expect-rows")
        self.assertFalse(os.path.exists(self.path(FOLDER)))

    def test_migrate_begins_nothing_that_it_could_not_finish(self):
        self.define(name="notes", version="20260102000000", pre="SELECT id, note FROM users WHERE :batch(id)",
                    change="UPDATE users SET note = 'x' WHERE :batch(id) RETURNING id, note")
        self.approve()
        with self.nothing_changes():
            self.assert_failed(self.tool("migrate", "--operator", "bob"), 1, "version 20260102000000 needs 1 approval")
        self.approve("carl", definition="notes")
        result = self.tool("migrate", "--operator", "bob")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(sorted(signer for *_, signer in self.used()), ["anna@example.com", "carl@example.com"])

    def test_a_worker_needs_it_as_anybody(self):
        self.assertEqual(self.tool("enqueue", "fill", "--operator", "bob").code, 0)
        refused = self.tool("work", "--once", "--operator", "bob")
        self.assertEqual(refused.code, 3, refused)
        self.assertIn("needs 1 approval of other people", refused.err)
        self.assertEqual(self.column("SELECT count(*) FROM users WHERE name IS NULL"), ["3"])
        self.approve()
        self.assertEqual(self.tool("queue", "--retry", VERSION).code, 0)
        done = self.tool("work", "--once", "--operator", "bob")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(len(self.used()), 1)

    def test_the_list(self):
        first = self.approve("anna")
        self.approve("carl")
        (target,) = self.listed(operator="carl")
        self.assertEqual((target["required"], target["counting"]), (1, 1))
        by = {one["signer"]: one for one in target["approvals"]}
        self.assertEqual((by["anna@example.com"]["counts"], by["anna@example.com"]["why_not"]), (True, None))
        self.assertEqual(by["anna@example.com"]["nonce"], first["approval"]["nonce"])
        self.assertIn("who runs it", by["carl@example.com"]["why_not"])
        text = self.tool("approve", "fill", "--list", "--operator", "carl").out
        self.assertRegex(text, r"1 approval of 1 that is required")
        self.assertRegex(text, r"(?m)^  \S+-anna\.json +anna@example\.com .* yes$")
        self.let_through()
        self.assertEqual(self.tool("approve", "fill", "--list", "--exit-code", "--operator", "bob").code, 3)

    def test_the_bundle_is_checked_with_ssh_keygen_alone(self):
        self.approve()
        run = str(self.let_through()["run"])
        self.assertEqual(self.tool("export", run, "--format", "bundle", "-o", "b.zip").code, 0)
        with zipfile.ZipFile(self.path("b.zip")) as archive:
            archive.extractall(self.path("bundle"))
            manifest = {file["name"]: file["sha256"] for file in json.loads(archive.read("manifest.json"))["files"]}
            for name in ("approvals/1.json", "approvals/1.json.sig", "approvals/allowed_signers"):
                self.assertEqual(manifest[name], hashlib.sha256(archive.read(name)).hexdigest())
        folder = self.path("bundle", "approvals")
        command = ["-Y", "verify", "-f", f"{folder}/allowed_signers", "-I", "anna@example.com", "-n", "datachange", "-s",
                   f"{folder}/1.json.sig"]
        with open(f"{folder}/1.json", "rb") as file:
            self.assertIn("Good", self.keygen(*command, stdin=file))
        with open(self.path("bundle", "definition.sql"), "rb") as file, open(f"{folder}/1.json", "rb") as approval:
            self.assertEqual(json.load(approval)["definition_sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_a_run_that_is_cancelled_needs_none(self):
        self.configure(**{"approvals-required": 0})
        self.killed_run()
        self.configure()
        self.assertEqual(self.tool("cancel", "1").code, 0)

    def test_a_copy_of_an_approval_that_was_used_lets_nothing_through_from_elsewhere(self):
        self.approve()
        self.let_through()
        os.mkdir(self.path("host2"))
        for name in ("datachange.toml", "allowed_signers", "audits"):
            (shutil.copytree if name == "audits" else shutil.copy)(self.path(name), self.path("host2", name))
        result = self.tool("run", "fill", "--again", "--operator", "bob", folder=self.path("host2"))
        self.assert_failed(result, 1, "has used it up")

    def test_a_passphrase_is_asked_for_at_the_terminal(self):
        self.make_key("locked", passphrase="open sesame")
        self.allow(self.line("anna", "locked"))
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe(TOOL, [TOOL, "approve", "fill", "--key", "locked", "--operator", "anna"],
                       self.environment(DISPLAY=None, SSH_ASKPASS=None))
        shown = b""
        try:
            while b"Enter passphrase" not in shown:
                shown += os.read(terminal, 1000)
            os.write(terminal, b"open sesame\n")
            while True:
                shown += os.read(terminal, 1000)
        except OSError:
            pass  # the terminal is closed when the tool has ended
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, shown)
        self.let_through()

    def test_a_key_that_the_agent_has(self):
        socket = self.path("agent")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        wait_until(lambda: os.path.exists(socket), "the agent is there")
        subprocess.run(["ssh-add", "-q", "anna"], cwd=self.folder, env={**os.environ, "SSH_AUTH_SOCK": socket}, check=True)
        os.remove(self.path("anna"))
        self.approve("anna", key="anna.pub", SSH_AUTH_SOCK=socket)
        self.let_through()

    def test_ledgers_that_are_merged_keep_them(self):
        self.approve()
        self.let_through()
        self.assertEqual(self.tool("run", "fill", "--dry-run", "--ledger", "other.db").code, 0)
        self.assertEqual(self.tool("ledger", "merge", "datachange-ledger.db", "--ledger", "other.db").code, 0)
        self.assertEqual(self.ledger("SELECT signer, allowed_signer FROM approvals", name="other.db"),
                         [("anna@example.com", self.line("anna"))])

    def test_files_that_are_no_approvals_stand_in_nobodys_way(self):
        self.write(f"{FOLDER}/README", "who approves what")
        self.write(f"{FOLDER}/notes.json", "{}")
        self.write(f"{FOLDER}/big.json", "x" * (2 << 20))
        self.write(f"{FOLDER}/big.json.sig", "x")
        os.makedirs(self.path(FOLDER, "old.json"))
        self.write(f"{FOLDER}/old.json.sig", "x")
        self.stopped("its signature is not there (notes.json.sig)", "too large", "is a folder")
        self.approve()
        self.let_through()

    def test_a_migration_of_several_steps(self):
        self.write(FILL_PATH, STEPS)
        steps = self.approve()["approval"]["scope"][0]["steps"]
        self.assertEqual([(step["step"], step["name"], step["planned"], step["updated"]) for step in steps],
                         [(1, "names", 3, 3), (2, "notes", 0, 2)])
        self.let_through()


class SqliteApprove(ApproveTests, SqliteCase):
    pass


class PostgresApprove(ApproveTests, PostgresCase):
    pass


class SqliteTwoPeople(TwoPeopleTests, SqliteCase):
    pass


class PostgresTwoPeople(TwoPeopleTests, PostgresCase):
    pass


class SqliteOneEngine(OneEngineTests, SqliteCase):
    pass


if __name__ == "__main__":
    unittest.main()
