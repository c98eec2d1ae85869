"""Rows beside those of the set: counted where triggers and cascades change them, kept where they are watched."""

import os
import unittest

from support import PostgresCase, SqliteCase, small

FAMILY = """
    CREATE TABLE artists (id integer PRIMARY KEY, name text);
    CREATE TABLE songs (id integer PRIMARY KEY, artist_id integer REFERENCES artists (id) ON DELETE CASCADE, title text);
    INSERT INTO artists VALUES (1, 'one'), (2, 'two'), (3, 'three');
    INSERT INTO songs VALUES (10, 1, 'a'), (11, 1, 'b'), (20, 2, 'c'), (30, 3, 'd');"""
DELETE_ARTISTS = {
    "table": "artists",
    "pre": "SELECT id, name FROM artists WHERE id < 3 AND :batch(id)",
    "change": "DELETE FROM artists WHERE id < 3 AND :batch(id) RETURNING id, name",
}
WATCH_SONGS = """
-- audit:watch songs
-- identifier: id
SELECT id, artist_id, title FROM songs WHERE artist_id IN (SELECT id FROM artists WHERE id < 3 AND :batch(id))
"""


class CollateralTests:
    def test_rows_that_a_trigger_writes_are_counted(self):
        self.make_users()
        self.database.execute("CREATE TABLE log (id integer, what text)")
        self.after_trigger("users_log", "UPDATE", "INSERT INTO log VALUES (NEW.id, 'updated'), (NEW.id, 'again')")
        self.define()
        result = self.tool("run", "fill")
        self.assertRegex(result.out, r"besides \S*log: 6 inserted, 0 updated, 0 deleted")
        self.assertEqual(self.ledger("SELECT step, batch, inserted, updated, deleted FROM collateral"), [(1, "1", 6, 0, 0)])

    def test_rows_that_a_cascade_deletes_are_counted(self):
        self.database.execute(FAMILY)
        self.define(**DELETE_ARTISTS)
        (table,) = self.run_ok()["collateral"]
        self.assertEqual(table["table"].split(".")[-1], "songs")
        self.assertEqual((table["inserted"], table["updated"], table["deleted"]), (0, 0, 3))

    def test_they_are_summed_over_batches(self):
        self.database.execute(FAMILY)
        self.define(**DELETE_ARTISTS)
        printed = self.run_ok(*small(1))
        self.assertEqual([(table["deleted"]) for table in printed["collateral"]], [3])
        self.assertEqual(self.ledger("SELECT batch, deleted FROM collateral ORDER BY batch"), [("1", 2), ("2", 1)])
        self.assertIn("songs", self.tool("show", "1").out)

    def test_rows_of_the_same_table_that_a_trigger_changes_are_counted(self):
        self.make_users()
        self.after_trigger("users_five", "UPDATE", "UPDATE users SET note = 'x' WHERE id = 5 AND NEW.id = 1")
        self.define()
        (table,) = self.run_ok()["collateral"]
        self.assertEqual((table["table"].split(".")[-1], table["updated"]), ("users", 1))

    def test_a_change_without_any_has_none(self):
        self.make_users()
        self.define()
        self.assertEqual(self.run_ok()["collateral"], [])


class WatchTests:
    def watched(self, *flags):
        self.database.execute(FAMILY)
        self.define(**DELETE_ARTISTS, tail=WATCH_SONGS)
        return self.run_ok(*flags)

    def check_watched(self, printed):
        self.assertEqual(printed["collateral"], [])
        self.assertEqual(self.actions(1), {"1": "deleted", "2": "deleted"})
        self.assertEqual(self.changes(2), {"10": ("deleted", {"id": 10, "artist_id": 1, "title": "a"}, None),
                                           "11": ("deleted", {"id": 11, "artist_id": 1, "title": "b"}, None),
                                           "20": ("deleted", {"id": 20, "artist_id": 2, "title": "c"}, None)})
        self.assertEqual(self.ledger("SELECT step, table_name, watch_of FROM steps ORDER BY step"),
                         [(1, "artists", None), (2, "songs", 1)])

    def test_the_rows_that_a_cascade_deletes_are_kept(self):
        printed = self.watched()
        self.check_watched(printed)
        names = {os.path.basename(file) for file in self.csv_files() if "watch" in file}
        self.assertEqual(names, {f"2_watch_songs.{part}.csv" for part in ("pre", "post", "diff")})
        folder = printed["csv_directory"]
        self.assertEqual(self.csv(f"{folder}/2_watch_songs.pre.csv"),
                         (["id", "artist_id", "title"], [["10", "1", "a"], ["11", "1", "b"], ["20", "2", "c"]]))

    def test_so_are_those_of_batches(self):
        self.check_watched(self.watched(*small(1)))

    def test_a_row_of_a_watched_table_has_a_history(self):
        self.watched()
        (entry,) = self.tool("history", "--table", "songs", "--identifier", "11", "--json").json
        self.assertEqual((entry["table"], entry["action"], entry["before"]),
                         ("songs", "deleted", {"id": 11, "artist_id": 1, "title": "b"}))

    def test_a_watched_table_that_the_change_fills(self):
        self.make_users()
        self.database.execute("CREATE TABLE log (id integer PRIMARY KEY, what text); INSERT INTO log VALUES (3, 'old')")
        self.after_trigger("users_log", "UPDATE",
                           "INSERT INTO log VALUES (NEW.id, 'x') ON CONFLICT (id) DO UPDATE SET what = 'new'")
        self.define(tail="\n-- audit:watch log\n-- identifier: id\nSELECT id, what FROM log WHERE id < 4\n")
        printed = self.run_ok()
        self.assertEqual(self.changes(2),
                         {"1": ("inserted", None, {"id": 1, "what": "x"}), "2": ("inserted", None, {"id": 2, "what": "x"}),
                                           "3": ("updated", {"id": 3, "what": "old"}, {"id": 3, "what": "new"})})
        self.assertEqual(printed["collateral"], [])


