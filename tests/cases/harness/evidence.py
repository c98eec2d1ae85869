"""Holds what datachange recorded of one step against the truth. Every check returns a list of problems."""

from collections import Counter
from dataclasses import dataclass

from .csv_text import read_evidence
from .values import parse_json, same_field, same_json, split_identifier

CHANGED = ("updated", "inserted", "deleted")
HAD_BEFORE = ("updated", "deleted", "unchanged", "missing")
HAS_AFTER = ("updated", "inserted", "unchanged", "missing")


@dataclass
class LedgerRow:
    """A row of the view `changes`."""

    batch: str
    key: tuple
    action: str
    before: dict | None
    after: dict | None


def read_ledger(connection, run, truth):
    """Rows of one step in the ledger."""
    query = "SELECT batch, identifier, action, before, after FROM changes WHERE run_id = ? AND step = ?"
    return [
        LedgerRow(
            batch,
            split_identifier(identifier, len(truth.identifier)),
            action,
            None if before is None else parse_json(before),
            None if after is None else parse_json(after),
        )
        for batch, identifier, action, before, after in connection.execute(query, (run, truth.number))
    ]


def _with_key(truth, key, image):
    return None if image is None else {**dict(zip(truth.identifier, key)), **image}


def _compare_images(engine, where, expected, image):
    if (expected is None) != (image is None):
        return [f"{where}: {'there is' if image is not None else 'there is no'} image"]
    if expected is None:
        return []
    problems = []
    for name, value in expected.items():
        if name not in image:
            problems.append(f"{where}: no column {name}")
        elif not same_json(engine, value, image[name]):
            problems.append(f"{where}.{name}: expected {value!r}, is {image[name]!r}")
    return problems


def check_ledger(engine, truth, rows):
    """Exactly the rows that differ, with their action and images; the others without a difference."""
    problems = [
        f"ledger: {key} has {count} rows"
        for key, count in Counter(row.key for row in rows).items()
        if count > 1
    ]
    for row in rows:
        change = truth.changes.get(row.key)
        action = change.action if change else None
        if row.action not in CHANGED + ("unchanged", "missing"):
            problems.append(f"ledger: {row.key} is {row.action}")
        elif (row.action if row.action in CHANGED else None) != action:
            problems.append(f"ledger: {row.key} is {row.action}, the table says {action or 'no change'}")
        else:
            for moment, image, table in (("before", row.before, truth.before), ("after", row.after, truth.after)):
                expected = _with_key(truth, row.key, table.get(row.key))
                problems += _compare_images(engine, f"ledger: {row.key} {moment}", expected, image)
    for key in truth.changes.keys() - {row.key for row in rows}:
        problems.append(f"ledger: {key} was {truth.changes[key].action} and is not there")
    return problems


def _read_csv(path):
    with open(path, "rb") as file:
        return read_evidence(file.read())


def _key_of(truth, values):
    return tuple(values[name] for name in truth.identifier)


def _compare_row(engine, where, expected, values):
    if expected is None:
        return [f"{where}: the table has no such row"]
    return [
        f"{where}.{name}: expected {value!r}, is {values.get(name)!r}"
        for name, value in expected.items()
        if name not in values or not same_field(engine, value, values[name])
    ]


def _check_image_csv(engine, truth, name, path, table, keys):
    header, rows = _read_csv(path)
    problems, found = [], Counter()
    for row in rows:
        values = dict(zip(header, row))
        key = _key_of(truth, values)
        found[key] += 1
        problems += _compare_row(engine, f"{name}: {key}", table.get(key), values)
    if found != Counter(keys):
        odd = sorted((found - Counter(keys)).keys() | (Counter(keys) - found).keys())
        problems.append(f"{name}: other rows than the ledger's: {odd[:5]}")
    return problems, len(rows)


def _check_change_csv(engine, truth, path, ledger):
    """A row that one statement alone returned is the row as it ended, or as it was if it was deleted."""
    header, rows = _read_csv(path)
    problems = []
    returned = Counter(_key_of(truth, dict(zip(header, row))) for row in rows)
    for row in rows:
        values = dict(zip(header, row))
        key = _key_of(truth, values)
        recorded = ledger.get(key)
        if recorded is None or recorded.action == "missing":
            problems.append(f"change.csv: {key} is not so in the ledger")
        elif returned[key] == 1:
            table = truth.before if recorded.action == "deleted" else truth.after
            problems += _compare_row(engine, f"change.csv: {key}", table.get(key), values)
    return problems, len(rows)


def _expected_diff(truth):
    """(key, column) -> (action, before, after), as diff.csv must say."""
    lines = {}
    for key, change in truth.changes.items():
        before = _with_key(truth, key, change.before) or {}
        after = _with_key(truth, key, change.after) or {}
        for name in truth.identifier + truth.columns:
            if change.action != "updated" or before[name] != after[name]:
                lines[key, name] = (change.action, before.get(name), after.get(name))
    return lines


def _type_differs(row, column):
    """SQLite types values one by one: text '1' and the number 1 look alike in a dump, and in diff.csv."""
    if row is None or row.before is None or row.after is None:
        return False
    return type(row.before.get(column)) is not type(row.after.get(column))


def _check_diff_csv(engine, truth, path, ledger):
    header, rows = _read_csv(path)
    if header != ["identifier", "action", "column", "before", "after"]:
        return [f"diff.csv: its header is {header}"]
    problems, expected = [], _expected_diff(truth)
    for identifier, action, column, before, after in rows:
        key = split_identifier(identifier, len(truth.identifier))
        line = expected.pop((key, column), None)
        if line is None and before == after and _type_differs(ledger.get(key), column):
            continue
        if line is None:
            problems.append(f"diff.csv: {key} {column} does not differ")
        elif (
            line[0] != action
            or not same_field(engine, line[1], before)
            or not same_field(engine, line[2], after)
        ):
            problems.append(f"diff.csv: {key} {column}: expected {line}, is {(action, before, after)}")
    problems += [f"diff.csv: {key} {column} is not there" for key, column in expected]
    return problems


def check_csvs(engine, truth, paths, ledger_rows):
    """The four files against the truth and the ledger; also gives the number of rows of the first three."""
    keys = {
        moment: [row.key for row in ledger_rows if row.action in actions]
        for moment, actions in (("pre", HAD_BEFORE), ("post", HAS_AFTER))
    }
    ledger = {row.key: row for row in ledger_rows}
    pre, pre_rows = _check_image_csv(engine, truth, "pre.csv", paths["pre"], truth.before, keys["pre"])
    post, post_rows = _check_image_csv(engine, truth, "post.csv", paths["post"], truth.after, keys["post"])
    change, change_rows = _check_change_csv(engine, truth, paths["change"], ledger)
    problems = pre + change + post + _check_diff_csv(engine, truth, paths["diff"], ledger)
    return problems, {"pre": pre_rows, "change": change_rows, "post": post_rows}


def check_counts(truth, printed, ledger_rows, csv_rows):
    """The counts that --json printed for the step."""
    actions = Counter(row.action for row in ledger_rows)
    expected = {**csv_rows, **{name: actions[name] for name in CHANGED + ("unchanged", "missing", "unexpected")}}
    return [
        f"--json: step {truth.number} {name}: expected {count}, is {printed.get(name)}"
        for name, count in expected.items()
        if printed.get(name) != count
    ]
