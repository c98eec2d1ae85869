"""The tables that are changed. All rows of each change; which change it is says its definition in audits/."""

import dataclasses
import pathlib
import re

import definition

AUDITS = pathlib.Path(__file__).parent / "audits"
ENGINES = ("postgresql", "sqlite")
SERIES = {
    "postgresql": "generate_series(1, {rows}) AS s(i)",
    "sqlite": "(SELECT value AS i FROM generate_series(1, {rows}))",
}


@dataclasses.dataclass(frozen=True)
class Dataset:
    """One table. Texts that differ between the engines are dicts by engine."""

    name: str
    about: str
    table: str
    key: tuple  # of (column, type in PostgreSQL, a literal below every key)
    create: str | dict
    values: str | dict  # select list that makes row number i, 1 to the number of rows
    expected: str | dict  # select list over the table as it was: the key and the columns as the change must leave them
    actual: str  # the same columns, over the table as the change has left it
    definition_file: str | dict

    def statements(self, engine, rows):
        """SQL that makes the table with that many rows."""
        series = SERIES[engine].format(rows=rows)
        return [_of(self.create, engine), f"INSERT INTO {self.table} SELECT {_of(self.values, engine)} FROM {series}"]

    def expectation(self, engine):
        return f"SELECT {_of(self.expected, engine)} FROM {self.table}"

    def reality(self):
        return f"SELECT {self.actual} FROM {self.table}"

    def definition_path(self, engine):
        return AUDITS / _of(self.definition_file, engine)

    def change(self, engine):
        return definition.read(self.definition_path(engine))

    @property
    def columns(self):
        """The names of all columns of the table."""
        return tuple(re.findall(r"[(,]\s*([a-z_]+) [a-z]", _of(self.create, "sqlite")))

    @property
    def key_columns(self):
        return tuple(column for column, _, _ in self.key)


def _of(text, engine):
    return text[engine] if isinstance(text, dict) else text


def _with_number_key(create):
    """SQLite has the rows themselves in the order of a key only where its type reads INTEGER."""
    return {"postgresql": create, "sqlite": create.replace("bigint PRIMARY KEY", "integer PRIMARY KEY")}


NARROW = Dataset(
    name="narrow",
    about="one text column filled from two others; key bigint",
    table="users",
    key=(("id", "bigint", "0"),),
    create=_with_number_key("""CREATE TABLE users (id bigint PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL,
        email text, name text)"""),
    values="i, 'First' || i, 'Last' || (i % 1000), 'user' || i || '@example.com', NULL",
    expected="id, first_name || ' ' || last_name",
    actual="id, name",
    definition_file="20260101000001_narrow.sql",
)

_WIDE_CREATE = """CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL, number text NOT NULL, channel text NOT NULL, country text NOT NULL,
    city text NOT NULL, street text NOT NULL, zip text NOT NULL, phone text, note text, created_at {timestamptz} NOT NULL,
    warehouse integer NOT NULL, status text NOT NULL, item_count integer NOT NULL, total_cents bigint NOT NULL,
    discount {numeric} NOT NULL, paid {boolean} NOT NULL, changed_at {timestamptz} NOT NULL, attributes {jsonb} NOT NULL,
    weight {double} NOT NULL)"""
_WIDE_VALUES = """i, i % 50021, 'N-' || (100000 + i), 'web', 'NL', 'City ' || (i % 977), 'Long Street ' || (i % 331),
    '10' || (i % 97), NULL, 'left at the door of number ' || (i % 331), {created_at}, i % 12, 'open', i % 9 + 1, i * 131,
    (i % 10007 + 1) * 0.25, {paid}, {changed_at}, {attributes}, i * 0.1 + 0.05"""
_ATTRIBUTES = """'{"source": "import", "row": ' || i || ', "tags": ["a", "b"]}'"""

