"""What people do on SQLite without the tool."""

from contender import Contender
from contenders_datachange import LEDGER
from measure import Command


def _sqlite3(script):
    """@param script makes the text that the shell reads"""
    return lambda place: Command(("sqlite3", "-batch", "-bail", place.target), script(place))


def _bare(place):
    return f"{place.change.whole_update()};\n"


def _csv(query, file):
    return f".once {file}\n{query};\n"


def _with_csvs(place):
    change = place.change
    return (".mode csv\n.headers on\nBEGIN IMMEDIATE;\n" + _csv(change.select_before(), "pre.csv") +
            f"{change.whole_update()};\n" + _csv(change.select_after(), "post.csv") + "COMMIT;\n")


def _with_ledger(place):
    """The same, and a second file with each row's values before and after, found by its identifier."""
    change, key = place.change, place.dataset.key_columns
    changed = [column for column in change.returning.split(", ") if column not in key]
    same_key = " AND ".join(f"t.{column} = p.{column}" for column in key)
    kept = f"SELECT {_value('p', key, 'array')}, {_value('p', changed, 'object')}, {_value('t', changed, 'object')}"
    return f"""ATTACH '{LEDGER}' AS ledger;
CREATE TABLE ledger.change (identifier, before, after);
.mode csv
.headers on
BEGIN IMMEDIATE;
CREATE TEMP TABLE pre AS {change.select_before()};
{_csv("SELECT * FROM temp.pre", "pre.csv")}{change.whole_update()};
{_csv(change.select_after(), "post.csv")}INSERT INTO ledger.change {kept}
FROM temp.pre AS p JOIN main.{change.table} AS t ON {same_key};
CREATE INDEX ledger.change_identifier ON change (identifier);
COMMIT;
"""


def _value(table, columns, shape):
    """One column as it is, several as one JSON text."""
    if len(columns) == 1:
        return f"{table}.{columns[0]}"
    parts = [f"{table}.{column}" if shape == "array" else f"'{column}', {table}.{column}" for column in columns]
    return f"json_{shape}({', '.join(parts)})"


def _audit_trigger(place):
    old, new = (f"json_object({', '.join(_pair(row, name) for name in place.dataset.columns)})" for row in ("OLD", "NEW"))
    return f"""CREATE TABLE audit_log (id integer PRIMARY KEY, at text DEFAULT CURRENT_TIMESTAMP, table_name text, action text,
    old_row text, new_row text);
CREATE TRIGGER audit AFTER UPDATE ON {place.dataset.table} BEGIN
    INSERT INTO audit_log (table_name, action, old_row, new_row) VALUES ('{place.dataset.table}', 'UPDATE', {old}, {new});
END;"""


def _pair(row, column):
    return f"'{column}', {row}.{column}"


CONTENDERS = [
    Contender("bare", "sqlite", "the UPDATE alone, by the sqlite3 shell", _sqlite3(_bare)),
    Contender("sqlite3-csv", "sqlite", "shell: CSV of the rows before, UPDATE, CSV of the rows after, in one transaction",
              _sqlite3(_with_csvs), csvs=("pre.csv", "post.csv")),
    Contender("sqlite3-ledger", "sqlite", "the same, and a ledger of its own with each row's values before and after, indexed",
              _sqlite3(_with_ledger), csvs=("pre.csv", "post.csv"), ledger_rows="SELECT count(*) FROM change"),
    Contender("trigger", "sqlite", "UPDATE with an audit trigger that writes the old and the new row as JSON",
              _sqlite3(_bare), _audit_trigger, target_rows="SELECT count(*) FROM audit_log"),
]
