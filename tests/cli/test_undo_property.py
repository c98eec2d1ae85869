"""Random tables, changed at random by the real tool and undone by it, are byte for byte what they were.

DATACHANGE_UNDO_SEED repeats one trial, DATACHANGE_UNDO_TRIALS says how many there are.
"""

import os
import random
import unittest

from support import PostgresCase, SqliteCase, small

TRIALS = int(os.environ.get("DATACHANGE_UNDO_TRIALS", "12"))
STRANGE = ["", " ", "a,b", '"quoted"', "it's", "new\nline", "tab\t", "\\N", "NULL", "{}", "[]", "é", "e\u0301", "日本", "🦊", "\u202e",
           "x" * 3000, "\\x00", "null", "1", "1.0", "t"]


def text_literal(text):
    return "'" + text.replace("'", "''") + "'"


class Table:
    """A random table: columns with what makes a random literal of them, and a key."""

    def __init__(self, rng, columns, keys, generated, suffix=""):
        self.rng = rng
        self.key_types = rng.choice(keys)
        self.key = [f"k{i}" for i in range(len(self.key_types))]
        chosen = rng.sample(sorted(columns), rng.randint(2, min(7, len(columns))))
        self.columns = {f"c{i}": (declared, columns[declared]) for i, declared in enumerate(chosen)}
        self.generated = generated if rng.random() < 0.5 else ""
        self.names = [*self.key, "pick", *self.columns, *(["g"] if self.generated else [])]
        keys_sql = [f"{name} {declared}" for name, (declared, _) in zip(self.key, self.key_types)]
        columns_sql = [f"{name} {declared}" for name, (declared, _) in self.columns.items()]
        self.ddl = (f"CREATE TABLE t ({', '.join([*keys_sql, 'pick integer', *columns_sql, *([self.generated] if self.generated else [])])},"
                    f" PRIMARY KEY ({', '.join(self.key)})){suffix};")
        self.numbers = iter(rng.sample(range(1, 100_000), 400))

    def new_key(self):
        number = next(self.numbers)
        return [make(self.rng, number) for _, make in self.key_types]

    def insert(self, rows):
        values = [f"({', '.join([*self.new_key(), str(self.rng.randint(0, 99)), *(self.value(name) for name in self.columns)])})"
                  for _ in range(rows)]
        return f"INSERT INTO t ({', '.join([*self.key, 'pick', *self.columns])}) VALUES {', '.join(values)}"

    def value(self, name):
        return "NULL" if self.rng.random() < 0.15 else self.columns[name][1](self.rng)

    def step(self, number, batched):
        """A step that changes rows at random; capturing all of every row that it may change."""
        batch = f" AND :batch({', '.join(self.key)})" if batched else ""
        returning = f" RETURNING {', '.join(self.key)}"
        statements, where = [], []
        for kind in self.rng.sample(["update", "update", "delete", "insert"], self.rng.randint(1, 4)):
            low = self.rng.randint(0, 99)
            condition = f"pick BETWEEN {low} AND {low + self.rng.randint(0, 40)}"
            if kind == "insert" and not batched:
                statements.append(self.insert(self.rng.randint(1, 8)) + returning)
                continue
            if kind == "update":
                some = self.rng.sample(sorted(self.columns), self.rng.randint(1, len(self.columns)))
                values = ", ".join(f"{name} = {self.value(name)}" for name in some)
                statements.append(f"UPDATE t SET {values} WHERE {condition}{batch}{returning}")
            else:
                statements.append(f"DELETE FROM t WHERE {condition}{batch}{returning}")
            where.append(condition)
        if not statements:
            statements.append(f"DELETE FROM t WHERE pick = 1{batch}{returning}")
            where.append("pick = 1")
        change = ";\n".join(statements)
        return (f"-- audit:step s{number}\n-- table: t\n-- identifier: {', '.join(self.key)}\n-- audit:pre\n"
                f"SELECT {', '.join(self.names)} FROM t WHERE ({' OR '.join(where) or 'false'}){batch};\n-- audit:change\n{change};\n")


