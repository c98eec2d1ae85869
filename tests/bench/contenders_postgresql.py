"""What people do on PostgreSQL without the tool."""

from contender import Contender
from measure import Command

BATCH = 10_000


def _psql(script):
    """@param script makes the text that psql reads"""
    return lambda place: Command(("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", place.target), script(place))


def _bare(place):
    return f"{place.change.whole_update()};\n"


def _copy(query, file):
    return f"\\copy ({query}) TO '{file}' WITH (FORMAT csv, HEADER)\n"


def _with_csvs(place):
    change = place.change
    return ("BEGIN ISOLATION LEVEL REPEATABLE READ;\n" + _copy(change.select_before(), "pre.csv") +
            f"{change.whole_update()};\n" + _copy(change.select_after(), "post.csv") + "COMMIT;\n")


def _returning(place):
    return _copy(place.change.update_returning(), "post.csv")


def _batched(place):
    """A loop over the key. Bounds are read from the table, as the keys need be neither dense nor numbers."""
    change, key = place.change, place.dataset.key
    columns, lower, upper = (", ".join(name for name in names) for names in (
        place.dataset.key_columns, [f"lower_{column}" for column, _, _ in key], [f"upper_{column}" for column, _, _ in key]))
    variables = " ".join(f"lower_{column} {type_} := {start}; upper_{column} {type_};" for column, type_, start in key)
    advance = " ".join(f"lower_{column} := upper_{column};" for column, _, _ in key)
    return f"""DO $bench$
DECLARE {variables}
BEGIN
    LOOP
        SELECT {columns} INTO {upper} FROM {change.table} WHERE ({columns}) > ({lower})
        ORDER BY {columns} OFFSET {BATCH - 1} LIMIT 1;
        EXIT WHEN NOT FOUND;
        {change.range_update(f"({columns}) > ({lower}) AND ({columns}) <= ({upper})")};
        COMMIT;
        {advance}
    END LOOP;
    {change.range_update(f"({columns}) > ({lower})")};
END $bench$;
"""


def _audit_trigger(place):
    return f"""CREATE TABLE audit_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now(),
    operator text DEFAULT current_user, table_name text, action text, old_row jsonb, new_row jsonb);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $bench$
BEGIN
    INSERT INTO audit_log (table_name, action, old_row, new_row) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
    RETURN NULL;
END $bench$;
CREATE TRIGGER audit AFTER UPDATE ON {place.dataset.table} FOR EACH ROW EXECUTE FUNCTION audit();"""


CONTENDERS = [
    Contender("bare", "postgresql", "the UPDATE alone, by psql", _psql(_bare)),
    Contender("psql-csv", "postgresql", "psql: CSV of the rows before, UPDATE, CSV of the rows after, in one transaction",
              _psql(_with_csvs), csvs=("pre.csv", "post.csv")),
    Contender("psql-batched", "postgresql", f"a loop of batches of {BATCH:,} by key, each committed; no record", _psql(_batched)),
    Contender("trigger", "postgresql", "UPDATE with an audit trigger that writes the old and the new row as jsonb",
              _psql(_bare), _audit_trigger, target_rows="SELECT count(*) FROM audit_log"),
    Contender("psql-returning", "postgresql", "psql: COPY (UPDATE ... RETURNING) to a CSV; nothing of the values before",
              _psql(_returning), csvs=("post.csv",)),
]
