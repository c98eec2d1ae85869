"""Holds everything that the tool keeps of a run against what the database itself noted. Checks return problems."""

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass

from harness.evidence import CHANGED, check_csvs, check_ledger, read_ledger
from harness.truth import Change, StepTruth

ACTION = {(False, True): "inserted", (True, False): "deleted", (True, True): "updated"}


@dataclass
class Event:
    """One row that was changed, as the trigger saw it; images are {column: text}."""

    old: dict
    new: dict
    who: str

    @property
    def by_tool(self):
        return self.who.startswith("datachange")

    def images(self, columns):
        """(before, after) of some columns; None where there was no row."""
        return tuple(row and {name: row[name] for name in columns} for row in (self.old, self.new))


def read_events(database, table="items"):
    """What was done to a table, oldest first."""
    rows = database.rows(f"SELECT old, new, who FROM truth WHERE tab = '{table}' ORDER BY n")
    return [Event(_texts(old), _texts(new), who) for old, new, who in rows]


def read_table(database, columns, table="items"):
    """Rows as {column: text}."""
    return [dict(zip(columns, row)) for row in database.rows(f"SELECT {', '.join(columns)} FROM {table}")]


def _texts(image):
    return image and {name: value if value is None else str(value) for name, value in json.loads(image).items()}


def truth_of_step(step, rows, events):
    """What the step did, by the events: (truth, problems). @param rows the table before the run"""
    truth, problems = StepTruth(step.number, step.table, list(step.identifier), list(step.columns)), []
    key_of = lambda row: tuple(row[name] for name in step.identifier)  # noqa: E731
    truth.before = {key_of(row): {name: row[name] for name in step.columns} for row in rows}
    truth.after = dict(truth.before)
    for event in events:
        before, after = event.images(step.columns)
        if not event.by_tool or before == after:
            continue
        key = key_of(event.old or event.new)
        if key in truth.changes:
            problems.append(f"truth: {key} was changed twice")
        truth.changes[key] = Change(ACTION[before is not None, after is not None], before, after)
        for images, image in ((truth.before, before), (truth.after, after)):
            images.pop(key, None)
            if image is not None:
                images[key] = image
    return truth, problems


def check_table(before, events, after, identifier=("id",)):
    """The table is what it was, and what was done to it since."""
    key_of = lambda row: tuple(row[name] for name in identifier)  # noqa: E731
    expected = {key_of(row): row for row in before}
    for event in events:
        if event.old:
            expected.pop(key_of(event.old), None)
        if event.new:
            expected[key_of(event.new)] = event.new
    found = {key_of(row): row for row in after}
    return [f"table: {key} should be {expected.get(key)}, is {found.get(key)}"
            for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]


def csv_paths(ledger, run):
    """{step: {pre, change, post, diff: path}} of what the ledger says was written."""
    found = {}
    for step, path in ledger.execute("SELECT step, path FROM files WHERE run_id = ?", (run,)):
        found.setdefault(step, {})[os.path.basename(path).split(".")[-2]] = path
    return found


def check_files(ledger, run):
    """Each file is there, as the ledger describes it, and nothing half-written beside them."""
    problems = []
    for path, size, sha256 in ledger.execute("SELECT path, bytes, sha256 FROM files WHERE run_id = ?", (run,)):
        if not os.path.exists(path):
            problems.append(f"files: {path} is not there")
            continue
        with open(path, "rb") as file:
            content = file.read()
        if (len(content), hashlib.sha256(content).hexdigest()) != (size, sha256):
            problems.append(f"files: {path} is not as the ledger says")
        problems += [f"files: {name} was left" for name in os.listdir(os.path.dirname(path))
                     if name.endswith(".partial")]
    return problems


def journal_batches(database, uuid):
    """{(step, batch): (lower, upper, rows changed, leaf)} of the target; frozen sets, batch '0', are none."""
    rows = database.rows("SELECT step, batch, lower_key, upper_key, rows_changed, leaf FROM datachange_batches"
                         f" WHERE run_uuid = '{uuid}' AND batch <> '0'")
    return {(int(step), batch): (lower, upper, int(changed), leaf) for step, batch, lower, upper, changed, leaf in rows}


def ledger_batches(ledger, run, states):
    """The same of the ledger, for batches in one of the states."""
    rows = ledger.execute(
        "SELECT step, batch, lower_key, upper_key, updated + inserted + deleted, leaf FROM batches WHERE run_id = ?"
        f" AND state IN ({', '.join('?' * len(states))})", (run, *states))
    return {(step, batch): tuple(rest) for step, batch, *rest in rows}


def check_journal(database, ledger, run, uuid):
    """The batches of the target's journal are the ledger's committed ones, leaf by leaf."""
    target, own = journal_batches(database, uuid), ledger_batches(ledger, run, ("committed",))
    problems = [f"journal: batch {key} is {target.get(key)}, in the ledger {own.get(key)}"
                for key in sorted(target.keys() | own.keys()) if target.get(key) != own.get(key)]
    open_batches = Counter(state for (state,) in ledger.execute(
        "SELECT state FROM batches WHERE run_id = ? AND state IN ('prepared', 'unknown')", (run,)))
    return problems + ([f"ledger: batches are left in doubt: {dict(open_batches)}"] if open_batches else [])


def check_nothing_unrecorded(database, ledger, run, uuid, events):
    """At any moment: what is committed in the target is durable in the ledger, and no row was changed without a batch."""
    target = journal_batches(database, uuid)
    own = ledger_batches(ledger, run, ("prepared", "committed", "unknown")) if run else {}
    problems = [f"ledger: batch {key} is committed in the target and is {own.get(key)} here"
                for key in target if target[key] != own.get(key)]
    changed = sum(1 for event in events if event.by_tool)
    noted = sum(rows for _, _, rows, _ in target.values())
    return problems + ([f"target: {changed} rows were changed, {noted} stand in the journal"] if changed != noted else [])


def check_run(database, ledger, run, uuid, steps, before, events):
    """Everything, for a run that has ended. @param before the table's rows before the run"""
    problems = check_journal(database, ledger, run, uuid) + check_files(ledger, run)
    paths = csv_paths(ledger, run)
    for step in steps:
        truth, found = truth_of_step(step, before, events)
        rows = read_ledger(ledger, run, truth)
        found += check_ledger(database.engine, truth, rows)
        if step.number in paths:
            found += check_csvs(database.engine, truth, paths[step.number], rows)[0]
        elif any(row.action in CHANGED for row in rows):
            found.append("there are no CSV files")
        problems += [f"step {step.number}: {problem}" for problem in found]
    return problems
