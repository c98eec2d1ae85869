"""The files with the results. They are written again after each step, so that what goes wrong later loses nothing."""

import dataclasses
import datetime
import json

import markdown
import plot
import summary


class Results:
    """Of one call: `machine` and `engines` describe what was measured on, `sets` are the tables and sizes,
    `processes` the runs of ten rows, `history` the questions to a ledger."""

    def __init__(self, folder, machine, options):
        """@throws OSError where the folder cannot be made"""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._all = {"format": 1, "started_at": _now(), "written_at": None, "options": options, "machine": machine, "engines": {},
                     "sets": [], "processes": [], "history": []}

    def describe_engine(self, engine):
        self._all["engines"][engine.name] = engine.describe()

    def add(self, kind, entry):
        """@param kind sets, processes or history"""
        self._all[kind].append(entry)
        self._write()

    @property
    def wrong(self):
        """Whether any contender left wrong data."""
        return any(measured.failures for measured in [*self._all["sets"], *self._all["processes"]])

    def _write(self):
        self._all["written_at"] = _now()
        text = json.dumps(self._all, default=_as_json, indent=1, ensure_ascii=False)
        (self.folder / "results.json").write_text(text + "\n", encoding="utf-8")
        (self.folder / "results.md").write_text(markdown.render(self._all), encoding="utf-8")
        (self.folder / "times.svg").write_text(plot.render(self._all["sets"]), encoding="utf-8")


def _as_json(measured):
    medians = [dataclasses.asdict(line) for line in summary.lines(measured)]
    return {**dataclasses.asdict(measured), "medians": medians}


def _now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
