"""undo: a run is taken back from the ledger's images, row by row where the row still is what the run left."""

import unittest

from databases import numbers
from support import STEPS, VERSION, PostgresCase, SqliteCase, definition_text, small

# changes every column that it captures, deletes some rows, inserts others
MIXED = """-- table: users
-- identifier: id
-- audit:pre
SELECT id, name, note FROM users WHERE id <= 4;
-- audit:change
DELETE FROM users WHERE id = 2 RETURNING id;
UPDATE users SET name = 'x', note = NULL WHERE id IN (1, 3) RETURNING id;
INSERT INTO users (id, name) VALUES (10, 'ten') RETURNING id;
"""


class UndoTests:
    """On a table of five users, of whom three have no name."""

    def setUp(self):
        super().setUp()
        self.make_users()

    def users(self):
        return self.database.rows("SELECT id, name, note FROM users ORDER BY id")

    def undo_ok(self, *arguments):
        result = self.tool("undo", *arguments, "--json")
        self.assertEqual(result.code, 0, result)
        return result.json

    def undo_refused(self, code, *arguments, words=()):
        tables = self.database.dump()
        result = self.tool("undo", *arguments)
        self.assert_failed(result, code, *words)
        self.assertEqual(self.database.dump(), tables)
        return result

    def state(self):
        (line,) = self.tool("status", "--json").json["definitions"]
        return line["state"]

    def run_and_undo(self, text, *flags, definition="fill"):
        """Runs a definition, which must change something, and undoes it, which must leave nothing of it."""
        before = self.database.dump()
        self.define(text=text)
        ran = self.run_ok(*flags, definition=definition)
        self.assertNotEqual(self.database.dump(), before)
        undone = self.undo_ok(str(ran["run"]), *flags)
        self.assertEqual(self.database.dump(), before)
        return ran, undone

    def test_updated_rows_get_their_values_back(self):
        ran, undone = self.run_and_undo(definition_text())
        self.assertEqual((undone["reverses"], undone["rows"]["updated"]), (ran["uuid"], 3))
        self.assertEqual(self.ledger("SELECT reverses, ticket FROM runs WHERE run_id = 2"), [(ran["uuid"], None)])
        self.assertEqual(self.changes()["1"], ("updated", {"id": 1, "name": "filled"}, {"id": 1, "name": None}))
        header, rows = self.csv(undone["csv"]["diff"])
        self.assertEqual(header, ["identifier", "action", "column", "before", "after"])
        self.assertEqual(sorted(rows)[0], ["1", "updated", "name", "filled", None])

    def test_deleted_rows_come_back_and_inserted_ones_go(self):
        _, undone = self.run_and_undo(MIXED)
        self.assertEqual({name: undone["rows"][name] for name in ("updated", "inserted", "deleted")},
                         {"updated": 2, "inserted": 1, "deleted": 1})

    def test_it_has_its_own_operator_and_ticket(self):
        self.define(ticket="OPS-1")
        self.run_ok("--operator", "anna")
        self.undo_ok("1", "--operator", "ben", "--ticket", "OPS-2")
        self.assertEqual(self.ledger("SELECT operator, ticket FROM runs ORDER BY run_id"),
                         [("anna", "OPS-1"), ("ben", "OPS-2")])

    def test_batches_in_reverse_order(self):
        self.database.execute(f"{numbers(20)} INSERT INTO users SELECT i + 5, NULL, 'n' FROM n")
        ran, undone = self.run_and_undo(definition_text(), *small(4))
        self.assertEqual((ran["mode"], ran["batches"], undone["mode"], undone["batches"]), ("batched", 6, "batched", 6))
        last = self.ledger("SELECT identifier FROM changes WHERE run_id = 2 AND batch = '1' ORDER BY change_id")
        self.assertIn(("25",), last)

    def test_several_steps_in_reverse_order(self):
        for flags in ([], small(1)):
            with self.subTest(flags):
                _, undone = self.run_and_undo(STEPS, *flags)
                self.assertEqual([step["table"] for step in undone["steps"]], ["users", "users"])
                self.database.execute("DELETE FROM datachange_batches; DELETE FROM datachange_runs")

    def test_undo_of_an_undo_does_it_again(self):
        self.define()
        self.run_ok()
        changed = self.users()
        self.undo_ok("1")
        self.assertEqual(self.state(), "undone")
        self.undo_ok("2")
        self.assertEqual(self.users(), changed)
        self.assertEqual(self.state(), "done")
        self.undo_refused(1, "2", words=["undone already"])
        self.undo_ok("1")
        self.assertEqual(self.state(), "undone")

    def test_twice_is_refused(self):
        self.define()
        self.run_ok()
        self.undo_ok("1")
        self.undo_refused(1, "1", words=["run 1 has been undone already"])
        self.undo_refused(2, VERSION, words=["is an undo itself"])

    def test_an_undone_version_runs_again_only_if_asked_to(self):
        self.define()
        self.run_ok()
        self.undo_ok("1")
        self.assertEqual(self.tool("status", "--exit-code").code, 0)
        self.refused(1, "was undone", "--again")
        self.run_ok("--again")
        self.assertEqual(self.state(), "done")

    def test_a_dry_run_changes_nothing(self):
        self.define()
        self.run_ok()
        tables = self.database.dump()
        printed = self.undo_ok("1", "--dry-run")
        self.assertEqual((printed["dry_run"], printed["rows"]["updated"]), (True, 3))
        self.assertEqual(self.database.dump(), tables)
        self.assertEqual(self.state(), "done")
        self.undo_ok("1")

    # --- conflicts

    def in_conflict(self):
        """After a run somebody else has changed user 2, and taken user 3 away."""
        self.define()
        self.run_ok()
        self.database.execute("UPDATE users SET name = 'mine' WHERE id = 2; DELETE FROM users WHERE id = 3")

    def conflicts(self, folder):
        header, rows = self.csv(f"{folder}/conflicts.csv")
        self.assertEqual(header, ["identifier", "column", "before", "after", "live"])
        return sorted(rows, key=lambda row: [value or "" for value in row])

    CONFLICTS = [["2", "name", None, "filled", "mine"], ["3", "id", "3", "3", None],
                 ["3", "name", None, "filled", None]]

    def test_it_stops_at_conflicts_before_anything_is_changed(self):
        self.in_conflict()
        for flags in ([], small(1), ["--dry-run"]):
            with self.subTest(flags):
                self.undo_refused(1, "1", *flags, words=[
                    "2 rows are not any more what the run left", '2, name: before null, after "filled", live "mine"',
                    "3, name: before null, after \"filled\", live no row", "--on-conflict skip", "Nothing was changed"])
                (folder,) = self.ledger("SELECT csv_directory FROM runs ORDER BY run_id DESC LIMIT 1")[0]
                self.assertEqual(self.conflicts(folder), self.CONFLICTS)
        self.assertEqual(self.state(), "done")

    def test_skip_leaves_them(self):
        self.in_conflict()
        printed = self.undo_ok("1", "--on-conflict", "skip")
        self.assertEqual(self.column("SELECT name FROM users WHERE id < 4 ORDER BY id"), [None, "mine"])
        self.assertEqual((printed["conflicting_rows"], printed["rows"]["updated"]), (2, 1))
        self.assertEqual({(row["identifier"], row["live"]) for row in printed["conflicts"]}, {("2", '"mine"'), ("3", None)})
        self.assertEqual(self.conflicts(printed["csv_directory"]), self.CONFLICTS)
        self.assertEqual(self.ledger("SELECT count(*) FROM files WHERE name = 'conflicts.csv'"), [(1,)])
        self.assertEqual(self.state(), "undone")

    def test_force_puts_the_old_values_over_them(self):
        self.in_conflict()
        printed = self.undo_ok("1", "--on-conflict", "force")
        self.assertEqual(self.column("SELECT name FROM users WHERE id < 4 ORDER BY id"), [None, None])
        self.assertEqual(self.changes()["2"], ("updated", {"id": 2, "name": "mine"}, {"id": 2, "name": None}))
        self.assertEqual(printed["conflicting_rows"], 2)  # user 3 cannot come back: its note is not known

    def test_force_brings_back_a_row_that_is_gone_where_all_of_it_is_known(self):
        before = self.users()
        self.define(text=MIXED)
        self.run_ok()
        self.database.execute("DELETE FROM users WHERE id = 3; INSERT INTO users VALUES (2, 'other', NULL)")
        self.undo_ok("1", "--on-conflict", "force")
        self.assertEqual(self.users(), before)

    def test_a_row_that_is_as_it_was_already_is_no_conflict(self):
        before = self.users()
        self.define(text=MIXED)
        self.run_ok()
        self.database.execute("DELETE FROM users WHERE id = 10; UPDATE users SET name = NULL, note = 'note 1' WHERE id = 1")
        self.undo_ok("1")
        self.assertEqual(self.users(), before)

    def test_a_stopped_undo_goes_on_otherwise(self):
        """A conflict that only the rows' locks show: the same table twice is not looked through beforehand."""
        self.define(text=STEPS)
        self.run_ok()
        self.database.execute("UPDATE users SET name = 'mine' WHERE id = 3")
        result = self.tool("undo", "1", *small(1))
        self.assert_failed(result, 6, "1 row is not any more", "datachange resume 2")
        self.assertTrue(self.state().startswith("undo "))
        self.refused(1, "has not ended")
        self.undo_ok("1", *small(1), "--on-conflict", "skip")
        self.assertEqual(self.column("SELECT name FROM users WHERE id <= 3 ORDER BY id"), [None, None, "mine"])
        self.assertEqual(self.ledger("SELECT run_id, state FROM runs"), [(1, "done"), (2, "done")])

    def test_a_stopped_undo_is_ended_for_good(self):
        self.define(text=STEPS)
        self.run_ok()
        self.database.execute("UPDATE users SET name = 'mine' WHERE id = 3")
        self.assertEqual(self.tool("undo", "1", *small(1)).code, 6)
        result = self.tool("cancel", "2", "--json")
        self.assertEqual((result.code, result.json["requested"]), (0, "cancel"), result)
        self.assertEqual(self.ledger("SELECT state FROM runs WHERE run_id = 2"), [("cancelled",)])
        self.assertEqual(self.state(), "done")
        self.undo_ok("1", "--on-conflict", "skip")
        self.assertEqual(self.database.rows("SELECT name, note FROM users WHERE id <= 3 ORDER BY id"),
                         [(None, "note 1"), (None, "note 2"), ("mine", "note 3")])

    def test_failed_rows_of_an_undone_run_are_not_tried_again(self):
        self.define()
        self.run_ok()
        self.undo_ok("1")
        self.assert_failed(self.tool("retry", "1"), 1, "is being undone, or was")

    # --- what cannot be undone

    def test_columns_that_were_not_captured(self):
        self.define(pre="SELECT id, name FROM users WHERE id = 1", change="DELETE FROM users WHERE id = 1 RETURNING id")
        self.run_ok()
        self.undo_refused(1, "1", words=["1 deleted row of users cannot be put back: pre did not select note"])

    def test_computed_columns(self):
        self.define(pre="SELECT id, coalesce(name, '') AS name FROM users WHERE name IS NULL AND :batch(id)",
                    post="SELECT id, coalesce(name, '') AS name FROM users WHERE :affected(id)")
        self.run_ok()
        self.undo_refused(1, "1", words=["no image has a column that was changed"])

    def test_less_evidence(self):
        for level, words in (("keys", "identifiers alone"), ("counts", "counts alone")):
            with self.subTest(level):
                self.define(name=level, version=f"2026010100000{len(level)}", evidence=level)
                self.database.execute("UPDATE users SET name = NULL")
                run = self.run_ok(definition=level)["run"]
                self.undo_refused(1, str(run), words=[words])

    def test_runs_that_there_is_nothing_to_undo_of(self):
        self.define()
        self.run_ok("--dry-run")
        self.undo_refused(2, "1", words=["was a dry run"])
        self.database.execute("UPDATE users SET name = 'x'")
        self.run_ok()
        self.undo_refused(1, "2", words=["changed no row"])
        self.undo_refused(2, "17", words=["no run 17"])

    def test_another_database(self):
        self.define()
        self.run_ok()
        other = self.other_database()
        self.make_users(database=other)
        result = self.tool("undo", self.ledger("SELECT uuid FROM runs")[0][0], DATABASE_URL=other.url)
        self.assert_failed(result, 1, "does not know of run 1", "right database")

    def test_rows_that_a_trigger_changed_besides(self):
        self.database.execute("CREATE TABLE log (what text)")
        self.after_trigger("noted", "UPDATE", "INSERT INTO log VALUES ('x')")
        self.define()
        self.run_ok()
        self.undo_refused(1, "1", words=["rows that the ledger has no images of, 3 of them", "log", "--partial"])
        self.undo_ok("1", "--partial")
        self.assertEqual(self.column("SELECT name FROM users WHERE id < 4"), [None] * 3)
        self.assertEqual(self.column("SELECT count(*) FROM log"), ["6"])

    def test_a_run_that_may_go_on(self):
        self.database.execute("CREATE TABLE limits (id integer PRIMARY KEY, name text CHECK (id <> 2 OR name IS NULL));"
                              "INSERT INTO limits VALUES (1, NULL), (2, NULL), (3, NULL)")
        self.define(text=definition_text().replace("users", "limits"))
        self.assertEqual(self.tool("run", "fill", *small(1)).code, 6)
        self.undo_refused(1, "1", words=["it is failed, and may go on", "datachange cancel 1"])
        self.assertEqual(self.tool("cancel", "1").code, 0)
        self.undo_ok("1")
        self.assertEqual(self.column("SELECT name FROM limits"), [None] * 3)

    def test_children_that_came_since(self):
        """A row that goes again must not take others along that the run never had."""
        self.define(text=MIXED)
        self.database.execute("CREATE TABLE events (id integer PRIMARY KEY, user_id integer REFERENCES users ON DELETE CASCADE)")
        self.run_ok()
        self.database.execute("INSERT INTO events VALUES (1, 10)")
        self.undo_refused(1, "1", words=["would delete others", "events: 1 deleted", "--on-conflict force"])
        self.undo_ok("1", "--on-conflict", "force")

    # --- the section `undo` of a definition

    def test_a_definition_that_says_how(self):
        before = self.users()
        self.define(evidence="keys", undo="UPDATE users SET name = NULL WHERE :affected(id) RETURNING id, name")
        for flags in ([], small(1)):
            with self.subTest(flags):
                run = self.run_ok("--again", *flags)["run"]
                self.database.execute("UPDATE users SET name = 'since then' WHERE id = 1")
                undone = self.undo_ok(str(run), *flags)
                self.assertEqual((undone["rows"]["updated"], undone["batches"]), (3, 3 if flags else 1))
                self.assertEqual(self.users(), before)
                self.assertEqual(self.changes()["1"][1:], ({"id": 1, "name": "since then"}, {"id": 1, "name": None}))
        self.undo_ok(str(undone["run"]))
        self.assertEqual(self.column("SELECT name FROM users WHERE id = 1"), ["since then"])

    def test_rows_that_are_gone_are_told_to_it(self):
        before = self.users()
        self.define(evidence="keys", pre="SELECT id FROM users WHERE id < 3", change="DELETE FROM users WHERE id < 3 RETURNING id",
                    undo="INSERT INTO users SELECT o.id, NULL, 'note ' || o.id FROM old AS o WHERE :affected(o.id)"
                         " RETURNING id, name, note")
        self.database.execute("CREATE TABLE old (id integer); INSERT INTO old SELECT id FROM users")
        self.run_ok()
        undone = self.undo_ok("1")
        self.assertEqual((undone["rows"]["inserted"], self.users()), (2, before))

    def test_the_images_are_used_if_they_are_asked_for(self):
        before = self.users()
        self.define(undo="UPDATE users SET name = 'by hand' WHERE :affected(id) RETURNING id, name")
        self.run_ok()
        self.undo_ok("1", "--from-ledger")
        self.assertEqual(self.users(), before)

    def test_it_has_to_return_its_rows(self):
        self.define(undo="UPDATE users SET name = NULL WHERE :affected(id)")
        self.run_ok()
        self.undo_refused(1, "1", words=["the UPDATE in audit:undo has no RETURNING", "--from-ledger"])

    def test_it_does_not_know_of_batches(self):
        self.define(undo="UPDATE users SET name = NULL WHERE id < 4 RETURNING id, name")
        self.run_ok()
        self.undo_refused(1, "1", *small(1), words=["cannot be batched", ":affected"])
        self.undo_ok("1", *small(1), "--single-transaction")

    # --- shapes of changes

    def test_a_cascade_that_was_watched(self):
        self.database.execute(
            "CREATE TABLE events (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users ON DELETE CASCADE, what text);"
            "CREATE TABLE notes (id integer PRIMARY KEY, event_id integer NOT NULL REFERENCES events ON DELETE CASCADE);"
            "INSERT INTO events VALUES (1, 1, 'a'), (2, 1, NULL), (3, 2, 'c'), (4, 5, 'kept');"
            "INSERT INTO notes VALUES (1, 1), (2, 3), (3, 3), (4, 4)")
        text = """-- table: users
-- identifier: id
-- audit:pre
SELECT id, name, note FROM users WHERE id <= 3;
-- audit:change
DELETE FROM users WHERE :affected(id) RETURNING id;
-- audit:watch notes
-- identifier: id
SELECT id, event_id FROM notes;
-- audit:watch events
-- identifier: id
SELECT id, user_id, what FROM events;
"""
        _, undone = self.run_and_undo(text)
        self.assertEqual([step["table"] for step in undone["steps"]], ["users", "events", "notes"])
        self.undo_ok("2")
        self.assertEqual(self.column("SELECT count(*) FROM notes"), ["1"])

    def test_identifiers_that_were_altered(self):
        text = """-- table: users
-- identifier: id
-- audit:pre
SELECT id, name FROM users WHERE id <= 3;
-- audit:change
UPDATE users SET id = -id WHERE id <= 3 RETURNING id, name, -id AS was_id;
UPDATE users SET id = 1 - id WHERE id < 0 RETURNING id, name, 1 - id AS was_id;
-- audit:post
SELECT id, name FROM users WHERE :affected(id);
"""
        self.database.execute("DELETE FROM users WHERE id = 4")
        ran, undone = self.run_and_undo(text)
        self.assertEqual((ran["rows"]["updated"], undone["rows"]["updated"]), (3, 3))
        self.assertEqual(sorted(self.changes()), ["2", "3", "4"])
        self.undo_ok("2")
        self.assertEqual(self.column("SELECT id FROM users ORDER BY id"), ["2", "3", "4", "5"])

    def test_a_unique_value_moves_from_one_row_to_another(self):
        self.database.execute("CREATE UNIQUE INDEX names ON users (name); UPDATE users SET name = 'one' WHERE id = 1")
        self.run_and_undo("""-- table: users
-- identifier: id
-- audit:pre
SELECT id, name, note FROM users WHERE id = 1;
-- audit:change
DELETE FROM users WHERE id = 1 RETURNING id;
INSERT INTO users (id, name) VALUES (11, 'one') RETURNING id;
""")

    def test_a_definition_that_names_no_table(self):
        _, undone = self.run_and_undo(definition_text(table=None, post="SELECT id, name FROM users WHERE :affected(id)"))
        self.assertEqual(self.ledger("SELECT table_name FROM steps WHERE run_id = 1"), [(None,)])
        self.undo_ok(str(undone["run"]))

    def test_a_row_that_several_batches_changed(self):
        self.database.execute("CREATE TABLE totals (id integer PRIMARY KEY, n integer); INSERT INTO totals VALUES (1, 0), (2, 0);"
                              "CREATE TABLE src (k integer PRIMARY KEY, total_id integer);"
                              f"{numbers(9)} INSERT INTO src SELECT i, 1 + i % 2 FROM n")
        text = """-- table: totals
-- identifier: id
-- audit:keys
SELECT k FROM src WHERE :batch(k);
-- audit:pre
SELECT id, n FROM totals WHERE id IN (SELECT total_id FROM src WHERE :batch(k));
-- audit:change
UPDATE totals SET n = n + 1 WHERE id IN (SELECT total_id FROM src WHERE :batch(k)) RETURNING id, n;
"""
        before = self.database.dump()
        self.define(text=text)
        for flags in ([], small(3)):
            run = self.run_ok("--again", *small(2))
            self.assertEqual(run["batches"], 5)
            self.undo_ok(str(run["run"]), *flags)
            self.assertEqual(self.database.dump(), before)

    def test_generated_columns_are_left_out(self):
        self.database.execute("CREATE TABLE sums (id integer PRIMARY KEY, a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);"
                              "INSERT INTO sums (id, a) VALUES (1, 1), (2, 2)")
        self.run_and_undo("""-- table: sums
-- identifier: id
-- audit:pre
SELECT id, a, b FROM sums;
-- audit:change
DELETE FROM sums WHERE id = 1 RETURNING id;
UPDATE sums SET a = 7 WHERE id = 2 RETURNING id, a, b;
""")

    def test_quoted_names_and_composite_keys(self):
        self.database.execute('CREATE TABLE "Odd ""Table" ("Group" text, "No." integer, "select" text, PRIMARY KEY ("Group", "No."));'
                              """INSERT INTO "Odd ""Table" VALUES ('a', 1, NULL), ('a', 2, 'x'), ('b', 1, '')""")
        self.run_and_undo('''-- table: "Odd ""Table"
-- identifier: "Group", "No."
-- audit:pre
SELECT "Group", "No.", "select" FROM "Odd ""Table";
-- audit:change
UPDATE "Odd ""Table" SET "select" = 'y' WHERE "Group" = 'a' RETURNING "Group", "No.", "select";
DELETE FROM "Odd ""Table" WHERE "Group" = 'b' RETURNING "Group", "No.";
''')

    def test_a_trigger_that_alters_what_was_put_back_is_told_of(self):
        self.define()
        self.run_ok()
        self.touch_names()
        printed = self.undo_ok("1")
        self.assertIn("3 rows are still not as before the run", " ".join(printed["warnings"]))

    def test_more_rows_than_one_piece(self):
        self.database.execute(f"{numbers(12_000)} INSERT INTO users SELECT i + 5, NULL, 'n' FROM n")
        for flags in ([], ["--single-transaction"]):
            with self.subTest(flags):
                before = self.database.dump()
                run = self.run_ok("--again", *flags) if flags else self.first_run()
                self.undo_ok(str(run["run"]), *flags)
                self.assertEqual(self.database.dump(), before)

    def first_run(self):
        self.define()
        return self.run_ok()


