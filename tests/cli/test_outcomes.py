"""What became of each row of the set, and how much of it is kept."""

import os
import unittest

from support import PostgresCase, SqliteCase, small


class OutcomeTests:
    def setUp(self):
        super().setUp()
        self.make_users()

    def counts(self, printed):
        return {name: count for name, count in printed["rows"].items() if count and name not in ("pre", "change", "post")}

    def test_updated(self):
        self.define()
        printed = self.run_ok()
        self.assertEqual(self.counts(printed), {"updated": 3})
        self.assertEqual(self.changes()["1"], ("updated", {"id": 1, "name": None}, {"id": 1, "name": "filled"}))

    def test_unchanged_although_it_was_written(self):
        self.define(pre="SELECT id, name FROM users WHERE :batch(id)",
                    change="UPDATE users SET name = 'user 4' WHERE id > 3 AND :batch(id) RETURNING id, name")
        printed = self.run_ok()
        self.assertEqual(self.counts(printed), {"updated": 1, "unchanged": 1, "missing": 3})
        self.assertEqual(self.actions(), {"1": "missing", "2": "missing", "3": "missing", "4": "unchanged", "5": "updated"})
        self.assertEqual(self.changes()["4"], ("unchanged", {"id": 4, "name": "user 4"}, {"id": 4, "name": "user 4"}))
        self.assertEqual([row[0] for row in self.csv(printed["csv"]["diff"])[1]], ["5"])

    def test_missing_is_a_warning(self):
        self.define(change="UPDATE users SET name = 'x' WHERE id = 1 AND :batch(id) RETURNING id, name")
        result = self.tool("run", "fill")
        self.assertEqual(result.code, 0, result)
        self.assertIn("warning: 2 rows of pre were not changed, for example 2", result.err)
        self.assertIn("2 missing", result.out)
        self.assertEqual(self.actions(), {"1": "updated", "2": "missing", "3": "missing"})
        self.assertEqual(self.changes()["2"], ("missing", {"id": 2, "name": None}, {"id": 2, "name": None}))

    def test_a_warning_is_in_json_too(self):
        self.define(change="UPDATE users SET name = 'x' WHERE id = 1 AND :batch(id) RETURNING id, name")
        (warning,) = self.run_ok()["warnings"]
        self.assertIn("2 rows of pre were not changed", warning)

    def test_deleted(self):
        self.define(change="DELETE FROM users WHERE name IS NULL AND :batch(id) RETURNING id, name")
        printed = self.run_ok()
        self.assertEqual(self.counts(printed), {"deleted": 3})
        self.assertEqual(self.changes()["2"], ("deleted", {"id": 2, "name": None}, None))
        self.assertEqual(self.csv(printed["csv"]["post"])[1], [])
        self.assertEqual(self.csv(printed["csv"]["diff"])[1][:2],
                         [["1", "deleted", "id", "1", None], ["1", "deleted", "name", None, None]])

    def test_deleted_by_a_cascade_within_the_table(self):
        self.database.execute("CREATE TABLE tree (id integer PRIMARY KEY, parent integer REFERENCES tree (id) ON DELETE"
                              " CASCADE);"
                              "INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, NULL)")
        self.define(table="tree", pre="SELECT id, parent FROM tree WHERE id < 4 AND :batch(id)",
                    change="DELETE FROM tree WHERE id = 1 AND :batch(id) RETURNING id")
        printed = self.run_ok()
        self.assertEqual(self.counts(printed), {"deleted": 3})
        self.assertEqual(self.changes()["3"], ("deleted", {"id": 3, "parent": 2}, None))

    def test_inserted_by_a_plain_insert(self):
        self.define(pre="SELECT id, name FROM users WHERE id > 100 AND :batch(id)",
                    change="INSERT INTO users (id, name) SELECT id + 100, 'copy' FROM users WHERE :batch(id) RETURNING id,"
                           " name")
        printed = self.run_ok()
        self.assertEqual(self.counts(printed), {"inserted": 5})
        self.assertEqual(self.changes()["101"], ("inserted", None, {"id": 101, "name": "copy"}))
        self.assertEqual(self.csv(printed["csv"]["pre"])[1], [])
        self.assertEqual(self.csv(printed["csv"]["diff"])[1][:2],
                         [["101", "inserted", "id", None, "101"], ["101", "inserted", "name", None, "copy"]])

    def test_inserted_updated_and_equal_by_one_upsert(self):
        self.database.execute("CREATE TABLE wanted (id integer PRIMARY KEY, name text); "
                              "INSERT INTO wanted VALUES (1, 'new'), (4, 'user 4'), (6, 'six'), (7, 'seven')")
        self.define(pre="SELECT id, name FROM users WHERE id IN (SELECT id FROM wanted) AND :batch(id)",
                    change="INSERT INTO users (id, name) SELECT id, name FROM wanted WHERE TRUE AND :batch(id)"
                           " ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name")
        printed = self.run_ok()
        self.assertEqual(self.counts(printed), {"updated": 1, "inserted": 2, "unchanged": 1})
        self.assertEqual(self.actions(), {"1": "updated", "4": "unchanged", "6": "inserted", "7": "inserted"})
        self.assertEqual(printed["collateral"], [])

    def test_an_upsert_over_a_row_that_pre_forgot(self):
        self.define(pre="SELECT id, name FROM users WHERE id > 100 AND :batch(id)",
                    change="INSERT INTO users (id, name) VALUES (5, 'five'), (6, 'six') ON CONFLICT (id) DO UPDATE SET"
                           " name = excluded.name RETURNING id, name")
        self.refused(1, "rows that pre did not return")

    def test_several_statements_on_one_row(self):
        self.define(change="UPDATE users SET name = 'a' WHERE id = 1 AND :batch(id) RETURNING id, name;\n"
                           "UPDATE users SET name = name || 'b' WHERE id < 3 AND name IS NOT NULL AND :batch(id) RETURNING"
                           " id, name;\n"
                           "DELETE FROM users WHERE id = 2 AND :batch(id) RETURNING id, name;\n"
                           "UPDATE users SET name = 'c' WHERE id = 3 AND :batch(id) RETURNING id, name")
        printed = self.run_ok()
        self.assertEqual({key: (action, after) for key, (action, _, after) in self.changes().items()},
                         {"1": ("updated", {"id": 1, "name": "ab"}), "2": ("deleted", None),
                          "3": ("updated", {"id": 3, "name": "c"})})
        self.assertEqual((printed["rows"]["change"], printed["collateral"]), (4, []))
        self.assertEqual(self.csv(printed["csv"]["change"])[1], [["1", "a"], ["1", "ab"], ["2", None], ["3", "c"]])

    def test_a_change_of_the_identifier_is_one_row(self):
        for flags in ([], small(1)):
            with self.subTest(flags=flags):
                self.database.execute("DELETE FROM users WHERE id > 5; UPDATE users SET name = NULL WHERE id = 1")
                self.define(pre="SELECT id, name FROM users WHERE id < 4 AND :batch(id)", repeatable="yes",
                            change="UPDATE users SET id = id + 1000 WHERE id < 4 AND :batch(id) RETURNING id, id - 1000 AS"
                                   " was_id, name")
                self.assertEqual(self.counts(self.run_ok(*flags)), {"updated": 3})
                self.assertEqual(self.changes()["1"], ("updated", {"id": 1, "name": None}, {"id": 1001, "name": None}))
                self.assertEqual(self.ledger("SELECT identifier, new_identifier FROM changes WHERE run_id = ? ORDER BY 1",
                                             self.last_run()),
                                 [("1", "1001"), ("2", "1002"), ("3", "1003")])
                for key in ("1", "1001"):
                    (entry,) = self.tool("history", "--identifier", key, "--json").json[-1:]
                    self.assertEqual((entry["identifier"], entry["new_identifier"], entry["action"]),
                                     ("1", "1001", "updated"))
                self.database.execute("UPDATE users SET id = id - 1000 WHERE id > 1000")

    def test_a_derived_post_has_the_columns_of_pre_that_the_table_has(self):
        self.define(pre="SELECT id, name, length(note) AS size, note FROM users WHERE name IS NULL AND :batch(id)")
        printed = self.run_ok()
        self.assertEqual(self.csv(printed["csv"]["post"])[0], ["id", "name", "note"])
        self.assertEqual(self.csv(printed["csv"]["post"])[1][0], ["1", "filled", "note 1"])

    def test_post_may_read_more_than_pre(self):
        self.define(post="SELECT id, name, note FROM users WHERE :affected(id)")
        self.run_ok()
        self.assertEqual(self.changes()["1"],
                         ("updated", {"id": 1, "name": None}, {"id": 1, "name": "filled", "note": "note 1"}))

    def test_the_image_after_is_the_table_s_and_not_what_returning_said(self):
        self.after_trigger("users_note", "UPDATE",
                           "UPDATE users SET name = 'by trigger' WHERE id = NEW.id AND name <> 'by trigger'")
        self.define()
        printed = self.run_ok()
        self.assertEqual(self.changes()["1"][2], {"id": 1, "name": "by trigger"})
        self.assertEqual(self.csv(printed["csv"]["change"])[1][0], ["1", "filled"])
        self.assertEqual(self.csv(printed["csv"]["post"])[1][0], ["1", "by trigger"])


