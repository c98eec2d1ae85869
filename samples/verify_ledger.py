#!/usr/bin/env python3
"""Recounts leaves, contents and roots of a ledger from nothing but src/record/ledger/README.md."""
import hashlib, re, sqlite3, sys
from itertools import chain as together


def digest(value):
    return value if value is None else hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()


def fields(*values):
    texts = (None if value is None else str(value).encode() for value in values)
    return b"".join(b"-," if text is None else b"%d:%b," % (len(text), text) for text in texts)


def by_path(row):
    return [row[0], *map(int, row[1].split("."))]


README = open(sys.argv[2] if len(sys.argv) > 2 else f"{sys.path[0]}/../src/record/ledger/README.md", encoding="utf-8").read()
QUERIES = [re.findall(r"/\* (\w+) \*/\s+(SELECT.*?);", part, re.S) for part in re.findall(r"```sql\n(/\*.*?)```", README, re.S)]
FORMATS = {3: QUERIES[0], 2: QUERIES[1]}  # as they stand on that page
ledger = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
ledger.create_function("sha256", 1, digest, deterministic=True)
ledger.execute("BEGIN")
wrong = []
COUNTS = "rows_pre, rows_returned, rows_post, updated, inserted, deleted, unchanged, missing, unexpected"
for run, batch, form, name, leaf, first, last in ledger.execute(
        "SELECT run_id, id, leaf_format, 'run ' || run_id || ' step ' || step || ' batch ' || batch, leaf, first_change, last_change"
        " FROM batch JOIN runs USING (run_id) WHERE leaf IS NOT NULL AND pruned_at IS NULL").fetchall():
    begin = ledger.execute("SELECT uuid, step, batch, lower_key, upper_key FROM batch JOIN runs USING (run_id) WHERE id = ?", [batch])
    rows = ledger.execute(("SELECT action, identifier, new_identifier, before, after, returned FROM change" if form == 1 else
                           "SELECT identifiers, actions, before, after, returned, new_identifiers FROM block") +
                          " WHERE batch_id = ? AND id BETWEEN ? AND ? ORDER BY id", [batch, first, last])
    counts = ledger.execute(f"SELECT {COUNTS} FROM batch WHERE id = ?", [batch])
    text = hashlib.sha256(fields(f"datachange leaf {form}", *begin.fetchone()))
    for row in together(*((counts, rows) if form == 1 else (rows, counts))):
        text.update(fields(*row))
    if text.hexdigest() != leaf:
        wrong.append(f"{name}: the rows are not those that were recorded")
head, newest = "", {}
for link, run, at, leaves, previous, root, form, content, epoch in ledger.execute(
        "SELECT link, run_id, at, leaves, previous, root, format, content, epoch FROM chain ORDER BY link").fetchall():
    uuid = ledger.execute("SELECT value FROM meta WHERE name = 'uuid'").fetchone()[0]
    more = (uuid, link, at, leaves, epoch) if form == 3 else ()
    if previous != head or form > 1 and digest(fields(f"datachange root {form}", *more, previous, content)) != root:
        wrong.append(f"link {link} of the chain was altered")
    head, newest[run] = root, (form, content, epoch)
for run, (form, content, epoch) in newest.items():
    state, now = ledger.execute("SELECT state, epoch FROM runs WHERE run_id = ?", [run]).fetchone()
    if form not in FORMATS or (now > epoch if form == 3 else state in ("processing", "paused")):
        continue  # the run has gone on since, or its content was not kept
    text = b""
    for name, query in FORMATS[form]:
        rows = ledger.execute(query, [run]).fetchall()
        text += b"".join(fields(name, *row) for row in (sorted(rows, key=by_path) if name == "batches" else rows))
    if digest(text) != content:
        wrong.append(f"run {run}: what is recorded of it is not what the chain covers")
print("\n".join(wrong) or f"fits; head {head}")
sys.exit(bool(wrong))
