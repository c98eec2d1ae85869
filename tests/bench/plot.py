"""Seconds against rows, both logarithmic: a panel for each engine and table, a line for each contender."""

import html
import math

import summary
from contenders import REFERENCE

# name: colour on light, colour on dark ground
_COLOURS = {
    REFERENCE: ("#3d3c39", "#d8d6ce"),
    "psql-csv": ("#b97800", "#d9a21b"), "sqlite3-csv": ("#b97800", "#d9a21b"),
    "psql-batched": ("#128a5f", "#23b183"), "sqlite3-ledger": ("#128a5f", "#23b183"),
    "trigger": ("#d63a39", "#ee7170"),
    "psql-returning": ("#c2458a", "#e27fb2"),
    "datachange": ("#1f66c1", "#4f9bf0"),
    "datachange-2-workers": ("#5a45c9", "#a397f5"),
    "datachange-single": ("#0b8296", "#35b5ca"),
}
_WIDTH, _HEIGHT = 680, 410  # of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 236, 56, 44  # its margins; the labels stand in the right one
_LABEL_STEP = 16


def render(sets):
    """@returns an SVG text, or an empty one where there is nothing to draw"""
    panels = {}
    for measured in sets:
        if measured.measurements:
            panels.setdefault((measured.engine, measured.dataset), []).append(measured)
    if not panels:
        return ""
    engines = list(dict.fromkeys(engine for engine, _ in panels))
    datasets = list(dict.fromkeys(dataset for _, dataset in panels))
    width, height = _WIDTH * len(engines), _HEIGHT * len(datasets)
    drawn = [f'<g transform="translate({engines.index(engine) * _WIDTH},{datasets.index(dataset) * _HEIGHT})">'
             f"{_Panel(f'{engine}, {dataset}', found).draw()}</g>" for (engine, dataset), found in panels.items()]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="Seconds against rows">\n<style>{_style()}</style>\n'
            f'<rect class="ground" width="{width}" height="{height}"/>\n' + "\n".join(drawn) + "\n</svg>\n")


def _style():
    """Without CSS variables, which few programs besides browsers know."""
    return ("text{font:12px system-ui,'DejaVu Sans',sans-serif}.title{font-size:14px;font-weight:600}.label{font-weight:600}"
            ".curve,.leader{fill:none;stroke-width:2;stroke-linejoin:round}.leader{stroke-width:1;opacity:.55}"
            f".spread,.dot{{stroke-width:1.5}}.{REFERENCE} .curve{{stroke-width:3}}" +
            _colours(0, "#fdfdfb", "#1c1b19", "#5e5c56", "#e4e2dc") +
            f"@media(prefers-color-scheme:dark){{{_colours(1, '#191918', '#f4f3ef', '#b5b3ab', '#363531')}}}")


def _colours(which, ground, ink, soft, grid):
    lines = "".join(f".{name} .curve,.{name} .spread,.{name} .leader{{stroke:{pair[which]}}}"
                    f".{name} .dot,.{name} .label{{fill:{pair[which]}}}" for name, pair in _COLOURS.items())
    return f".ground{{fill:{ground}}}.dot{{stroke:{ground}}}text{{fill:{soft}}}.title{{fill:{ink}}}.grid{{stroke:{grid}}}" + lines


class _Panel:
    """One pair of axes."""

    def __init__(self, title, sets):
        self._title = title
        self._sizes = sorted(measured.rows for measured in sets)
        self._curves = {}  # contender: its (rows, Line)
        for measured in sorted(sets, key=lambda one: one.rows):
            for line in summary.lines(measured):
                self._curves.setdefault(line.contender, []).append((measured.rows, line))
        every = [line.wall for points in self._curves.values() for _, line in points]
        round_numbers = _round_numbers(min(wall.low for wall in every), max(wall.high for wall in every))
        self._low, self._high = round_numbers[0], round_numbers[-1]
        # 1, 2 and 5 of each power of ten, or where these are many the powers alone
        self._ticks = [number for number in round_numbers if len(round_numbers) <= 10 or f"{number:e}"[0] == "1"]

    def draw(self):
        return "".join([self._axes(), *(self._curve(name, points) for name, points in self._curves.items()), self._labels()])

    def _x(self, rows):
        low, high = math.log(self._sizes[0]), math.log(self._sizes[-1])
        share = (math.log(rows) - low) / (high - low) if high > low else 0.5
        return _LEFT + 14 + share * (_WIDTH - _LEFT - _RIGHT - 28)

    def _y(self, seconds):
        low, high = math.log(self._low), math.log(self._high)
        return _HEIGHT - _BOTTOM - (math.log(seconds) - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def _axes(self):
        right = _WIDTH - _RIGHT
        parts = [f'<text class="title" x="{_LEFT}" y="22">{html.escape(self._title)}</text>',
                 f'<text x="{_LEFT}" y="38">seconds, and their ratio to bare; marks span all rounds</text>']
        for tick in self._ticks:
            y = self._y(tick)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                         f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
        for rows in self._sizes:
            parts.append(f'<text x="{self._x(rows):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{rows:,}</text>')
        parts.append(f'<text x="{right}" y="{_HEIGHT - 8}" text-anchor="end">rows</text>')
        return "".join(parts)

    def _curve(self, name, points):
        path = " ".join(f"{self._x(rows):.1f},{self._y(line.wall.median):.1f}" for rows, line in points)
        parts = [f'<polyline class="curve" points="{path}"/>']
        for rows, line in points:
            x = self._x(rows)
            parts.append(f'<line class="spread" x1="{x:.1f}" x2="{x:.1f}" y1="{self._y(line.wall.low):.1f}" '
                         f'y2="{self._y(line.wall.high):.1f}"/>'
                         f'<circle class="dot" cx="{x:.1f}" cy="{self._y(line.wall.median):.1f}" r="3.5"/>')
        return f'<g class="{name}">{"".join(parts)}</g>'

    def _labels(self):
        """Each beside the end of its line, with the ratio there; a thin line leads to those that had to move."""
        ends = {name: points[-1] for name, points in self._curves.items()}
        wanted = {name: self._y(line.wall.median) for name, (_, line) in ends.items()}
        parts = []
        for name, y in _apart(wanted, _TOP, _HEIGHT - _BOTTOM).items():
            rows, line = ends[name]
            x, label_x = self._x(rows) + 6, _WIDTH - _RIGHT + 14
            ratio = f" {line.ratio.median:.2f}×" if line.ratio and name != REFERENCE else ""
            parts.append(f'<g class="{name}"><path class="leader" d="M{x:.1f},{wanted[name]:.1f} L{label_x - 4},{y:.1f}"/>'
                         f'<text class="label" x="{label_x}" y="{y + 4:.1f}">{html.escape(name + ratio)}</text></g>')
        return "".join(parts)


def _round_numbers(low, high):
    """1, 2 and 5 of each power of ten, the first not above `low`, the last not below `high`."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [digit * 10.0 ** power for power in powers for digit in (1, 2, 5)]
    first = max(index for index, number in enumerate(numbers) if number <= low)
    last = min(index for index, number in enumerate(numbers) if number >= high)
    return numbers[first:last + 1]


def _apart(wanted, top, bottom):
    """@returns for each name a height near the wanted one, no two closer than a line of text"""
    names = sorted(wanted, key=wanted.get)
    heights = []
    for name in names:
        heights.append(max(wanted[name], heights[-1] + _LABEL_STEP if heights else top))
    limit = bottom
    for index in reversed(range(len(names))):
        heights[index] = min(heights[index], limit)
        limit = heights[index] - _LABEL_STEP
    return dict(zip(names, heights))
