"""The results as tables for people."""

import summary

_MEGABYTE = 1_000_000


def render(results):
    """@param results as in results.py; what is not measured yet is left out"""
    parts = [_head(results["machine"], results["engines"])]
    parts += [_set_table(measured) for measured in results["sets"]]
    parts += [table for measured in results["sets"] if (table := _timings_table(measured))]
    parts += _growth_tables(results["sets"])
    parts += [_process_table(measured) for measured in results["processes"]]
    if results["history"]:
        parts.append(_history_table(results["history"]))
    parts.append(_disturbance(results))
    return "\n".join(parts)


def seconds(value):
    """Three digits or so."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _head(machine, engines):
    lines = [f"- {machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB",
             f"- {machine['system']}, kernel {machine['kernel']}, databases on {machine['filesystem']}",
             f"- {machine['datachange']}, SHA-256 {machine['datachange_sha256'][:12]}"]
    lines += [f"- {engine}: {about['version']}" for engine, about in engines.items()]
    return "# Cost of a change\n\n" + "\n".join(lines) + "\n"


def _set_table(measured):
    rows = []
    for line in summary.lines(measured):
        rows.append([
            line.contender, seconds(line.wall.median), f"{seconds(line.wall.low)}..{seconds(line.wall.high)}", _ratio(line),
            f"{line.wall.median / measured.rows * 1e6:.2f}", seconds(line.client_cpu),
            seconds(line.server_cpu) if line.server_cpu is not None else "",
            f"{line.cpu_ratio:.2f}" if line.cpu_ratio is not None else "", f"{line.peak_bytes / _MEGABYTE:.0f}",
            _megabytes(line.csv_bytes), _megabytes(line.ledger_bytes),
            f"{line.ledger_ratio:.2f}" if line.ledger_ratio else ""])
    head = ["contender", "seconds", "min..max", "to bare", "µs/row", "client CPU s", "server CPU s", "CPU to bare",
            "peak MB", "CSV MB", "ledger MB", "ledger/CSV"]
    return f"## {_title(measured)}\n\nMedian of {measured.rounds} rounds.\n\n" + _table(head, rows) + _failures(measured)


def _process_table(measured):
    rows = [[line.contender, f"{line.wall.median * 1000:.1f}", f"{line.wall.low * 1000:.1f}..{line.wall.high * 1000:.1f}",
             _ratio(line), f"{line.client_cpu * 1000:.1f}", f"{line.peak_bytes / _MEGABYTE:.0f}"]
            for line in summary.lines(measured)]
    return f"## {_title(measured)}, as a whole process\n\nMedian of {measured.rounds} rounds.\n\n" + _table(
        ["contender", "ms", "min..max", "to bare", "client CPU ms", "peak MB"], rows) + _failures(measured)


def _timings_table(measured):
    told = summary.timings(measured)
    if not told:
        return ""
    keys = list(dict.fromkeys(key for one in told.values() for key in one))
    rows = [[name, *(seconds(one[key]) if key in one else "" for key in keys)] for name, one in told.items()]
    return f"### {_title(measured)}: where the tool says its seconds went\n\n" + _table(["contender", *keys], rows)


def _growth_tables(sets):
    tables = []
    for engine, dataset in dict.fromkeys((measured.engine, measured.dataset) for measured in sets):
        sized = sorted((one for one in sets if (one.engine, one.dataset) == (engine, dataset)), key=lambda one: one.rows)
        if len(sized) > 1:
            tables.append(_growth_table(engine, dataset, sized))
    return tables


def _growth_table(engine, dataset, sized):
    per_row = {}
    for measured in sized:
        for line in summary.lines(measured):
            per_row.setdefault(line.contender, {})[measured.rows] = line.wall.median / measured.rows * 1e6
    before, last = sized[-2].rows, sized[-1].rows
    rows = [[name, *(f"{found[one.rows]:.2f}" if one.rows in found else "" for one in sized),
             f"{found[last] / found[before]:.2f}" if last in found and before in found else ""]
            for name, found in per_row.items()]
    head = ["contender", *(f"{one.rows:,}" for one in sized), f"{last:,} to {before:,}"]
    return f"## {engine}, {dataset}: microseconds per row by size\n\n" + _table(head, rows)


def _history_table(entries):
    rows = [[one["engine"], one["dataset"], f"{one['rows']:,}", _megabytes(one["ledger_bytes"]), f"{one['median'] * 1000:.1f}",
             f"{min(one['seconds']) * 1000:.1f}..{max(one['seconds']) * 1000:.1f}"] for one in entries]
    return "## datachange history --identifier, as a whole process\n\n" + _table(
        ["engine", "dataset", "rows", "ledger MB", "ms", "min..max"], rows)


def _disturbance(results):
    cores = results["machine"]["cores"]
    every = [*results["sets"], *results["processes"]]
    number = sum(summary.disturbed(measured, cores) for measured in every)
    total = sum(len(measured.measurements) for measured in every)
    return f"During {number} of {total} measurements others used more than a tenth of the machine.\n"


def _ratio(line):
    return f"{line.ratio.median:.2f} ({line.ratio.low:.2f}..{line.ratio.high:.2f})" if line.ratio else ""


def _failures(measured):
    return "".join(f"\n**{name}** failed and is left out after that: {error}\n" for name, error in measured.failures.items())


def _title(measured):
    return f"{measured.engine}, {measured.dataset}, {measured.rows:,} rows"


def _megabytes(number):
    return f"{number / _MEGABYTE:.1f}" if number else ""


def _table(head, rows):
    """The first column is text, all others are numbers."""
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] + ["---:"] * (len(head) - 1), *rows]]
    return "\n".join(lines) + "\n"