class PropertyTests:
    def test_an_undone_run_has_left_nothing(self):
        seeds = [int(os.environ["DATACHANGE_UNDO_SEED"])] if "DATACHANGE_UNDO_SEED" in os.environ else \
            [random.randrange(10**9) for _ in range(TRIALS)]
        for number, seed in enumerate(seeds):
            with self.subTest(f"DATACHANGE_UNDO_SEED={seed}"):
                self.trial(random.Random(seed), number)

    def trial(self, rng, number):
        table = self.random_table(rng)
        self.database.execute("DROP TABLE IF EXISTS t")
        self.database.execute(table.ddl)
        self.database.execute(table.insert(rng.randint(20, 80)))
        batched = rng.random() < 0.5
        text = "".join(table.step(step, batched) for step in range(1, rng.randint(1, 3) + 1))
        name = f"trial{number}"
        self.define(text=text, name=name, version=f"2026010100{number:04d}")
        before = self.exact(table)
        flags = small(rng.randint(3, 20)) if batched else []
        run = self.run_ok(*flags, definition=name)
        after = self.exact(table)
        undone = self.tool("undo", str(run["run"]), *flags, "--json")
        changed = sum(run["rows"][action] for action in ("updated", "inserted", "deleted"))
        if changed == 0:
            self.assertEqual(undone.code, 1, undone)
            self.assertIn("changed no row", undone.err)
            return
        self.assertEqual(undone.code, 0, undone)
        self.assertEqual(self.exact(table), before)
        self.assertEqual(undone.json["warnings"], [])
        again = self.tool("undo", str(undone.json["run"]), *flags, "--json")
        self.assertEqual(again.code, 0, again)
        self.assertEqual(self.exact(table), after)


def sqlite_value(rng):
    return rng.choice([
        lambda: str(rng.randint(-5, 5)), lambda: str(rng.choice([2**63 - 1, -2**63, 0])), lambda: repr(rng.uniform(-1e9, 1e9)),
        lambda: rng.choice(["9e999", "-9e999", "0.1", "1e300", "5e-324", "3.0"]), lambda: text_literal(rng.choice(STRANGE)),
        lambda: f"x'{rng.randbytes(rng.randint(0, 9)).hex()}'", lambda: f"CAST(x'{rng.randbytes(4).hex()}' AS text)",
        lambda: "CAST(x'610062' AS text)", lambda: "NULL"])()


class PropertyOnSqlite(PropertyTests, SqliteCase):
    def random_table(self, rng):
        columns = {declared: sqlite_value for declared in ("", "text", "integer", "real", "numeric", "blob", "varchar(9)", "json")}
        number, text = ("integer", lambda rng, n: str(n)), ("text NOT NULL", lambda rng, n: text_literal(f"{rng.choice(STRANGE[:18])[:9]}{n}"))
        mixed = ("NOT NULL", lambda rng, n: rng.choice([str(n), f"'{n}'", f"x'{n:06x}'", f"{n}.5"]))
        keys = [[number], [text], [mixed], [("NOT NULL", lambda rng, n: f"x'{n:08x}00ff'")],
                [("integer NOT NULL", lambda rng, n: str(n % 7)), ("text NOT NULL", lambda rng, n: f"'{n}'")]]
        return Table(rng, columns, keys, "g GENERATED ALWAYS AS (typeof(c0)) " + rng.choice(["STORED", "VIRTUAL"]),
                     rng.choice(["", " WITHOUT ROWID"]))

    def exact(self, table):
        values = ", ".join(f"typeof({name}), hex(CAST({name} AS blob)), CASE typeof({name}) WHEN 'real' THEN printf('%!.17g', {name}) END"
                           for name in table.names)
        return sorted(self.database.rows(f"SELECT {values} FROM t"), key=repr)


def one_of(*values):
    return lambda rng: rng.choice(values)