class ReturningNoneTests:
    def test_a_delete_without_returning(self):
        self.make_users()
        self.define(returning="none", change="DELETE FROM users WHERE name IS NULL AND :batch(id)")
        for flags in (["--dry-run"], small(1)):
            with self.subTest(flags=flags):
                printed = self.run_ok(*flags)
                self.assertEqual((printed["rows"]["deleted"], printed["collateral"]), (3, []))
        self.assertEqual(self.changes()["1"], ("deleted", {"id": 1, "name": None}, None))

    def test_an_update_without_returning(self):
        self.make_users()
        self.define(returning="none", change="UPDATE users SET name = 'x' WHERE id < 3 AND :batch(id)")
        printed = self.run_ok()
        self.assertEqual((printed["rows"]["updated"], printed["rows"]["unchanged"]), (2, 1))

    def test_a_change_of_more_than_pre_is_refused(self):
        self.make_users()
        self.define(returning="none", change="DELETE FROM users")
        self.refused(1, "`returning: none`", "users: 2 deleted", "widen pre")

    def test_a_change_of_another_table_is_refused(self):
        self.database.execute(FAMILY)
        self.define(**{**DELETE_ARTISTS, "returning": "none", "change": "DELETE FROM artists WHERE id < 3 AND :batch(id)"})
        self.refused(1, "`returning: none`", "songs: 3 deleted", "audit:watch")

    def test_another_table_may_be_watched(self):
        self.database.execute(FAMILY)
        self.define(**{**DELETE_ARTISTS, "returning": "none", "change": "DELETE FROM artists WHERE id < 3 AND :batch(id)"},
                    tail=WATCH_SONGS)
        self.run_ok()
        self.assertEqual((len(self.actions(1)), len(self.actions(2))), (2, 3))


class ForeignKeyTests(SqliteCase):
    """SQLite does not enforce them by itself."""

    def setUp(self):
        super().setUp()
        self.database.execute(FAMILY.replace(" ON DELETE CASCADE", ""))

    def test_orphans_are_refused(self):
        self.define(**DELETE_ARTISTS)
        self.refused(1, "FOREIGN KEY constraint failed")

    def test_a_deferred_key_is_refused_as_well(self):
        self.database.execute("DROP TABLE songs; CREATE TABLE songs (id integer PRIMARY KEY, artist_id integer REFERENCES"
                              " artists DEFERRABLE INITIALLY DEFERRED);"
                              "INSERT INTO songs VALUES (10, 1)")
        self.define(**DELETE_ARTISTS)
        self.refused(1, "FOREIGN KEY constraint failed", "foreign_key_check")

    def test_they_stay_where_the_definition_says_off(self):
        self.define(**DELETE_ARTISTS, foreign_keys="off")
        self.assertEqual(self.run_ok()["rows"]["deleted"], 2)
        self.assertEqual(self.column("SELECT count(*) FROM songs WHERE artist_id NOT IN (SELECT id FROM artists)"), ["3"])

    def test_on_is_what_it_is_without_the_header(self):
        self.define(**DELETE_ARTISTS, foreign_keys="on")
        self.refused(1, "FOREIGN KEY constraint failed")


class CollateralOnSqlite(CollateralTests, SqliteCase):
    pass


class CollateralOnPostgres(CollateralTests, PostgresCase):
    pass


class WatchOnSqlite(WatchTests, SqliteCase):
    pass


class WatchOnPostgres(WatchTests, PostgresCase):
    def test_the_second_table_of_one_statement(self):
        self.database.execute(FAMILY)
        self.define(table="artists", pre="SELECT id, name FROM artists WHERE id = 2", transaction="single",
                    change="WITH s AS (UPDATE songs SET title = 'of ' || artist_id WHERE artist_id = 2 RETURNING id)"
                           " UPDATE artists SET name = 'x' WHERE id = 2 RETURNING id, name",
                    tail="\n-- audit:watch songs\n-- identifier: id\nSELECT id, title FROM songs WHERE artist_id = 2\n")
        self.assertEqual(self.run_ok()["collateral"], [])
        self.assertEqual(self.changes(2), {"20": ("updated", {"id": 20, "title": "c"}, {"id": 20, "title": "of 2"})})


class ReturningNoneOnSqlite(ReturningNoneTests, SqliteCase):
    pass


class ReturningNoneOnPostgres(ReturningNoneTests, PostgresCase):
    def test_a_truncate(self):
        self.make_users()
        self.define(returning="none", pre="SELECT id, name FROM users", change="TRUNCATE users", transaction="single")
        printed = self.run_ok()
        self.assertEqual(printed["rows"]["deleted"], 5)
        self.assertEqual(self.changes()["5"], ("deleted", {"id": 5, "name": "user 5"}, None))
        self.assertEqual(self.column("SELECT count(*) FROM users"), ["0"])

    def test_a_truncate_of_another_table_is_refused(self):
        self.make_users()
        self.database.execute("CREATE TABLE other (id integer); INSERT INTO other VALUES (1), (2)")
        self.define(returning="none", pre="SELECT id, name FROM users", change="TRUNCATE users, other",
                    transaction="single")
        self.refused(1, "`returning: none`", "other")

    def test_a_do_block(self):
        self.make_users()
        self.define(returning="none", transaction="single",
                    change="DO $$ BEGIN UPDATE users SET name = 'done' WHERE name IS NULL; END $$")
        self.assertEqual(self.run_ok()["rows"]["updated"], 3)


if __name__ == "__main__":
    unittest.main()
