"""How many faults are injected, and counted."""

import os

_sanitized = os.environ.get("DATACHANGE_SANITIZE", "0").lower() not in ("", "0", "off")
SCALE = float(os.environ.get("DATACHANGE_FAULTS_SCALE") or ("0.2" if _sanitized else "1"))


def times(number):
    """A number of random faults, as the suite is told to scale it."""
    return max(1, round(number * SCALE))


def count(kind):
    """Notes one fault that did take place, for the sums that tests/faults/run prints."""
    path = os.environ.get("DATACHANGE_FAULTS_COUNTS")
    if path:
        with open(path, "a", encoding="utf-8") as file:  # one short line: whole, whoever else appends
            file.write(f"{kind}\n")