WIDE = Dataset(
    name="wide",
    about="8 columns of mixed types changed, of 20; key bigint",
    table="orders",
    key=(("id", "bigint", "0"),),
    create={
        "postgresql": _WIDE_CREATE.format(timestamptz="timestamptz", numeric="numeric(12, 4)", boolean="boolean",
                                          jsonb="jsonb", double="double precision"),
        "sqlite": _WIDE_CREATE.format(timestamptz="text", numeric="real", boolean="integer", jsonb="text", double="real")
        .replace("bigint PRIMARY KEY", "integer PRIMARY KEY"),
    },
    values={
        "postgresql": _WIDE_VALUES.format(
            created_at="timestamptz '2025-01-01 00:00+00' + i * interval '7 seconds'", paid="i % 2 = 0",
            changed_at="timestamptz '2025-06-01 00:00+00' + i * interval '11 seconds'", attributes=f"({_ATTRIBUTES})::jsonb"),
        "sqlite": _WIDE_VALUES.format(
            created_at="datetime(1735689600 + i * 7, 'unixepoch')", paid="i % 2 = 0",
            changed_at="datetime(1748736000 + i * 11, 'unixepoch')", attributes=_ATTRIBUTES),
    },
    expected={
        "postgresql": """id, 'closed', item_count + 1, total_cents * 10 + 7, (discount * 1.19)::numeric(12, 4), NOT paid,
            changed_at + interval '1 hour 30 minutes', jsonb_set(attributes, '{checked}', 'true'), weight / 3""",
        "sqlite": """id, 'closed', item_count + 1, total_cents * 10 + 7, discount * 1.19, 1 - paid,
            datetime(changed_at, '+5400 seconds'),
            substr(json(attributes), 1, length(json(attributes)) - 1) || ',"checked":true}', weight / 3""",
    },
    actual="id, status, item_count, total_cents, discount, paid, changed_at, attributes, weight",
    definition_file={"postgresql": "20260101000002_wide.sql", "sqlite": "20260101000003_wide_sqlite.sql"},
)

# a multiplication that scatters the rows over the keys; the row number behind it keeps them distinct
_SCATTERED = "((i * 2654435761) % 4294967296)"

TEXT_KEY = Dataset(
    name="text-key",
    about="key text, in another order than the rows",
    table="devices",
    key=(("serial", "text", "''"),),
    create="CREATE TABLE devices (serial text PRIMARY KEY, model text NOT NULL, label text)",
    values={
        "postgresql": f"lpad(to_hex({_SCATTERED}), 8, '0') || '-' || i, 'Model ' || (i % 40), NULL",
        "sqlite": f"printf('%08x', {_SCATTERED}) || '-' || i, 'Model ' || (i % 40), NULL",
    },
    expected="serial, model || ' ' || serial",
    actual="serial, label",
    definition_file="20260101000004_text_key.sql",
)

COMPOSITE_KEY = Dataset(
    name="composite-key",
    about="key (tenant, id), 100 tenants",
    table="entries",
    key=(("tenant", "integer", "0"), ("id", "bigint", "0")),
    create="""CREATE TABLE entries (tenant integer, id bigint, quantity bigint NOT NULL, price bigint NOT NULL, total bigint,
        PRIMARY KEY (tenant, id))""",
    values="i % 100 + 1, i / 100 + 1, i % 7 + 1, i % 5003 + 1, NULL",
    expected="tenant, id, quantity * price",
    actual="tenant, id, total",
    definition_file="20260101000005_composite_key.sql",
)

SPARSE_KEY = Dataset(
    name="sparse-key",
    about="key bigint with large gaps, which grow",
    table="visits",
    key=(("id", "bigint", "0"),),
    create=_with_number_key("CREATE TABLE visits (id bigint PRIMARY KEY, path text NOT NULL, seconds integer NOT NULL)"),
    values="CAST(i AS bigint) * i * 97, '/old/page/' || i, i % 600",
    expected="id, replace(path, '/old/', '/new/')",
    actual="id, path",
    definition_file="20260101000006_sparse_key.sql",
)

DATASETS = (NARROW, WIDE, TEXT_KEY, COMPOSITE_KEY, SPARSE_KEY)
