"""Values come out as they are: in the ledger, in the CSVs, in the history."""

import json
import unittest

from support import PostgresCase, SqliteCase, small

AWKWARD = {
    "null": None, "empty": "", "blank": " ", "edges": " a ", "quote": 'say "a"', "apostrophe": "it's", "comma": "a,b",
    "lines": "one\ntwo", "crlf": "one\r\ntwo",
    "return": "a\rb", "tab": "a\tb", "backslash": "a\\b\\n", "copy null": "\\N", "word null": "NULL",
    "json": '{"a": [1, "x", null]}', "macro": ":batch(id) ::text $1 ?",
    "comment": "-- x /* y */ ;", "unicode": "Zoë Çelik 日本語", "emoji": "👩‍👩‍👧 🇪🇺", "combining": "e\u0301",
    "right to left": "שלום", "control": "\x01\x1b[2J\x7f", "long": "x" * 100_000,
}


class TextTests:
    """One row a value; the change appends to each, so that the value stands before and its twin after."""

    def setUp(self):
        super().setUp()
        rows = ",".join(f"({number}, '{name}', {self.literal(value)})" for number,
                        (name, value) in enumerate(AWKWARD.items(), 1))
        self.database.execute(f"CREATE TABLE texts (id integer PRIMARY KEY, name text, v text); "
                              f"INSERT INTO texts VALUES {rows}")
        self.define(table="texts", pre="SELECT id, v FROM texts WHERE :batch(id)",
                    change="UPDATE texts SET v = coalesce(v, 'was null') || '!' WHERE :batch(id) RETURNING id, v")

    def literal(self, value):
        return "NULL" if value is None else "'" + value.replace("'", "''") + "'"

    def expected(self):
        return [(str(number), value, "was null!" if value is None else value + "!") for number,
                value in enumerate(AWKWARD.values(), 1)]

    def check(self, printed):
        self.assertEqual(self.csv(printed["csv"]["pre"])[1], [[key, before] for key, before, _ in self.expected()])
        self.assertEqual(self.csv(printed["csv"]["change"])[1], [[key, after] for key, _, after in self.expected()])
        self.assertEqual(self.csv(printed["csv"]["post"])[1], [[key, after] for key, _, after in self.expected()])
        self.assertEqual(self.csv(printed["csv"]["diff"])[1],
                         [[key, "updated", "v", before, after] for key, before, after in self.expected()])
        images = {key: (before["v"], after["v"]) for key, (_, before, after) in self.changes().items()}
        self.assertEqual(images, {key: (before, after) for key, before, after in self.expected()})

    def test_in_one_transaction(self):
        self.check(self.run_ok())

    def test_in_batches(self):
        self.check(self.run_ok(*small(4)))

    def test_in_batches_by_key_list(self):
        self.define(table="texts", pre="SELECT id, v FROM texts",
                    change="UPDATE texts SET v = coalesce(v, 'was null') || '!' WHERE :affected(id) RETURNING id, v")
        self.check(self.run_ok(*small(4)))

    def test_in_the_history(self):
        self.run_ok()
        for key, before, after in self.expected():
            (entry,) = self.tool("history", "--identifier", key, "--json").json
            self.assertEqual((entry["before"]["v"], entry["after"]["v"]), (before, after))

    def test_null_is_an_empty_field_and_the_empty_text_is_quoted(self):
        pre = self.run_ok()["csv"]["pre"]
        with open(self.path(pre), "rb") as file:
            lines = file.read().split(b"\r\n")
        self.assertEqual(lines[:3], [b"id,v", b"1,", b'2,""'])

    def test_only_the_value_that_differs_is_in_the_diff(self):
        self.define(table="texts", pre="SELECT id, name, v FROM texts WHERE :batch(id)",
                    change="UPDATE texts SET v = '' WHERE :batch(id) RETURNING id, name, v")
        printed = self.run_ok()
        self.assertEqual(printed["rows"]["unchanged"], 1)  # NULL is not the empty text
        self.assertEqual({row[2] for row in self.csv(printed["csv"]["diff"])[1]}, {"v"})
        self.assertEqual(self.csv(printed["csv"]["diff"])[1][0], ["1", "updated", "v", None, ""])


class TextOnSqlite(TextTests, SqliteCase):
    pass


class TextOnPostgres(TextTests, PostgresCase):
    pass