class UndoOnSqlite(UndoTests, SqliteCase):
    def other_database(self):
        return self.new_database("other.db")

    def touch_names(self):
        self.after_trigger("touched", "UPDATE OF name",
                           "UPDATE users SET name = 'touched' WHERE id = NEW.id AND NEW.name IS NULL")

    def test_rows_that_are_named_by_rowid(self):
        self.database.execute("CREATE TABLE t (v, w); INSERT INTO t (rowid, v, w) VALUES (3, 'a', 1), (5, 'b', 2), (9, 'a', 1)")
        before = self.database.rows("SELECT rowid, v, w FROM t")
        self.run_and_undo("""-- table: t
-- identifier: rowid
-- audit:pre
SELECT rowid, v, w FROM t;
-- audit:change
DELETE FROM t WHERE rowid = 3 RETURNING rowid;
UPDATE t SET v = 'x' WHERE rowid = 9 RETURNING rowid;
-- audit:post
SELECT rowid, v, w FROM t WHERE :affected(rowid);
""")
        self.assertEqual(self.database.rows("SELECT rowid, v, w FROM t"), before)

    def test_text_and_number_are_not_one_value(self):
        self.database.execute("CREATE TABLE t (k PRIMARY KEY, v); INSERT INTO t VALUES (1, 1), ('1', 'a'), (x'31', NULL), (1.5, 2.0)")
        self.run_and_undo("""-- table: t
-- identifier: k
-- audit:pre
SELECT k, v FROM t;
-- audit:change
UPDATE t SET v = CAST('1' AS text) WHERE :affected(k) RETURNING k, v;
""")
        self.define(name="again", version="20260101000009", text=definition_text(
            table="t", identifier="k", pre="SELECT k, v FROM t WHERE k = 1", change="UPDATE t SET v = 5 WHERE k = 1 RETURNING k, v"))
        run = self.run_ok(definition="again")["run"]
        self.database.execute("UPDATE t SET v = '5' WHERE k = 1")
        self.undo_refused(1, str(run), words=['after 5, live "5"'])


