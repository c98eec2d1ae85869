"""A way of making the change, and what it must leave behind."""

import dataclasses
import typing

from measure import Command
from workplace import Workplace


@dataclasses.dataclass(frozen=True)
class Contender:
    """One line of the tables. `command` is what is timed, from its start to its end."""

    name: str
    engine: str
    about: str
    command: typing.Callable[[Workplace], Command]
    prepare: typing.Callable[[Workplace], str] = lambda _: ""  # SQL that is run before, untimed
    csvs: tuple = ()  # names of files that must have a line for each row
    ledger_rows: str = ""  # asks ledger.db for its number of rows
    target_rows: str = ""  # asks the changed database for the number of rows of its audit table
    tool: bool = False  # it is datachange
