"""Taking over what other tools have run: their tables as they make them, and what of them is marked as done."""

import os
import unittest

from support import PostgresCase, SqliteCase, VERSION

# as the tools themselves make their tables: Rails' migrations of the gems, Flyway's and sqitch's own SQL
RAILS_SQLITE = {
    "data_migrate": 'CREATE TABLE "data_migrations" ("version" varchar NOT NULL PRIMARY KEY)',
    "monarch": 'CREATE TABLE "data_migration_records" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "version" varchar'
               ' NOT NULL, "created_at" datetime(6) NOT NULL, "updated_at" datetime(6) NOT NULL);'
               'CREATE UNIQUE INDEX "index_data_migration_records_on_version" ON "data_migration_records" ("version")',
    "rails-async": 'CREATE TABLE "async_schema_migrations" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "version"'
                   ' varchar, "direction" varchar, "state" varchar, "created_at" datetime(6) NOT NULL, "updated_at"'
                   ' datetime(6) NOT NULL)',
}
RAILS_POSTGRES = {
    "data_migrate": 'CREATE TABLE "data_migrations" ("version" character varying NOT NULL PRIMARY KEY)',
    "monarch": 'CREATE TABLE "data_migration_records" ("id" bigserial primary key, "version" character varying NOT NULL,'
               ' "created_at" timestamp(6) NOT NULL, "updated_at" timestamp(6) NOT NULL);'
               'CREATE UNIQUE INDEX "index_data_migration_records_on_version" ON "data_migration_records" ("version")',
    "rails-async": 'CREATE TABLE "async_schema_migrations" ("id" bigserial primary key, "version" character varying,'
                   ' "direction" character varying, "state" character varying, "created_at" timestamp(6) NOT NULL,'
                   ' "updated_at" timestamp(6) NOT NULL)',
}
FLYWAY_SQLITE = """
CREATE TABLE "flyway_schema_history" (
    "installed_rank" INT NOT NULL PRIMARY KEY,
    "version" VARCHAR(50),
    "description" VARCHAR(200) NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "script" VARCHAR(1000) NOT NULL,
    "checksum" INT,
    "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
    "execution_time" INT NOT NULL,
    "success" BOOLEAN NOT NULL
);
CREATE INDEX "flyway_schema_history_s_idx" ON "flyway_schema_history" ("success")"""
FLYWAY_POSTGRES = """
CREATE TABLE "flyway_schema_history" (
    "installed_rank" INT NOT NULL,
    "version" VARCHAR(50),
    "description" VARCHAR(200) NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "script" VARCHAR(1000) NOT NULL,
    "checksum" INTEGER,
    "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TIMESTAMP NOT NULL DEFAULT now(),
    "execution_time" INTEGER NOT NULL,
    "success" BOOLEAN NOT NULL
);
ALTER TABLE "flyway_schema_history" ADD CONSTRAINT "flyway_schema_history_pk" PRIMARY KEY ("installed_rank");
CREATE INDEX "flyway_schema_history_s_idx" ON "flyway_schema_history" ("success")"""
SQITCH_CHANGES = """
CREATE TABLE {0}projects (
    project         TEXT        PRIMARY KEY,
    uri             TEXT            NULL UNIQUE,
    created_at      {1}  NOT NULL DEFAULT {2},
    creator_name    TEXT        NOT NULL,
    creator_email   TEXT        NOT NULL
);
CREATE TABLE {0}changes (
    change_id       TEXT        PRIMARY KEY,
    script_hash     TEXT            NULL,
    change          TEXT        NOT NULL,
    project         TEXT        NOT NULL REFERENCES {0}projects(project) ON UPDATE CASCADE,
    note            TEXT        NOT NULL DEFAULT '',
    committed_at    {1}    NOT NULL DEFAULT {2},
    committer_name  TEXT        NOT NULL,
    committer_email TEXT        NOT NULL,
    planned_at      {1}    NOT NULL,
    planner_name    TEXT        NOT NULL,
    planner_email   TEXT        NOT NULL,
    UNIQUE(project, script_hash)
);
INSERT INTO {0}projects (project, creator_name, creator_email) VALUES ('shop', 'Anna', 'anna@example.com')"""
OTHER = "20260202000000"
WITHOUT_FILE = "20250101000000"