class PostgresValueTests(PostgresCase):
    def check(self, type_name, before, change, after, setting=""):
        """A column of a type; literals and an expression in SQL, texts as they have to come out."""
        self.database.execute(f"{setting} DROP TABLE IF EXISTS vals; "
                              f"CREATE TABLE vals (id integer PRIMARY KEY, v {type_name}); "
                              f"INSERT INTO vals VALUES (1, {before[0]})")
        self.define(table="vals", pre="SELECT id, v FROM vals WHERE :batch(id)",
                    change=f"UPDATE vals SET v = {change} WHERE :batch(id) RETURNING id, v")
        printed = self.run_ok("--again")
        images = [image["v"] for image in self.changes()["1"][1:]]
        self.assertEqual([value if isinstance(value, str) else json.dumps(value) for value in images], [before[1], after])
        self.assertEqual([self.csv(printed["csv"][name])[1][0][1] for name in ("pre", "post")],
                         [before[2] if len(before) > 2 else before[1], self.in_csv(after)])

    def in_csv(self, text):
        return {"true": "t", "false": "f"}.get(text, text)

    def test_numbers_with_all_their_digits(self):
        self.check("numeric",
                   ("12345678901234567890.123456789012345678901234567890",
                    "12345678901234567890.123456789012345678901234567890"), "v + 1e-30",
                   "12345678901234567890.123456789012345678901234567891")
        self.check("numeric", ("1.2300", "1.2300"), "'NaN'", "NaN")
        self.check("bigint", ("9223372036854775807", "9223372036854775807"), "-9223372036854775807 - 1",
                   "-9223372036854775808")
        self.check("double precision", ("0.1", "0.1"), "0.1::float8 + 0.2", "0.30000000000000004")
        self.check("double precision", ("'-0'", "-0"), "'Infinity'", "Infinity")
        self.check("real", ("16777217", "1.6777216e+07"), "0.1", "0.1")
        self.check("money", ("'12.5'", "$12.50"), "'-1'", "-$1.00")

    def test_trailing_zeros_are_a_difference(self):
        self.check("numeric", ("1.0", "1.0"), "1.00", "1.00")

    def test_booleans(self):
        self.check("boolean", ("true", "true", "t"), "NOT v", "false")

    def test_bytes(self):
        self.check("bytea", ("'\\x00ff10'", "\\x00ff10"), "v || '\\x41'", "\\x00ff1041")
        self.check("bytea", ("''", "\\x"), "'\\xdeadbeef'", "\\xdeadbeef")

    def test_bytes_where_the_database_shows_them_escaped(self):
        self.database.execute(f"ALTER DATABASE {self.database.name} SET bytea_output = escape")
        self.check("bytea", ("'\\x005cff'", "\\x005cff"), "v || '\\x41'", "\\x005cff41")

    def test_moments_are_shown_in_utc_and_meant_in_the_database_s_zone(self):
        self.database.execute(f"ALTER DATABASE {self.database.name} SET TimeZone = 'Europe/Berlin'")
        self.check("timestamptz", ("'2026-01-01 00:30:00.123456'", "2025-12-31 23:30:00.123456+00"), "date_trunc('day', v)",
                   "2025-12-31 23:00:00+00")
        self.check("timestamptz", ("'2026-07-01 12:00'", "2026-07-01 10:00:00+00"), "'infinity'", "infinity")
        self.check("timestamp", ("'2026-07-01 12:00'", "2026-07-01 12:00:00"), "v + interval '1 hour'",
                   "2026-07-01 13:00:00")
        self.check("date", ("('2025-12-31 23:30+00'::timestamptz)::date", "2026-01-01"),
                   "('2025-06-30 22:30+00'::timestamptz)::date", "2025-07-01")
        self.check("timestamptz[]", ("ARRAY['2026-01-01 00:30', NULL]::timestamptz[]", '{"2025-12-31 23:30:00+00",NULL}'),
                   "'{}'", "{}")

    def test_a_date_style_that_others_cannot_read(self):
        self.database.execute(f"ALTER DATABASE {self.database.name} SET DateStyle = 'German'")
        self.check("date", ("DATE '2026-02-01'", "2026-02-01"), "v + 1", "2026-02-02")

    def test_json(self):
        self.check("json", ("""'{"b":1,  "a":1.0, "a":2}'""", '{"b":1,  "a":1.0, "a":2}'), """'{"b":1}'""", '{"b":1}')
        self.check("jsonb", ("""'{"b":1.10, "a":[1,  null]}'""", '{"a": [1, null], "b": 1.10}'),
                   "v || '{\"n\": 12345678901234567890.5}'",
                   '{"a": [1, null], "b": 1.10, "n": 12345678901234567890.5}')

    def test_other_types(self):
        self.check("text[]", ("""ARRAY['a,b', 'say "x"', NULL, '']""", '{"a,b","say \\"x\\"",NULL,""}'), "'{}'", "{}")
        self.check("int4range", ("'[1,5)'", "[1,5)"), "'empty'", "empty")
        self.check("interval", ("'1 day 2 hours'", "1 day 02:00:00"), "'1 year'", "1 year")
        self.check("point", ("'(1,2)'", "(1,2)"), "'(0.1,3)'", "(0.1,3)")
        self.check("bit(3)", ("B'101'", "101"), "B'001'", "001")
        self.check("char(4)", ("'ab'", "ab  "), "'abc'", "abc ")

    def test_an_equal_value_that_is_written_otherwise_is_a_change(self):
        self.database.execute("CREATE EXTENSION IF NOT EXISTS citext; "
                              "CREATE TABLE words (id integer PRIMARY KEY, v citext); INSERT INTO words VALUES (1, 'ABC')")
        self.define(table="words", pre="SELECT id, v FROM words WHERE :batch(id)",
                    change="UPDATE words SET v = 'abc' WHERE :batch(id) RETURNING id, v")
        self.assertEqual(self.run_ok()["rows"]["updated"], 1)

    def test_names_that_need_quotes(self):
        self.database.execute('CREATE SCHEMA "My App"; '
                              'CREATE TABLE "My App"."User" ("Note Id" integer PRIMARY KEY, "say ""x""" text); '
                              'INSERT INTO "My App"."User" VALUES (1, NULL)')
        self.define(table='"My App"."User"', identifier='"Note Id"',
                    pre='SELECT "Note Id", "say ""x""" FROM "My App"."User" WHERE :batch("Note Id")',
                    change='UPDATE "My App"."User" SET "say ""x""" = 5 WHERE :batch("Note Id") RETURNING "Note Id", "say'
                           ' ""x"""')
        printed = self.run_ok("--batch-threshold", "0")
        self.assertEqual(self.changes()["1"], ("updated", {"Note Id": 1, 'say "x"': None}, {"Note Id": 1, 'say "x"': "5"}))
        self.assertEqual(self.csv(printed["csv"]["post"]), (["Note Id", 'say "x"'], [["1", "5"]]))


