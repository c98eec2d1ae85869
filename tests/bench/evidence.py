"""What a contender has left: is it right and complete, and how large is it."""

from contenders_datachange import LEDGER
from errors import WrongData
from sqlite_engine import count_in


def check(contender, place, engine, expected):
    """@param expected digest of the database after the change
    @throws WrongData
    """
    digest = engine.digest(place.dataset)
    if digest != expected:
        raise WrongData(f"left wrong data: rows and checksum are {digest}, not {expected}")
    found = _csv_files(place.folder)
    for name in contender.csvs:
        _expect(f"lines of {name}", _lines(found[name]) if name in found else 0, place.rows)
    if contender.ledger_rows:
        _expect("rows of the ledger", count_in(place.folder / LEDGER, contender.ledger_rows), place.rows)
    if contender.target_rows:
        _expect("rows of the audit table", engine.count(contender.target_rows), place.rows)


def sizes(folder):
    """@returns bytes: of each CSV by name, of the ledger, and the ledger's share of pre.csv and post.csv together"""
    csvs = {name: path.stat().st_size for name, path in sorted(_csv_files(folder).items())}
    ledger = sum(path.stat().st_size for path in folder.glob(f"{LEDGER}*"))
    images = csvs.get("pre.csv", 0) + csvs.get("post.csv", 0)
    return {"csv_bytes": csvs, "ledger_bytes": ledger, "ledger_ratio": ledger / images if ledger and images else None}


def _csv_files(folder):
    return {path.name: path for path in folder.rglob("*.csv")}


def _lines(path):
    """Without the head. No value of the tables has a line break."""
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1


def _expect(what, found, expected):
    if found != expected:
        raise WrongData(f"{what}: {found:,}, not {expected:,}")