POSTGRES_TYPES = {
    "integer": lambda rng: str(rng.randint(-9, 9)),
    "bigint": one_of("9223372036854775807", "(-9223372036854775808)", "0"),
    "numeric": one_of("0", "1.0", "1.00", "'NaN'", "12345678901234567890.1234567890", "-0.000"),
    "numeric(10,2)": one_of("1.5", "0", "-99999999.99"),
    "real": one_of("0.1", "'NaN'", "'Infinity'", "'-0'", "3.4028235e38"),
    "double precision": one_of("0.1", "'-Infinity'", "'NaN'", "'-0'", "5e-324", "0.30000000000000004"),
    "text": lambda rng: text_literal(rng.choice(STRANGE)),
    "varchar(5000)": lambda rng: text_literal(rng.choice(STRANGE)),
    "char(5)": one_of("'a'", "''", "'abcde'", "' x'"),
    '"char"': one_of("'a'", "''"),
    "bytea": lambda rng: f"'\\x{rng.randbytes(rng.randint(0, 9)).hex()}'",
    "json": one_of("'{}'", "'{ \"a\" : 1.0,\"a\":2 }'", "'null'", "'[1, 2 ]'"),
    "jsonb": one_of("'{\"b\": 1.0, \"a\": [null]}'", "'null'", "'\"x\"'"),
    "timestamptz": one_of("'2026-03-29 02:30:00+01'", "'infinity'", "'0044-03-15 12:00:00+00 BC'", "'2026-01-01 00:00:00.000001+00'"),
    "timestamp": one_of("'2026-03-29 02:30:00'", "'-infinity'"),
    "date": one_of("'2026-02-28'", "'infinity'", "'0001-01-01 BC'"),
    "time": one_of("'24:00:00'", "'00:00:00.000001'"),
    "timetz": one_of("'12:00:00+05:30'"),
    "interval": one_of("'1 year 2 mons -3 days 04:05:06.789'", "'0'", "'-1 mon +1 day'"),
    "uuid": one_of("'7d9f3c1e-0000-4000-8000-000000000001'"),
    "boolean": one_of("true", "false"),
    "integer[]": one_of("'{}'", "'{1,NULL,3}'", "'[0:1]={5,6}'", "'{{1,2},{3,4}}'"),
    "text[]": one_of("'{a,\"b,c\",NULL,\"NULL\",\"\",\"\\\\\"}'", "'{}'"),
    "timestamptz[]": one_of("'{\"2026-01-01 12:00:00+02\",NULL}'"),
    "bytea[]": one_of("'{\"\\\\\\\\x00ff\",NULL}'"),
    "pair": one_of("'(1,\"a b\",)'", "'(,\"q\"\"uote\",2026-01-01)'"),
    "pair[]": one_of("'{\"(1,x,)\",NULL}'"),
    "mood": one_of("'sad'", "'o''k, fine'"),
    "small_number": one_of("1", "99"),
    "citext": one_of("'Abc'", "'aBC'"),
    "inet": one_of("'10.0.0.1/8'", "'::1'"),
    "point": one_of("'(1,2)'", "'(0.1,-0)'"),
    "box": one_of("'(1,1),(0,0)'"),
    "int4range": one_of("'[1,5)'", "'empty'", "'(,)'"),
    "tstzrange": one_of("'[\"2026-01-01 00:00+00\",infinity)'"),
    "bit(3)": one_of("'101'"),
    "bit varying": one_of("'10'", "''"),
    "money": one_of("12.34"),
    "xml": one_of("'<a>&lt;</a>'"),
    "tsvector": one_of("'fat:2 cat:3'"),
}


class PropertyOnPostgres(PropertyTests, PostgresCase):
    def new_database(self):
        database = super().new_database()
        database.execute("CREATE EXTENSION citext; CREATE TYPE pair AS (n int, t text, d date);"
                         "CREATE TYPE mood AS ENUM ('sad', 'o''k, fine'); CREATE DOMAIN small_number AS int CHECK (VALUE < 100)")
        return database

    def random_table(self, rng):
        number = ("integer", lambda rng, n: str(n))
        text = ("text", lambda rng, n: text_literal(f"{rng.choice(STRANGE[:18])[:9]}{n}"))
        keys = [[number], [text], [("uuid", lambda rng, n: f"'00000000-0000-4000-8000-{n:012d}'")],
                [("citext", lambda rng, n: text_literal(f"{rng.choice('aA')}{n}"))],
                [("numeric", lambda rng, n: f"{n}.{'0' * rng.randint(0, 3)}")],
                [("bytea", lambda rng, n: f"'\\x{n:08x}'")],
                [("timestamptz", lambda rng, n: f"timestamptz '2026-01-01 00:00:00.000001+00' + {n} * interval '1 hour'")],
                [("integer", lambda rng, n: str(n % 7)), text]]
        return Table(rng, POSTGRES_TYPES, keys, "g integer GENERATED ALWAYS AS (pick * 2) STORED")

    def exact(self, table):
        values = ", ".join(f"{name}::text" for name in table.names)
        return sorted(self.database.rows(f"SELECT {values} FROM t"), key=repr)


if __name__ == "__main__":
    unittest.main()
