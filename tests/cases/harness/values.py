"""Values as a dump shows them against values as datachange shows them."""

import json
import re


class Number(str):
    """A JSON number, digits as they stand."""


def parse_json(text):
    """JSON whose numbers keep their digits."""
    return json.loads(text, parse_int=Number, parse_float=Number)


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?[Ii]nf")
_INTEGER = re.compile(r"[+-]?\d+")


def same_number(first, second):
    """Equal as SQLite's numbers: integers exactly, else as double precision."""
    if not (_NUMBER.fullmatch(first) and _NUMBER.fullmatch(second)):
        return False
    if _INTEGER.fullmatch(first) and _INTEGER.fullmatch(second):
        return int(first) == int(second)
    return float(first) == float(second)


def same_json(engine, dumped, value):
    """True if a value of the ledger is the dumped text (None: NULL)."""
    if dumped is None or value is None:
        return dumped is None and value is None
    if isinstance(value, bool):
        return engine == "postgresql" and dumped == ("t" if value else "f")
    if isinstance(value, Number):
        return dumped == value or (engine == "sqlite" and same_number(dumped, value))
    if isinstance(value, dict):
        return engine == "sqlite" and _same_tagged(dumped, value)
    return dumped == value


def _same_tagged(dumped, value):
    [(tag, content)] = value.items()
    if tag == "$real":
        return same_number(dumped, content)
    return dumped.encode("utf-8", "surrogateescape") == bytes.fromhex(content)


def same_field(engine, dumped, field):
    """True if a field of a CSV is the dumped text (None: NULL)."""
    if dumped is None or field is None:
        return dumped is None and field is None
    # the shell of SQLite prints reals with 15 digits, the evidence with 17
    is_real = re.search(r"[.eEf]", dumped + field) is not None
    return dumped == field or (engine == "sqlite" and is_real and same_number(dumped, field))


def split_identifier(text, columns):
    """The texts of an identifier of the ledger or of diff.csv."""
    if columns == 1:
        return (text,)
    values = json.loads(text)
    if not isinstance(values, list) or len(values) != columns or not all(isinstance(v, str) for v in values):
        raise ValueError(f"identifier {text!r} is no array of {columns} texts")
    return tuple(values)
