"""Many measurements as one line a contender."""

import dataclasses
import statistics

from contenders import REFERENCE


@dataclasses.dataclass(frozen=True)
class Spread:
    """Of one number over the rounds."""

    median: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Line:
    """One contender in one set. Seconds and bytes, each the median over the rounds."""

    contender: str
    wall: Spread
    ratio: Spread | None  # of wall to that of the reference in the same round
    cpu_ratio: float | None  # the same of the CPU of client and server together
    client_cpu: float
    server_cpu: float | None
    peak_bytes: float
    ledger_bytes: float
    csv_bytes: float
    ledger_ratio: float | None


def lines(measured):
    """@returns the Lines of a Set, in the order of its contenders; those without any measurement are left out"""
    return [_line(name, own, _by_round(measured, REFERENCE))
            for name in measured.contenders if (own := _by_round(measured, name))]


def timings(measured):
    """@returns for each contender that told them: its timings, the median of each key, in the order they came"""
    told = {}
    for name in measured.contenders:
        found = [one["tool"]["timings"] for one in _by_round(measured, name).values() if "timings" in one.get("tool", {})]
        numbers = [{key: value for key, value in one.items() if isinstance(value, (int, float))} for one in found]
        if numbers:
            told[name] = {key: statistics.median(one[key] for one in numbers if key in one) for key in numbers[0]}
    return told


def disturbed(measured, cores):
    """@returns the number of measurements during which others used more than a tenth of the machine. The system counts in
    hundredths of a second, so a few of these say nothing."""
    return sum(one["others"] > max(0.1 * cores * one["wall"], 0.03) for one in measured.measurements)


def _by_round(measured, name):
    return {one["round"]: one for one in measured.measurements if one["contender"] == name}


def _line(name, own, reference):
    def median(value):
        return statistics.median(value(one) for one in own.values())

    has_server = all(one["server"] is not None for one in own.values())
    has_ratio = all(one["ledger_ratio"] is not None for one in own.values())
    pairs = [(one, reference[number]) for number, one in own.items() if number in reference]
    return Line(
        contender=name,
        wall=_spread([one["wall"] for one in own.values()]),
        ratio=_spread([one["wall"] / other["wall"] for one, other in pairs]) if pairs else None,
        cpu_ratio=statistics.median(_cpu(one) / _cpu(other) for one, other in pairs) if pairs else None,
        client_cpu=median(lambda one: one["user"] + one["system"]),
        server_cpu=median(lambda one: one["server"]) if has_server else None,
        peak_bytes=median(lambda one: one["peak_bytes"]),
        ledger_bytes=median(lambda one: one["ledger_bytes"]),
        csv_bytes=median(lambda one: sum(one["csv_bytes"].values())),
        ledger_ratio=median(lambda one: one["ledger_ratio"]) if has_ratio else None,
    )


def _cpu(one):
    return one["user"] + one["system"] + (one["server"] or 0)


def _spread(values):
    return Spread(statistics.median(values), min(values), max(values))
