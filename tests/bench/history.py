"""How long it takes to ask a ledger what happened to one row."""

import contextlib
import shutil
import sqlite3
import statistics

from measure import Command, run_timed


def measure(tool, ledger, measured, table, scratch, times=11):
    """`datachange history` as a whole process, for the row in the middle.

    @param ledger the file of a run of the Set `measured`
    @returns what the JSON file says of it
    """
    identifier = _middle(ledger)
    command = Command((str(tool), "history", "--table", table, "--identifier", identifier, "--ledger", str(ledger), "--json"))
    folder = scratch / "history"
    folder.mkdir()
    try:
        calls = [run_timed(command, folder) for _ in range(times)]
    finally:
        shutil.rmtree(folder)
    return {"engine": measured.engine, "dataset": measured.dataset, "rows": measured.rows,
            "ledger_bytes": ledger.stat().st_size, "seconds": [call.wall for call in calls],
            "median": statistics.median(call.wall for call in calls)}


def _middle(ledger):
    with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        return database.execute("""SELECT identifier FROM change
            WHERE id >= (SELECT (min(id) + max(id)) / 2 FROM change) ORDER BY id LIMIT 1""").fetchone()[0]
