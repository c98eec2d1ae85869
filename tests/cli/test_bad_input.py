"""Whatever is wrong with a command or a definition: it is said, with what to do, and nothing is changed."""

import json
import unittest

from support import FILL, PostgresCase, SqliteCase, definition_text


class CommandLineTests:
    def test_a_mistyped_dry_run_runs_nothing(self):
        self.make_users()
        self.define()
        self.refused(2, "--dry-rn", "did you mean --dry-run?", flags=["--dry-rn"])
        self.assertFalse(self.has_journal())

    def test_an_unknown_flag_in_front_of_the_definition_runs_nothing(self):
        self.make_users()
        self.define()
        with self.nothing_changes():
            result = self.tool("run", "--dry-rum", "fill")
        self.assert_failed(result, 2, "--dry-rum", "did you mean --dry-run?")

    def test_a_mistyped_flag_is_an_object_with_json(self):
        self.make_users()
        self.define()
        with self.nothing_changes():
            result = self.tool("run", "fill", "--json", "--dry-rn")
        self.assertEqual((result.code, result.out), (2, ""), result)
        error = json.loads(result.err)
        self.assertIn("--dry-rn", error["error"])
        self.assertIn("--dry-run", error["hint"])
        self.assertEqual(error["exit_status"], 2)

    def test_a_file_that_is_not_there(self):
        self.make_users()
        self.refused(2, "no such definition: audits/20260101000000_nothing.sql",
                     definition="audits/20260101000000_nothing.sql")

    def test_a_name_that_is_nearly_right(self):
        self.make_users()
        self.define()
        self.refused(2, "no such definition: fil", "did you mean fill?", definition="fil")

    def test_a_folder_of_definitions_that_is_not_there(self):
        self.make_users()
        self.refused(2, "no such folder of definitions: audits", "--dir")

    def test_a_file_that_is_not_named_like_a_definition(self):
        self.make_users()
        self.write("audits/fill.sql", definition_text())
        self.refused(2, "not named like a definition: audits/fill.sql", "14 digits", definition="audits/fill.sql")

    def test_two_files_of_one_version(self):
        self.make_users()
        self.define(name="fill")
        self.define(name="other")
        self.refused(2, "20260101000000")


