"""What is changed while faults are injected: one table, five ways of changing it, and triggers that note the truth.

Every change doubles a number and leaves its row in the set, so that a row that is changed twice, or forgotten, shows.
"""

from dataclasses import dataclass, field

from databases import numbers

COLUMNS = {"items": ("id", "region", "number", "status", "amount", "label", "counter")}
MOST = 100_000_000  # above every amount, unless a test says otherwise


@dataclass
class Step:
    """A step as the checks see it: what identifies a row, and which columns are captured."""

    number: int = 1
    table: str = "items"
    identifier: tuple = ("id",)
    columns: tuple = ("amount", "counter")


@dataclass
class Subject:
    """A definition, and what the checks have to know of it."""

    name: str
    text: str
    batched: bool = True
    steps: list = field(default_factory=lambda: [Step()])

    def flags(self, size):
        """Batches of a size, however small the set."""
        return ["--batch-threshold", "1", "--batch-size", str(size)] if self.batched else []


DOUBLE = "UPDATE items SET amount = amount * 2 + 1 WHERE status = 'open'"


def definition(pre, change, identifier="id", header=""):
    return f"""-- ticket: OPS-7
-- table: items
-- identifier: {identifier}
-- collateral: truth
{header}
-- audit:pre
{pre};
-- audit:change
{change};
"""


SINGLE = Subject("single", definition(
    "SELECT id, amount, counter FROM items WHERE status = 'open'", f"{DOUBLE} RETURNING id, amount, counter",
    header="-- transaction: single"), batched=False)

RANGE = Subject("range", definition(
    "SELECT id, amount, counter FROM items WHERE status = 'open' AND :batch(id)",
    f"{DOUBLE} AND :batch(id) RETURNING id, amount, counter"))

KEYS = Subject("keys", definition(
    "SELECT id, amount, counter FROM items WHERE status = 'open'",
    "UPDATE items SET amount = amount * 2 + 1 WHERE :affected(id) RETURNING id, amount, counter"))

# a composite key, and two statements of which one deletes
PAIRS = Subject("pairs", definition(
    "SELECT region, number, amount, counter FROM items WHERE status = 'open' AND :batch(region, number)",
    f"""{DOUBLE} AND number % 3 <> 0 AND :batch(region, number) RETURNING region, number, amount, counter;
DELETE FROM items WHERE status = 'open' AND number % 3 = 0 AND :batch(region, number)
RETURNING region, number, amount, counter""", identifier="region, number"),
    steps=[Step(identifier=("region", "number"))])

STEPS = Subject("steps", """-- ticket: OPS-7
-- audit:step amounts
-- table: items
-- identifier: id
-- collateral: truth
-- audit:pre
SELECT id, amount FROM items WHERE status = 'open' AND :batch(id);
-- audit:change
UPDATE items SET amount = amount * 2 + 1 WHERE status = 'open' AND :batch(id) RETURNING id, amount;
-- audit:step labels
-- table: items
-- identifier: id
-- collateral: truth
-- audit:pre
SELECT id, label FROM items WHERE amount % 2 = 1;
-- audit:change
UPDATE items SET label = COALESCE(label, 'none') || '+' WHERE :affected(id) RETURNING id, label;
""", steps=[Step(1, columns=("amount",)), Step(2, columns=("label",))])

ALL = (SINGLE, RANGE, KEYS, PAIRS, STEPS)
BATCHED = (RANGE, KEYS, PAIRS, STEPS)


def make_items(database, count, spread=1):
    """Rows `spread` apart; nine of ten are open. Labels are such as a CSV has to quote, or NULL."""
    database.execute(f"""{"PRAGMA synchronous = OFF;" if database.engine == "sqlite" else ""} BEGIN;
        CREATE TABLE items (
            id integer PRIMARY KEY, region text NOT NULL, number integer NOT NULL, status text NOT NULL,
            amount integer NOT NULL CONSTRAINT small CHECK (amount < {MOST}), label text,
            counter integer NOT NULL DEFAULT 0, UNIQUE (region, number));
        {numbers(count)} INSERT INTO items
        SELECT i * {spread}, 'r' || (i % 7), i, CASE WHEN i % 10 = 0 THEN 'closed' ELSE 'open' END, i % 50,
               CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a,"b" ' || i ELSE 'label ' || i END, 0 FROM n;
        {truth_triggers(database.engine, "items", COLUMNS["items"])} COMMIT""")


def truth_triggers(engine, table, columns):
    """Has the database itself note every row of a table that is changed: before, after, and by which session."""
    if engine == "postgresql":
        return f"""
            CREATE TABLE IF NOT EXISTS truth (n bigserial PRIMARY KEY, tab text, old text, new text, who text);
            CREATE OR REPLACE FUNCTION note_truth() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO truth (tab, old, new, who) VALUES (TG_TABLE_NAME,
                    CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD)::text END,
                    CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW)::text END, current_setting('application_name'));
                RETURN NULL; END $$;
            CREATE TRIGGER truth AFTER INSERT OR UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION note_truth();"""
    old, new = (", ".join(f"'{name}', {row}.{name}" for name in columns) for row in ("OLD", "NEW"))
    images = {"INSERT": f"NULL, json_object({new})", "UPDATE": f"json_object({old}), json_object({new})",
              "DELETE": f"json_object({old}), NULL"}
    return ("CREATE TABLE IF NOT EXISTS truth (n INTEGER PRIMARY KEY, tab TEXT, old TEXT, new TEXT, who TEXT);"
            + "".join(f"""CREATE TRIGGER {table}_{event} AFTER {event} ON {table} BEGIN
            INSERT INTO truth (tab, old, new, who) VALUES ('{table}', {image}, 'datachange'); END;"""
                      for event, image in images.items()))
