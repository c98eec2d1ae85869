"""A CSV reader that keeps NULL and the empty string apart, which Python's own cannot."""


class CsvError(Exception):
    """The text is not RFC 4180."""


def parse_fields(text):
    """Yields rows as lists of (text, quoted); rows end with LF or CR LF."""
    row, field, quoted, i, size = [], [], False, 0, len(text)
    while i < size:
        char = text[i]
        if char == '"':
            if field or quoted:
                raise CsvError(f"a quote within a field at character {i}")
            quoted = True
            i = _read_quoted(text, i + 1, field)
        elif char in ",\n" or text.startswith("\r\n", i):
            row.append(("".join(field), quoted))
            field, quoted = [], False
            i += 2 if char == "\r" else 1
            if char != ",":
                yield row
                row = []
        elif quoted or char == "\r":
            raise CsvError(f"{char!r} out of place at character {i}")
        else:
            field.append(char)
            i += 1
    if row or field or quoted:
        raise CsvError("the last row has no end")


def _read_quoted(text, i, field):
    while True:
        end = text.find('"', i)
        if end < 0:
            raise CsvError("a quote is never closed")
        field.append(text[i:end])
        if not text.startswith('"', end + 1):
            return end + 1
        field.append('"')
        i = end + 2


def read_table(text, null):
    """(header, rows) with None for NULL: the unquoted field `null`. A text without a header has no rows."""
    rows = [
        [None if value == null and not quoted else value for value, quoted in row]
        for row in parse_fields(text)
    ]
    if not rows:
        return [], []
    header = rows[0]
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise CsvError(f"row {number} has {len(row)} fields, the header {len(header)}")
    return header, rows[1:]


def read_dump(data):
    r"""A dump of psql or of the sqlite3 shell: NULL is \N."""
    return read_table(data.decode("utf-8", "surrogateescape"), "\\N")


def read_evidence(data):
    """A CSV of datachange: NULL is an empty field, the empty string is quoted."""
    return read_table(data.decode("utf-8"), "")