class EvidenceTests:
    def setUp(self):
        super().setUp()
        self.make_users()

    def test_keys_alone(self):
        self.define(evidence="keys")
        printed = self.run_ok()
        self.assertEqual(self.actions(), {"1": "updated", "2": "updated", "3": "updated"})
        self.assertNotIn("filled", str(self.changes()))
        self.assertEqual(self.csv(printed["csv"]["pre"]), (["id"], [["1"], ["2"], ["3"]]))
        self.assertEqual(printed["rows"]["updated"], 3)

    def test_counts_alone(self):
        self.define(evidence="counts")
        printed = self.run_ok()
        self.assertEqual(self.changes(), {})
        self.assertEqual(self.ledger("SELECT updated, rows_pre FROM batches"), [(3, 3)])
        self.assertEqual((printed["rows"]["updated"], printed["csv"]["pre"]), (3, None))
        self.assertEqual([file for file in self.csv_files() if file.endswith(".csv")], [])

    def test_values_of_a_column_that_is_not_selected_are_nowhere(self):
        self.define()
        self.run_ok()
        for folder, _, files in os.walk(self.path("audit-csv")):
            for file in files:
                with open(os.path.join(folder, file), "rb") as content:
                    self.assertNotIn(b"note", content.read())


class OutcomeOnSqlite(OutcomeTests, SqliteCase):
    def test_replace_inserts_and_updates(self):
        self.define(pre="SELECT id, name FROM users WHERE id = 5 AND :batch(id)",
                    change="REPLACE INTO users (id, name) VALUES (5, 'five'), (6, 'six') RETURNING id, name")
        printed = self.run_ok()
        self.assertEqual(self.actions(), {"5": "updated", "6": "inserted"})
        self.assertEqual(printed["collateral"], [])


