"""The command line."""

import argparse
import pathlib
import re
import time

import contenders
import datasets
from errors import BenchError

ROOT = pathlib.Path(__file__).resolve().parents[2]
_EXAMPLES = """
examples:
  tests/bench/run --quick                                     a first look, in two minutes
  tests/bench/run --engine postgresql --dataset narrow        10k, 100k and 1M rows
  tests/bench/run --dataset wide --rows 100k --rounds 15 --contender datachange trigger

exit status: 0 measured, 1 a contender left wrong data or something broke, 2 wrong usage
"""


def parse(arguments):
    """@throws BenchError for what it does not know; SystemExit after --help"""
    options = _parser().parse_args(arguments)
    if options.dataset is not None:
        _must_know("dataset", options.dataset, [each.name for each in datasets.DATASETS])
    options.datasets = [each for each in datasets.DATASETS if options.dataset is None or each.name in options.dataset]
    options.engines = list(datasets.ENGINES) if options.engine == "both" else [options.engine]
    if options.contender is not None:
        everybody = contenders.all_contenders()
        _must_know("contender", options.contender, list(dict.fromkeys(each.name for each in everybody)))
        if not any(each.name in options.contender for each in everybody if each.engine in options.engines):
            raise BenchError(f"{', '.join(options.contender)} cannot run on {options.engine}", "--list tells who runs where.", 2)
    _fill_in(options)
    return options


def listing():
    """What --list prints."""
    lines = ["datasets"]
    lines += [f"  {one.name:22}{one.about}" for one in datasets.DATASETS]
    for engine in datasets.ENGINES:
        lines.append(f"contenders on {engine}")
        lines += [f"  {one.name:22}{one.about}" for one in contenders.of_engine(contenders.all_contenders(), engine, None)]
    return "\n".join(lines)


def _parser():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_EXAMPLES,
        description="Measures what an audited change costs beside the bare UPDATE and other ways of making it. It starts a "
                    "PostgreSQL server of its own. See tests/bench/README.md.")
    add = parser.add_argument
    add("--rows", nargs="+", type=_row_number, metavar="ROWS", help="sizes of the tables (default 10k 100k 1M)")
    add("--rounds", type=_positive, help="how often each contender runs (default 5)")
    add("--engine", choices=[*datasets.ENGINES, "both"], default="both", help="default both")
    add("--dataset", nargs="+", metavar="NAME", help="tables (default all)")
    add("--contender", nargs="+", metavar="NAME", help=f"who takes part (default all); {contenders.REFERENCE} always does")
    add("--datachange", type=pathlib.Path, metavar="PATH", default=ROOT / "build" / "datachange",
        help="the tool (default build/datachange); a release build is what should be measured")
    add("--quick", action="store_true", help="narrow alone, 10k and 100k rows, 3 rounds: two minutes")
    add("--long", action="store_true", help="10M rows as well; takes hours with all datasets")
    add("--output", type=pathlib.Path, metavar="DIR", help="folder for results.json, results.md and times.svg "
        "(default a new one in build/bench)")
    add("--scratch", type=pathlib.Path, metavar="DIR", default=pathlib.Path("/tmp"), help="the databases are made in a new "
        "folder in there, on the disk that is measured (default /tmp); the user postgres must be able to reach it")
    add("--list", action="store_true", help="print the datasets and contenders, and end")
    return parser


def _fill_in(options):
    """What was not given. --quick and --long change defaults, not what was said."""
    if options.quick and options.dataset is None:
        options.datasets = [datasets.NARROW]
    options.rows = sorted(set(options.rows or ([10_000, 100_000] if options.quick else [10_000, 100_000, 1_000_000])))
    if options.long and 10_000_000 not in options.rows:
        options.rows.append(10_000_000)
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.process_rounds = 10 if options.quick else 30
    options.output = options.output or ROOT / "build" / "bench" / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    options.datachange = options.datachange.absolute()


def _must_know(what, names, known):
    for name in names:
        if name not in known:
            raise BenchError(f"there is no {what} {name}", f"Known are: {', '.join(known)}.", 2)


def _row_number(text):
    found = re.fullmatch(r"(\d+)([kM]?)", text)
    number = int(found[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[found[2]] if found else 0
    if not 1 <= number <= 100_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number of rows like 5000, 10k or 1M, up to 100M")
    return number


def _positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of 1 or more")
    return int(text)
