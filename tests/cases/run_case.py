#!/usr/bin/env python3
"""Runs one case on a fresh database and holds tables, ledger, CSVs and printed counts against the truth.

usage: run_case.py CASE_DIR --datachange PATH --mode single|batched|sizes|reread [--postgres URL]

URL is that of a maintenance database on a throw-away server, by default DATACHANGE_TEST_POSTGRES. Without either,
a case on PostgreSQL starts a server of its own.
"""

import argparse
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys

from harness.csv_text import CsvError
from harness.databases import ToolFailed, fresh_database, postgres_server, scratch_folder
from harness.evidence import check_counts, check_csvs, check_ledger, read_ledger
from harness.truth import step_truth

BATCHED = ["--batch-threshold", "1", "--batch-size"]
# what a ledger keeps of a run, without times and names of its own
KEPT = ("SELECT * FROM steps ORDER BY step", "SELECT * FROM change ORDER BY id", "SELECT * FROM collateral ORDER BY 1, 2, 3, 4",
        "SELECT step, batch, state, lower_key, upper_key, rows, rows_pre, rows_returned, rows_post, updated, inserted, deleted,"
        " unchanged, missing, unexpected, witness FROM batch ORDER BY id")
MODES = {"single": [[]], "batched": [BATCHED + ["7"]], "sizes": [BATCHED + [size] for size in ("1", "3", "1000")],
         "reread": [[], BATCHED + ["7"]]}


class Case:
    """The files of a case."""

    def __init__(self, folder):
        self.folder = folder
        self.name = os.path.basename(os.path.normpath(folder))
        self.engine = self.read("engine").decode().strip()
        expect = json.loads(self.read("expect.json"))
        self.dump, self.steps = expect["dump"], expect["steps"]
        self.single_only = expect.get("single_only", False)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def differing(self):
        return [table for table in self.dump if self.read(f"before.{table}.csv") != self.read(f"after.{table}.csv")]


def check_tables(case, database, moment):
    problems = []
    for table, select in case.dump.items():
        expected, found = case.read(f"{moment}.{table}.csv"), database.dump(select)
        if expected != found:
            problems.append(f"table {table} is not that of {moment}.{table}.csv\n{first_difference(expected, found)}")
    return problems


def first_difference(expected, found):
    old, new = expected.splitlines(), found.splitlines()
    for number in range(max(len(old), len(new))):
        pair = [lines[number] if number < len(lines) else b"(end)" for lines in (old, new)]
        if pair[0] != pair[1]:
            return "  line {}\n  expected {}\n  is       {}".format(number + 1, *(x.decode(errors="replace") for x in pair))
    return "  the ends of lines differ"


def run_tool(case, tool, database, folder, options, environment=None):
    """(exit status, what --json printed or None, stderr)"""
    definition = os.path.join(folder, f"20260101000000_{case.name}.sql")
    shutil.copyfile(case.path("definition.sql"), definition)
    command = [tool, "run", definition, "--database", database.url, "--ledger", os.path.join(folder, "ledger.db")]
    command += ["--csv-dir", os.path.join(folder, "csv"), "--json", *options]
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, env={**os.environ, **(environment or {})})
    printed = json.loads(done.stdout) if done.returncode == 0 else None
    return done.returncode, printed, done.stderr.decode(errors="replace") + ("" if printed else done.stdout.decode())


def check_mode(case, options, printed):
    batched = bool(options) and max(step["rows"]["pre"] for step in printed["steps"]) > 1
    if batched and printed["mode"] != "batched":
        return [f"the run was {printed['mode']} where it was told to be batched"]
    if not options and (printed["mode"], printed["batches"]) != ("single", len(printed["steps"])):
        return [f"mode {printed['mode']} of {printed['batches']} batches in place of one transaction"]
    return []


def check_collateral(case, printed):
    """Every table that changed beside the audited ones is named."""
    audited = {step["table"] for step in case.steps}
    named = {item["table"].split(".")[-1].strip('"`') for item in printed["collateral"]}
    return [
        f"--json: collateral does not name {table}"
        for table in case.differing()
        if table not in audited and table not in named
    ]


