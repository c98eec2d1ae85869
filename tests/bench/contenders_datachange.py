"""The tool itself."""

import json

from contender import Contender
from measure import Command

LEDGER = "ledger.db"


def contenders(timings):
    """@param timings whether this tool has --timings"""
    def entry(name, engine, about, *flags):
        return Contender(
            name, engine, about,
            command=lambda place: Command((
                str(place.tool), "run", str(place.dataset.definition_path(engine)), "--database", place.target,
                "--dir", str(place.dataset.definition_path(engine).parent), "--ledger", LEDGER, "--csv-dir", "csv",
                "--operator", "bench", "--progress", "none", "--json", *flags, *(["--timings"] if timings else []))),
            csvs=("pre.csv", "change.csv", "post.csv"),
            ledger_rows="SELECT count(*) FROM changes WHERE action = 'updated'", tool=True)

    return [
        entry("datachange", "postgresql", "datachange run --workers 1", "--workers", "1"),
        entry("datachange-2-workers", "postgresql", "datachange run --workers 2", "--workers", "2"),
        entry("datachange-single", "postgresql", "datachange run --single-transaction", "--single-transaction"),
        entry("datachange", "sqlite", "datachange run"),
        entry("datachange-single", "sqlite", "datachange run --single-transaction", "--single-transaction"),
    ]


def told(folder):
    """What the tool said of its run: mode, batches, and where it has them its timings."""
    result = json.loads((folder / "stdout").read_text(encoding="utf-8"))
    return {name: result[name] for name in ("mode", "batches", "duration_ms", "timings") if name in result}