class UndoOnPostgres(UndoTests, PostgresCase):
    def other_database(self):
        return self.new_database()

    def touch_names(self):
        self.database.execute(
            "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := coalesce(NEW.name, 'touched');"
            " RETURN NEW; END $$; CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touched()")

    def test_equal_is_not_the_same(self):
        """What SQL calls equal: 1.0 and 1.00, -0 and 0."""
        self.database.execute("CREATE TABLE t (id int PRIMARY KEY, n numeric, f float8, j json); INSERT INTO t VALUES (1, 0, 1, '{}')")
        self.define(text=definition_text(table="t", pre="SELECT id, n, f, j FROM t",
                                         change="UPDATE t SET n = 1.0, f = 0, j = '{\"a\":1}' WHERE :affected(id) RETURNING id, n, f, j"))
        self.run_ok()
        for column, value in (("n", "1.00"), ("f", "-0"), ("j", "{\"a\": 1}")):
            with self.subTest(column):
                former = self.column(f"SELECT {column} FROM t")[0]
                self.database.execute(f"UPDATE t SET {column} = '{value}'")
                self.undo_refused(1, "1", words=[f"1, {column}:"])
                self.database.execute(f"UPDATE t SET {column} = '{former}'")
        self.undo_ok("1")
        self.assertEqual(self.database.rows("SELECT n, f, j FROM t"), [("0", "1", "{}")])

    def test_a_table_that_was_emptied(self):
        self.run_and_undo("""-- table: users
-- identifier: id
-- returning: none
-- audit:pre
SELECT id, name, note FROM users;
-- audit:change
TRUNCATE users;
""")

    def test_rows_that_moved_to_another_partition(self):
        self.database.execute("CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                              "CREATE TABLE low PARTITION OF p FOR VALUES FROM (0) TO (10);"
                              "CREATE TABLE high PARTITION OF p FOR VALUES FROM (10) TO (99); INSERT INTO p VALUES (1, 'a'), (11, 'b')")
        self.run_and_undo("""-- table: p
-- identifier: id
-- audit:pre
SELECT id, v FROM p;
-- audit:change
UPDATE p SET id = id + 20, v = NULL RETURNING id, v, id - 20 AS was_id;
""")

    def test_identity_columns(self):
        self.database.execute("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text); INSERT INTO t (v) VALUES ('a'), ('b')")
        self.run_and_undo("""-- table: t
-- identifier: id
-- audit:pre
SELECT id, v FROM t;
-- audit:change
DELETE FROM t WHERE id = 1 RETURNING id;
UPDATE t SET v = 'x' WHERE id = 2 RETURNING id, v;
""")

    def test_keys_that_were_swapped_under_a_deferrable_constraint(self):
        self.database.execute("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
        self.run_and_undo("""-- table: t
-- identifier: id
-- audit:pre
SELECT id, v FROM t WHERE id < 3;
-- audit:change
UPDATE t SET id = 3 - id WHERE id < 3 RETURNING id, v, 3 - id AS was_id;
""")

    def test_parents_that_were_inserted_together_with_their_children(self):
        """The watched table is the parent: its rows go last, and come first."""
        self.database.execute("CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (id int PRIMARY KEY,"
                              " parent_id int NOT NULL REFERENCES parents)")
        self.run_and_undo("""-- table: children
-- identifier: id
-- audit:pre
SELECT id, parent_id FROM children;
-- audit:change
WITH p AS (INSERT INTO parents VALUES (1), (2) RETURNING id) INSERT INTO children SELECT id * 10, id FROM p RETURNING id;
-- audit:watch parents
-- identifier: id
SELECT id FROM parents;
""")
        self.undo_ok("2")
        self.assertEqual(self.column("SELECT parent_id FROM children ORDER BY 1"), ["1", "2"])

    def test_a_table_in_another_schema(self):
        self.database.execute('CREATE SCHEMA app; CREATE TABLE app."User" (id int PRIMARY KEY, v text); INSERT INTO app."User" VALUES (1, NULL)')
        self.run_and_undo("""-- table: app."User"
-- identifier: id
-- audit:pre
SELECT id, v FROM app."User";
-- audit:change
UPDATE app."User" SET v = 'x' WHERE :affected(id) RETURNING id, v;
""")

    def test_the_row_is_locked_before_it_is_compared(self):
        self.define()
        self.run_ok()
        session = self.session()
        session.execute("BEGIN; UPDATE users SET name = 'mine' WHERE id = 2")
        undo = self.start("undo", "1", "--lock-timeout", "60s")
        self.wait_until_blocked()
        session.execute("COMMIT")
        self.assert_failed(undo.finish(), 1, 'live "mine"')
        self.assertEqual(self.column("SELECT name FROM users WHERE id < 4 ORDER BY id"), ["filled", "mine", "filled"])


if __name__ == "__main__":
    unittest.main()
