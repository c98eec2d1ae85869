"""What a run has to do to a table: the difference of two dumps."""

from dataclasses import dataclass, field

from .csv_text import read_dump


@dataclass
class Change:
    """One row that differs; images hold the compared columns by name."""

    action: str
    before: dict | None
    after: dict | None


@dataclass
class StepTruth:
    """The rows of one step's table: those that differ, and all of them by key."""

    number: int
    table: str
    identifier: list
    columns: list
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    changes: dict = field(default_factory=dict)


def rows_by_key(dump, identifier, columns):
    header, rows = read_dump(dump)
    found = {}
    for row in rows:
        values = dict(zip(header, row))
        key = tuple(values[name] for name in identifier)
        if key in found or None in key:
            raise ValueError(f"{identifier} is no key of the dump: {key}")
        found[key] = {name: values[name] for name in columns}
    return found


def step_truth(expected, before, after):
    """@param expected one of `steps` in expect.json; @param before, after the table's dumps"""
    truth = StepTruth(expected["step"], expected["table"], expected["identifier"], expected["columns"])
    truth.before = rows_by_key(before, truth.identifier, truth.columns)
    truth.after = rows_by_key(after, truth.identifier, truth.columns)
    for key in truth.before.keys() | truth.after.keys():
        old, new = truth.before.get(key), truth.after.get(key)
        if old != new:
            action = "inserted" if old is None else "deleted" if new is None else "updated"
            truth.changes[key] = Change(action, old, new)
    return truth