def check_evidence(case, ledger_path, printed):
    problems = []
    ledger = sqlite3.connect(f"file:{ledger_path}?mode=ro", uri=True)
    try:
        for expected in case.steps:
            table = expected["table"]
            truth = step_truth(expected, case.read(f"before.{table}.csv"), case.read(f"after.{table}.csv"))
            step = next(step for step in printed["steps"] if step["step"] == truth.number)
            rows = read_ledger(ledger, printed["run"], truth)
            problems += check_ledger(case.engine, truth, rows)
            csv_problems, csv_rows = check_csvs(case.engine, truth, step["csv"], rows)
            problems += csv_problems + check_counts(truth, step["rows"], rows, csv_rows)
    finally:
        ledger.close()
    total = {name: sum(step["rows"][name] for step in printed["steps"]) for name in printed["rows"]}
    if total != printed["rows"]:
        problems.append(f"--json: rows {printed['rows']} are not the sum of the steps' {total}")
    return problems


def run_once(case, tool, postgres, options):
    """Problems of one run, a list of texts."""
    with scratch_folder() as folder, fresh_database(case.engine, folder, postgres) as database:
        database.load(case.path("schema.sql"))
        database.load(case.path("seed.sql"))
        problems = check_tables(case, database, "before")
        if problems:
            return problems
        status, printed, messages = run_tool(case, tool, database, folder, options)
        if status != 0:
            return [f"datachange ended with {status}:\n{messages}"] + check_tables(case, database, "before")
        problems = check_tables(case, database, "after") + check_mode(case, options, printed)
        problems += check_collateral(case, printed)
        return problems + check_evidence(case, os.path.join(folder, "ledger.db"), printed)


def kept_evidence(case, tool, postgres, options, environment):
    """Everything that a run leaves behind, by name."""
    with scratch_folder() as folder, fresh_database(case.engine, folder, postgres) as database:
        database.load(case.path("schema.sql"))
        database.load(case.path("seed.sql"))
        status, printed, messages = run_tool(case, tool, database, folder, options, environment)
        if status != 0:
            raise ToolFailed(f"datachange ended with {status}:\n{messages}")
        kept = {}
        for step in printed["steps"]:
            for path in filter(None, step["csv"].values()):
                with open(os.path.join(folder, path), "rb") as file:
                    kept[os.path.basename(path)] = file.read()
        with contextlib.closing(sqlite3.connect(os.path.join(folder, "ledger.db"))) as ledger:
            kept.update({select: repr(ledger.execute(select).fetchall()).encode() for select in KEPT})
        return kept


def run_reread(case, tool, postgres, options):
    """Evidence is the same whether post is read, or taken from RETURNING where that is possible."""
    options = [*options, "--workers", "1"]  # several would record batches in any order
    taken = kept_evidence(case, tool, postgres, options, {})
    read = kept_evidence(case, tool, postgres, options, {"DATACHANGE_READ_POST": "1"})
    return [f"{name} is another where post is read\n{first_difference(read[name], taken[name])}"
            for name in read if read[name] != taken[name]]


def run_all(case, tool, postgres, runs, run=run_once):
    """True if every run was without problems; prints what each gave."""
    good = True
    for options in runs:
        try:
            problems = run(case, tool, postgres, options)
        except (ToolFailed, CsvError, ValueError, KeyError, sqlite3.Error) as error:
            problems = [f"{type(error).__name__}: {error}"]
        good = good and not problems
        label = " ".join(options) or "in one transaction"
        print(f"{case.name} {label}: {f'{len(problems)} problems' if problems else 'ok'}")
        for problem in problems[:20]:
            print(f"  {problem}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", metavar="CASE_DIR")
    parser.add_argument("--datachange", required=True, metavar="PATH")
    parser.add_argument("--mode", choices=MODES, default="single")
    parser.add_argument("--postgres", metavar="URL", default=os.environ.get("DATACHANGE_TEST_POSTGRES"))
    options = parser.parse_args()
    case = Case(options.case)
    if case.single_only and options.mode in ("batched", "sizes"):
        parser.error(f"{case.name} is not for batches")
    needs_server = case.engine == "postgresql"
    with postgres_server(options.postgres) if needs_server else contextlib.nullcontext() as server:
        runs = MODES[options.mode][:1] if case.single_only else MODES[options.mode]
        run = run_reread if options.mode == "reread" else run_once
        good = run_all(case, os.path.abspath(options.datachange), server, runs, run)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
