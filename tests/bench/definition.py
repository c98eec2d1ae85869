"""The change of a definition as the other contenders need it: its statements, without the tool's macros."""

import dataclasses
import re

_SECTION = re.compile(r"^-- audit:(\w+)$", re.MULTILINE)
_BATCH = re.compile(r":batch\([^)]*\)")


@dataclasses.dataclass(frozen=True)
class Change:
    """The texts of one definition. What a `:batch` stands for is put in by the methods."""

    table: str
    pre: str
    update: str  # without RETURNING
    returning: str  # the columns

    def select_before(self):
        return _BATCH.sub("TRUE", self.pre)

    def select_after(self):
        return f"SELECT {self.returning} FROM {self.table}"

    def whole_update(self):
        return _BATCH.sub("TRUE", self.update)

    def range_update(self, condition):
        """@param condition takes the place of `:batch`"""
        return _BATCH.sub(lambda _: condition, self.update)

    def update_returning(self):
        return f"{self.whole_update()} RETURNING {self.returning}"


def read(path):
    """@returns the Change of a definition with one statement; everything on one line"""
    parts = _SECTION.split(path.read_text(encoding="utf-8"))
    header, sections = parts[0], dict(zip(parts[1::2], parts[2::2]))
    table = re.search(r"^-- table: (\w+)$", header, re.MULTILINE)[1]
    update, returning = _one_line(sections["change"]).split(" RETURNING ")
    return Change(table, _one_line(sections["pre"]), update, returning)


def _one_line(statement):
    return " ".join(statement.split()).removesuffix(";")
