"""All contenders on one table of one size, in rounds: A B C, A B C, ..."""

import dataclasses
import os
import shutil

import evidence
from contenders_datachange import LEDGER, told
from errors import WrongData
from measure import run_timed
from workplace import Workplace


@dataclasses.dataclass
class Set:
    """The measurements of one engine, table and size. `failures` tells by contender what it got wrong; such a one is
    left out of the rounds that follow."""

    engine: str
    dataset: str
    rows: int
    rounds: int
    contenders: list
    measurements: list = dataclasses.field(default_factory=list)
    failures: dict = dataclasses.field(default_factory=dict)


class Rounds:
    """@param say gets a line of text after each run
    @param keep_ledger the file where the newest ledger of datachange is kept, or None
    """

    def __init__(self, engine, tool, scratch, say, keep_ledger=None):
        self._engine, self._tool, self._scratch, self._say, self._keep_ledger = engine, tool, scratch, say, keep_ledger

    def run(self, dataset, rows, contenders, rounds):
        """@returns a Set"""
        result = Set(self._engine.name, dataset.name, rows, rounds, [contender.name for contender in contenders])
        self._engine.make_template(dataset, rows)
        expected = self._engine.expected_digest(dataset)
        # one round more of the first contender, not counted: the server writes its first log files, the disk its first blocks
        self._run_once(contenders[0], dataset, rows, expected)
        for number in range(1, rounds + 1):
            for contender in contenders:
                if contender.name not in result.failures:
                    self._measure(contender, dataset, number, expected, result)
        return result

    def _measure(self, contender, dataset, number, expected, result):
        where = f"{result.engine} {result.dataset} {result.rows:,} rows, round {number} of {result.rounds}: {contender.name}"
        try:
            measurement = self._run_once(contender, dataset, result.rows, expected)
        except WrongData as error:
            result.failures[contender.name] = str(error)
            self._say(f"{where}: FAILED: {error}")
            return
        result.measurements.append({"round": number, "contender": contender.name, **measurement})
        self._say(f"{where}: {measurement['wall']:.3f} s")

    def _run_once(self, contender, dataset, rows, expected):
        folder = self._scratch / "work"
        folder.mkdir()
        try:
            place = Workplace(folder, self._engine.target, dataset, self._engine.name, rows, self._tool)
            self._engine.restore(dataset, contender.prepare(place))
            usage = run_timed(contender.command(place), folder, self._engine.cpu)
            evidence.check(contender, place, self._engine, expected)
            measurement = {**dataclasses.asdict(usage), **evidence.sizes(folder)}
            if contender.tool:
                measurement["tool"] = told(folder)
                if self._keep_ledger:
                    os.replace(folder / LEDGER, self._keep_ledger)
            return measurement
        finally:
            shutil.rmtree(folder)
