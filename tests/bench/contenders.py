"""Who takes part."""

import subprocess

import contenders_datachange
import contenders_postgresql
import contenders_sqlite
from measure import clean_environment

REFERENCE = "bare"  # what the others are held against


def all_contenders(tool=None):
    """In the order of a round, for both engines.

    @param tool path of datachange, which is asked for what it has
    """
    timings = tool is not None and _has_timings(tool)
    return [*contenders_postgresql.CONTENDERS, *contenders_sqlite.CONTENDERS, *contenders_datachange.contenders(timings)]


def of_engine(everybody, engine, names):
    """Those of that engine with these names (None: all). The reference is always among them."""
    return [contender for contender in everybody if contender.engine == engine
            and (names is None or contender.name in names or contender.name == REFERENCE)]


def _has_timings(tool):
    done = subprocess.run([tool, "run", "--help"], capture_output=True, text=True, check=False, env=clean_environment("/"))
    return "--timings" in done.stdout