class AdoptTests:
    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.define(name="second", version=OTHER)

    def adopt(self, tool, *flags, **variables):
        result = self.tool("adopt", "--from", tool, "--json", *flags, **variables)
        self.assertEqual((result.code, result.err), (0, ""), result)
        return result.json

    def states(self):
        return {line["version"]: line["state"] for line in self.tool("status", "--json").json["definitions"]}

    def marks(self):
        return self.database.rows("SELECT version, state, origin, reason FROM datachange_marks ORDER BY version")

    def left_out(self, printed):
        return {line["version"]: line["reason"] for line in printed["left_out"]}

    def insert_flyway(self, *rows):
        self.database.execute(self.flyway)
        for rank, (version, kind, success) in enumerate(rows, 1):
            script = f"V{version}__x.sql" if version else "R__views.sql"
            version = f"'{version}'" if version else "NULL"
            self.database.execute(
                f"INSERT INTO flyway_schema_history VALUES ({rank}, {version}, 'x', '{kind}', '{script}', 7, 'app',"
                f" '2026-03-01 10:00:00', 5, {success})")

    def test_data_migrate(self):
        self.database.execute(self.rails["data_migrate"])
        self.database.execute(f"INSERT INTO data_migrations VALUES ('{VERSION}'), ('{WITHOUT_FILE}'), ('17')")
        printed = self.adopt("data_migrate", "--operator", "bert")
        self.assertEqual([(line["version"], line["name"], line["kind"]) for line in printed["adopted"]],
                         [(WITHOUT_FILE, None, None), (VERSION, "fill", "data")])
        self.assertEqual((printed["with_file"], printed["known"], printed["dry_run"]), (1, [], False))
        self.assertEqual(self.left_out(printed), {"17": "is no version of 14 digits"})
        self.assertEqual(self.marks(), [(version, "done", "data_migrate", "stands in data_migrations")
                                        for version in (WITHOUT_FILE, VERSION)])
        # a version that never was one of this tool's is not missed here
        self.assertEqual(self.states(), {VERSION: "marked", OTHER: "pending"})
        self.refused(1, "is marked as done by bert", "stands in data_migrations")

    def test_twice_adds_nothing(self):
        self.database.execute(self.rails["data_migrate"])
        self.database.execute(f"INSERT INTO data_migrations VALUES ('{VERSION}')")
        self.adopt("data_migrate")
        marks, events = self.marks(), self.ledger("SELECT count(*) FROM version_events")
        printed = self.adopt("data_migrate")
        self.assertEqual((printed["adopted"], [line["version"] for line in printed["known"]]), ([], [VERSION]))
        self.assertEqual((self.marks(), self.ledger("SELECT count(*) FROM version_events")), (marks, events))

    def test_what_ran_here_or_is_marked_here_is_left_alone(self):
        self.run_ok()
        self.database.execute(self.rails["data_migrate"])
        self.database.execute(f"INSERT INTO data_migrations VALUES ('{VERSION}'), ('{OTHER}')")
        printed = self.adopt("data_migrate")
        self.assertEqual([line["version"] for line in printed["adopted"]], [OTHER])
        self.assertEqual(printed["known"], [{"version": VERSION, "reason": "has a run here"}])
        self.assertEqual(self.states(), {VERSION: "done", OTHER: "marked"})

    def test_dry_run_changes_nothing(self):
        self.database.execute(self.rails["data_migrate"])
        self.database.execute(f"INSERT INTO data_migrations VALUES ('{VERSION}')")
        printed = self.adopt("data_migrate", "--dry-run")
        self.assertEqual([line["version"] for line in printed["adopted"]], [VERSION])
        self.assertTrue(printed["dry_run"])
        self.assertFalse(self.has_journal())
        self.assertFalse(os.path.exists(self.path("datachange-ledger.db")))

    def test_the_ledger_has_the_counts_and_what_has_a_file(self):
        self.database.execute(self.rails["data_migrate"])
        self.database.execute(f"INSERT INTO data_migrations VALUES ('{VERSION}'), ('{WITHOUT_FILE}'), ('17')")
        self.adopt("data_migrate", "--operator", "bert")
        events = self.ledger("SELECT version, kind, detail, operator FROM version_events ORDER BY event_id")
        self.assertEqual(events, [
            ("", "adopted", "2 versions from data_migrate (data_migrations), 0 known already, 1 left out", "bert"),
            (VERSION, "adopted", "data_migrate: stands in data_migrations", "bert")])

    def test_monarch(self):
        self.database.execute(self.rails["monarch"])
        self.database.execute("INSERT INTO data_migration_records (version, created_at, updated_at) VALUES"
                              f" ('{VERSION}', '2026-03-01 10:00:00', '2026-03-01 10:00:00')")
        (adopted,) = self.adopt("monarch")["adopted"]
        self.assertEqual(adopted["version"], VERSION)
        self.assertIn("stands in data_migration_records since 2026-03-01", adopted["reason"])

    def test_rails_async_by_state_and_direction(self):
        self.database.execute(self.rails["rails-async"])
        rows = [(VERSION, "up", "done"), (OTHER, "up", "processing"), ("20260203000000", "up", "failed"),
                ("20260204000000", "up", "created"), ("20260205000000", "up", "pending"),
                ("20260206000000", "up", "done"), ("20260206000000", "down", "done"),
                ("20260207000000", "up", "done"), ("20260207000000", "down", "failed")]
        for row in rows:
            self.database.execute("INSERT INTO async_schema_migrations (version, direction, state, created_at, updated_at)"
                                  f" VALUES ('{row[0]}', '{row[1]}', '{row[2]}', '2026-03-01 10:00:00', '2026-03-01"
                                  f" 10:00:00')")
        printed = self.adopt("rails-async")
        self.assertEqual([line["version"] for line in printed["adopted"]], [VERSION])
        self.assertIn("up, done on 2026-03-01", printed["adopted"][0]["reason"])
        self.assertEqual(self.left_out(printed), {
            OTHER: "is processing", "20260203000000": "is failed", "20260204000000": "is created",
            "20260205000000": "is pending", "20260206000000": "was migrated down",
            "20260207000000": "its way down is failed"})
        self.assertEqual(self.states(), {VERSION: "marked", OTHER: "pending"})

    def test_flyway_goes_by_the_last_row_of_a_version(self):
        yes, no = self.booleans
        self.insert_flyway((VERSION, "SQL", yes), (OTHER, "SQL", yes), (OTHER, "UNDO_SQL", yes),
                           ("20260203000000", "SQL", no), ("20260204000000", "SQL", no), ("20260204000000", "JDBC", yes),
                           ("20260205000000", "SQL", yes), ("20260205000000", "DELETE", yes),
                           ("20260206000000", "BASELINE", yes), ("20260207000000", "UNDO_SQL", yes),
                           ("20260207000000", "SQL", yes), (None, "SQL", yes), (None, "SQL", yes), ("1.2", "SQL", yes))
        printed = self.adopt("flyway")
        self.assertEqual([line["version"] for line in printed["adopted"]], [VERSION, "20260204000000", "20260207000000"])
        self.assertIn(f"success, SQL V{VERSION}__x.sql, installed by app on 2026-03-01", printed["adopted"][0]["reason"])
        left_out = self.left_out(printed)
        for version, words in ((OTHER, "was undone on 2026-03-01"), ("20260203000000", "failed on 2026-03-01"),
                               ("20260205000000", "was marked as deleted by flyway repair"),
                               ("20260206000000", "is a baseline"), ("R__views.sql", "is repeatable"),
                               ("1.2", "is no version of 14 digits")):
            self.assertIn(words, left_out.pop(version))
        self.assertEqual(left_out, {})
        self.assertEqual(self.states(), {VERSION: "marked", OTHER: "pending"})

    def test_flyway_versions_in_parts_are_known_by_a_file(self):
        yes, _ = self.booleans
        self.insert_flyway(("2026.01.01.000000", "SQL", yes), ("2026.05.05.000000", "SQL", yes))
        printed = self.adopt("flyway")
        self.assertEqual([line["version"] for line in printed["adopted"]], [VERSION])
        self.assertEqual(self.left_out(printed), {"2026.05.05.000000": "is no version of 14 digits"})

    def test_schema_files_have_versions_too(self):
        yes, _ = self.booleans
        self.write("schema/20260303000000_add_plan.sql", "ALTER TABLE users ADD plan text;")
        self.insert_flyway(("20260303000000", "SQL", yes))
        (adopted,) = self.adopt("flyway", "--schema-dir", "schema")["adopted"]
        self.assertEqual((adopted["kind"], adopted["path"]), ("schema", "schema/20260303000000_add_plan.sql"))
        lines = self.tool("status", "--json", "--schema-dir", "schema").json["definitions"]
        self.assertEqual([(line["version"], line["kind"], line["state"]) for line in lines],
                         [(VERSION, "data", "pending"), (OTHER, "data", "pending"), ("20260303000000", "schema", "marked")])

    def test_another_table(self):
        self.database.execute("CREATE TABLE old_versions (version varchar(14))")
        self.database.execute(f"INSERT INTO old_versions VALUES ('{VERSION}')")
        printed = self.adopt("data_migrate", "--table", "old_versions")
        self.assertEqual((printed["table"], len(printed["adopted"])), ("old_versions", 1))

    def test_a_table_that_is_not_there_or_another_tools(self):
        result = self.tool("adopt", "--from", "flyway")
        self.assert_failed(result, 2, "there is no table flyway_schema_history", "--table")
        result = self.tool("adopt", "--from", "flyway", "--table", "users")
        self.assert_failed(result, 2, "users is no table of flyway: it has no column installed_rank")
        result = self.tool("adopt", "--from", "liquibase")
        self.assertEqual(result.code, 2, result)
        result = self.tool("adopt", "--from", "flyway", "--registry", "x")
        self.assert_failed(result, 2, "--registry is for --from sqitch alone")

    def test_sqitch_by_name(self):
        self.make_registry([("fill", "2026-03-01 10:00:00"), (f"{OTHER}_second", "2026-03-02 10:00:00"),
                            ("appschema", "2026-02-01 10:00:00"), ("twice", "2026-03-03 10:00:00")])
        self.define(name="twice", version="20260404000000")
        self.define(name="twice", version="20260405000000")
        printed = self.adopt("sqitch")
        self.assertEqual([(line["version"], line["name"]) for line in printed["adopted"]],
                         [(VERSION, "fill"), (OTHER, "second")])
        self.assertIn("change fill of project shop, deployed by Anna on 2026-03-01", printed["adopted"][0]["reason"])
        self.assertEqual(self.left_out(printed),
                         {"appschema": "no file here is named so", "twice": "2 files are named so"})

    def test_in_words(self):
        yes, no = self.booleans
        self.insert_flyway((VERSION, "SQL", yes), (WITHOUT_FILE, "SQL", yes), ("1.2", "SQL", no))
        result = self.tool("adopt", "--from", "flyway")
        self.assertEqual((result.code, result.err), (0, ""), result)
        self.assertIn("adopted 2 versions from flyway (flyway_schema_history) on ", result.out)
        self.assertIn(": 1 with a file here, 0 known already, 1 left out\n", result.out)
        self.assertRegex(result.out, rf"(?m)^  {VERSION}  audits/{VERSION}_fill.sql  success, SQL")
        self.assertRegex(result.out, rf"(?m)^  {WITHOUT_FILE}  -  +success, SQL")
        self.assertRegex(result.out, r"(?m)^  1.2 +failed on 2026-03-01")


