"""Where one contender does its work, once."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Workplace:
    """A database as it was before the change, and an empty folder that is the current one of the contender."""

    folder: pathlib.Path
    target: str  # URL of PostgreSQL, path of SQLite
    dataset: object
    engine: str
    rows: int
    tool: pathlib.Path

    @property
    def change(self):
        return self.dataset.change(self.engine)