class SqliteValueTests(SqliteCase):
    def images(self, before, change):
        """Raw JSON texts of a value before and after, and its cells in pre.csv and post.csv."""
        self.database.execute(f"DROP TABLE IF EXISTS vals; CREATE TABLE vals (id integer PRIMARY KEY, v); "
                              f"INSERT INTO vals VALUES (1, {before})")
        self.define(table="vals", pre="SELECT id, v FROM vals WHERE :batch(id)",
                    change=f"UPDATE vals SET v = {change} WHERE :batch(id) RETURNING id, v")
        printed = self.run_ok("--again")
        ((before, after),) = self.ledger("SELECT before, after FROM changes WHERE run_id = ?", printed["run"])
        cells = [self.csv(printed["csv"][name])[1][0][1] for name in ("pre", "post")]
        return before, after, *cells

    def check(self, before, before_json, before_cell, after, after_json, after_cell):
        self.assertEqual(self.images(before, after),
                         ('{"id":1,"v":%s}' % before_json, '{"id":1,"v":%s}' % after_json, before_cell, after_cell))

    def test_integers_of_64_bits(self):
        self.check("9223372036854775807", "9223372036854775807", "9223372036854775807", "-9223372036854775808",
                   "-9223372036854775808", "-9223372036854775808")
        self.check("9007199254740993", "9007199254740993", "9007199254740993", "0", "0", "0")

    def test_reals_of_17_digits(self):
        self.check("0.1", "0.10000000000000001", "0.10000000000000001", "0.1 + 0.2", "0.30000000000000004",
                   "0.30000000000000004")
        self.check("1e300", "1.0000000000000001e+300", "1.0000000000000001e+300", "5e-324", "4.9406564584124654e-324",
                   "4.9406564584124654e-324")
        self.check("1.0", "1.0", "1.0", "9e999", '{"$real":"inf"}', "inf")

    def test_the_type_is_part_of_the_value(self):
        self.check("1", "1", "1", "'1'", '"1"', "1")
        self.check("1", "1", "1", "1.0", "1.0", "1.0")
        self.check("'a'", '"a"', "a", "x'61'", '{"$blob":"61"}', "\\x61")

    def test_blobs(self):
        self.check("x'00ff'", '{"$blob":"00ff"}', "\\x00ff", "x''", '{"$blob":""}', "\\x")
        self.check("zeroblob(3)", '{"$blob":"000000"}', "\\x000000", "NULL", "null", None)

    def test_text_that_is_none(self):
        self.check("CAST(x'61ff' AS text)", '{"$text":"61ff"}', "\\x61ff", "'a' || char(0) || 'b'", '{"$text":"610062"}',
                   "\\x610062")

    def test_names_that_need_quotes(self):
        self.database.execute('CREATE TABLE `my users` ([note id] integer PRIMARY KEY, "say ""x""" text); '
                              'INSERT INTO "my users" VALUES (1, NULL)')
        self.define(table="`my users`", identifier="[note id]",
                    pre='SELECT [note id], "say ""x""" FROM `my users` WHERE :batch([note id])',
                    change='UPDATE "my users" SET "say ""x""" = 5 WHERE :batch("note id") RETURNING [note id], "say ""x"""')
        self.run_ok("--batch-threshold", "0")
        self.assertEqual(self.changes()["1"], ("updated", {"note id": 1, 'say "x"': None}, {"note id": 1, 'say "x"': "5"}))


if __name__ == "__main__":
    unittest.main()