class OutcomeOnPostgres(OutcomeTests, PostgresCase):
    def test_a_deferred_trigger_acts_before_the_image_is_taken(self):
        self.database.execute("""
            CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE users SET note = 'deferred' WHERE id = NEW.id AND note <> 'deferred';
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION late();""")
        self.define(pre="SELECT id, name, note FROM users WHERE name IS NULL AND :batch(id)")
        self.run_ok()
        self.assertEqual(self.changes()["1"],
                         ("updated", {"id": 1, "name": None, "note": "note 1"},
                          {"id": 1, "name": "filled", "note": "deferred"}))

    def test_a_deferred_constraint_is_refused_before_commit(self):
        self.database.execute("CREATE TABLE keys (id integer PRIMARY KEY); INSERT INTO keys VALUES (1), (2);"
                              "CREATE TABLE uses (id integer PRIMARY KEY, key_id integer REFERENCES keys DEFERRABLE"
                              " INITIALLY DEFERRED);"
                              "INSERT INTO uses VALUES (1, 1), (2, 2)")
        self.define(table="keys", pre="SELECT id FROM keys WHERE id = 1 AND :batch(id)",
                    change="DELETE FROM keys WHERE id = 1 AND :batch(id) RETURNING id")
        result = self.tool("run", "fill")
        self.assertEqual(result.code, 1, result)
        self.assertIn("violates foreign key constraint", result.err)
        self.assertEqual((self.column("SELECT count(*) FROM keys"), self.evidence_rows(), self.csv_files()),
                         (["2"], [(0, 0)], []))

    def test_rows_identified_by_ctid_may_be_deleted_and_not_updated(self):
        self.database.execute("CREATE TABLE doubles (v text); INSERT INTO doubles VALUES ('a'), ('a'), ('b')")
        pre = ("SELECT ctid, v FROM doubles d"
               " WHERE EXISTS (SELECT FROM doubles o WHERE o.v = d.v AND o.ctid < d.ctid) AND :batch(ctid)")
        self.define(table="doubles", identifier="ctid", pre=pre,
                    change="UPDATE doubles SET v = 'x' WHERE :batch(ctid) RETURNING ctid, v",
                    post="SELECT ctid, v FROM doubles WHERE :affected(ctid)")
        self.refused(2, "ctid", "UPDATE")
        self.define(table="doubles", identifier="ctid", pre=pre, post="SELECT ctid, v FROM doubles WHERE :affected(ctid)",
                    change="DELETE FROM doubles d WHERE EXISTS (SELECT FROM doubles o WHERE o.v = d.v AND o.ctid < d.ctid)"
                           " AND :batch(ctid) RETURNING ctid, v")
        self.run_ok()
        self.assertEqual(self.actions(), {"(0,2)": "deleted"})

    def test_a_row_that_moves_to_another_partition_is_updated(self):
        self.database.execute("""
            CREATE TABLE parts (id integer, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
            CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
            CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
            INSERT INTO parts VALUES (1, 'a'), (2, 'a'), (3, 'b');""")
        self.define(table="parts", pre="SELECT id, region FROM parts WHERE region = 'a' AND :batch(id)",
                    change="UPDATE parts SET region = 'b' WHERE region = 'a' AND :batch(id) RETURNING id, region")
        printed = self.run_ok()
        self.assertEqual((printed["rows"]["updated"], printed["collateral"]), (2, []))


class EvidenceOnSqlite(EvidenceTests, SqliteCase):
    pass


class EvidenceOnPostgres(EvidenceTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