class AdoptSqlite(AdoptTests, SqliteCase):
    rails, flyway, booleans = RAILS_SQLITE, FLYWAY_SQLITE, ("1", "0")

    def make_registry(self, changes, name="sqitch.db"):
        registry = self.new_database(name)
        registry.execute(SQITCH_CHANGES.format("", "DATETIME", "CURRENT_TIMESTAMP"))
        for change, at in changes:
            registry.execute("INSERT INTO changes VALUES (hex(randomblob(20)), hex(randomblob(20)), "
                             f"'{change}', 'shop', '', '{at}', 'Anna', 'a@example.com', '{at}', 'Anna', 'a@example.com')")

    def test_a_registry_elsewhere(self):
        self.make_registry([("fill", "2026-03-01 10:00:00")], "other-registry.db")
        result = self.tool("adopt", "--from", "sqitch")
        self.assert_failed(result, 2, "there is no registry of sqitch at", "sqitch.db", "--registry")
        printed = self.adopt("sqitch", "--registry", "other-registry.db")
        self.assertEqual([line["version"] for line in printed["adopted"]], [VERSION])


class AdoptPostgres(AdoptTests, PostgresCase):
    rails, flyway, booleans = RAILS_POSTGRES, FLYWAY_POSTGRES, ("true", "false")

    def make_registry(self, changes, name="sqitch"):
        self.database.execute(f"CREATE SCHEMA {name};" +
                              SQITCH_CHANGES.format(f"{name}.", "TIMESTAMPTZ", "clock_timestamp()"))
        for change, at in changes:
            self.database.execute(
                f"INSERT INTO {name}.changes VALUES (md5(random()::text), md5(random()::text), '{change}', 'shop', '',"
                f" '{at}', 'Anna', 'a@example.com', '{at}', 'Anna', 'a@example.com')")

    def test_a_registry_of_another_name(self):
        self.make_registry([("fill", "2026-03-01 10:00:00")], "deployments")
        printed = self.adopt("sqitch", "--registry", "deployments")
        self.assertEqual([line["version"] for line in printed["adopted"]], [VERSION])

    def test_a_version_that_is_a_number(self):
        # as some teams made the table by hand
        self.database.execute("CREATE TABLE async_schema_migrations (id serial, version bigint, direction text, state text)")
        self.database.execute(f"INSERT INTO async_schema_migrations (version, direction, state) VALUES ({VERSION}, 'up',"
                              " 'done')")
        self.assertEqual([line["version"] for line in self.adopt("rails-async")["adopted"]], [VERSION])


if __name__ == "__main__":
    unittest.main()