class MistakeTests:
    """Mistakes that the file itself shows."""

    def mistake(self, place, *words, code=2, **parts):
        self.make_users()
        path = self.define(**parts)
        self.refused(code, f"{path}:{place}: error: ", *words)
        self.assertFalse(self.has_journal())

    def test_an_unknown_header_key(self):
        self.mistake("3:4", 'unknown header key "tickets"', "did you mean ticket?", tickets="OPS-1")

    def test_an_unknown_section(self):
        text = definition_text().replace("audit:pre", "audit:prre")
        self.mistake("4:1", 'unknown section "audit:prre"', "did you mean audit:pre?", text=text)

    def test_no_identifier(self):
        self.mistake("3:1", "the definition has no identifier", "-- identifier: id", identifier=None)

    def test_a_change_without_returning(self):
        change = "UPDATE users SET name = 'x' WHERE name IS NULL AND :batch(id)"
        self.mistake("8:1", "the UPDATE in audit:change has no RETURNING", "RETURNING id", change=change)

    def test_one_statement_of_several_without_returning(self):
        change = FILL["change"] + ";\nDELETE FROM users WHERE id = 3 AND :batch(id)"
        self.mistake("9:1", "the DELETE in audit:change has no RETURNING", change=change)

    def test_returning_without_the_identifier(self):
        change = "UPDATE users SET name = 'x' WHERE name IS NULL AND :batch(id) RETURNING name"
        self.mistake("8:1", "does not give the identifier column id", change=change)

    def test_pre_without_the_identifier(self):
        self.mistake("5:1", "pre does not give the identifier column id",
                     pre="SELECT name FROM users WHERE name IS NULL AND :batch(id)")

    def test_post_without_the_identifier(self):
        self.mistake("11:1", "post does not give the identifier column id",
                     post="SELECT name FROM users WHERE :affected(id)")

    def test_statements_that_end_the_transaction_or_change_the_session(self):
        self.make_users()
        for statement in ("COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT s", "END", "SET work_mem = '1GB'",
                          "PRAGMA foreign_keys = OFF",
                          "ATTACH 'other.db' AS other", "VACUUM"):
            with self.subTest(statement):
                path = self.define(change=f"{FILL['change']};\n{statement};\nDELETE FROM users RETURNING id")
                self.refused(2, f"{path}:9:1: error: {statement.split()[0]} is not allowed in a definition")
        self.assertFalse(self.has_journal())

    def test_sql_before_the_first_section(self):
        self.mistake("1:1", "SQL before the first section", text="DELETE FROM users;\n" + definition_text())

    def test_a_header_key_below_the_first_section(self):
        self.mistake("5:1", "header keys stand before the first section",
                     text=definition_text().replace("audit:pre\n", "audit:pre\n-- expect-rows: 1\n"))

    def test_bounds_that_are_none(self):
        self.mistake("3:17", "expect-rows gives no bounds: few", "1..5000", expect_rows="few")

    def test_a_pre_that_changes_data(self):
        self.mistake("5:1", "DELETE", pre="DELETE FROM users WHERE :batch(id) RETURNING id, name")

    def test_commands_of_psql(self):
        self.mistake("5:1", "psql commands are not supported",
                     text=definition_text().replace("SELECT id", "\\set x 1\nSELECT id"))

    def test_the_wrong_number_of_columns_in_a_macro(self):
        change = "UPDATE users SET name = 'x' WHERE name IS NULL AND :batch(id, name) RETURNING id, name"
        self.mistake("8:52", ":batch(id, name) has 2 arguments", "1 column", change=change)

    def test_a_value_that_cannot_be_kept_by_name(self):
        self.mistake("5:1", "two columns named name", pre="SELECT id, name, note AS name FROM users WHERE :batch(id)")


class CatalogTests:
    """Mistakes that the target's catalog shows."""

    def mistake(self, *words, **parts):
        self.make_users()
        path = self.define(**parts)
        self.refused(2, f"{path}:", *words)
        self.assertFalse(self.has_journal())

    def test_an_unknown_table_in_the_header(self):
        self.mistake("no such table: userz", "did you mean users?", table="userz")

    def test_an_unknown_table_in_pre(self):
        self.make_users()
        path = self.define(pre="SELECT id, name FROM userz WHERE :batch(id)")
        self.refused(2, f"{path}:5:1: error: ", "userz")

    def test_an_unknown_column_in_any_section(self):
        self.make_users()
        bad = {
            "change": ("8:1", "UPDATE users SET nmae = 'x' WHERE :batch(id) RETURNING id, name"),
            "post": ("11:1", "SELECT id, nmae FROM users WHERE :affected(id)"),
            "summary": ("11:1", "SELECT count(nmae) FROM users"),
            "verify": ("11:1", "SELECT id FROM users WHERE nmae IS NULL"),
        }
        for section, (place, sql) in bad.items():
            with self.subTest(section):
                path = self.define(**{section: sql})
                self.refused(2, f"{path}:{place}: error: ", "nmae")
        self.assertFalse(self.has_journal())

    def test_a_required_column_that_is_not_there(self):
        self.make_users()
        self.define(requires="users.name, users.email")
        self.refused(1, "the definition requires users.email, which is not there", "on-missing: skip")
        self.assertFalse(self.has_journal())


class CommandLineOnSqlite(CommandLineTests, SqliteCase):
    pass


class CommandLineOnPostgres(CommandLineTests, PostgresCase):
    pass


class MistakeOnSqlite(MistakeTests, SqliteCase):
    pass


class MistakeOnPostgres(MistakeTests, PostgresCase):
    pass


class CatalogOnSqlite(CatalogTests, SqliteCase):
    pass


class CatalogOnPostgres(CatalogTests, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
