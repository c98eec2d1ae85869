#!/usr/bin/env python3
"""Makes the sample shop on SQLite and PostgreSQL, runs every definition of audits/ on both, and holds the outcomes
against each other: the same rows must have become the same.

    check.py PROJECT DATACHANGE      PostgreSQL: the server of DATACHANGE_TEST_POSTGRES
"""

import csv
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import uuid


def call(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def run_all(project, tool, url, folder):
    """@return version -> what `run --json` printed, with a digest of the identifiers and outcomes of diff.csv."""
    outcomes = {}
    environment = {**os.environ, "DATABASE_URL": url}
    for path in sorted((project / "audits").glob("*.sql")):
        printed = call(tool, "run", path, "--json", "--quiet", cwd=folder, env=environment)
        result = json.loads(printed)
        result["digest"] = [digest(folder, step["csv"]["diff"]) for step in result["steps"]]
        outcomes[result["version"]] = result
    status = json.loads(call(tool, "status", "--json", "--exit-code", "--dir", project / "audits", cwd=folder, env=environment))
    assert all(line["state"] == "done" for line in status["definitions"]), status
    return outcomes


def digest(folder, path):
    """Of the identifiers, actions and columns of a diff; their order is that of the engine's collation."""
    if path is None:
        return None
    with open(folder / path, encoding="utf-8", newline="") as file:
        rows = sorted({tuple(row[:3]) for row in csv.reader(file)})
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def compare(sqlite, postgres):
    problems = []
    for version, result in sqlite.items():
        for field in ("name", "mode", "state", "rows", "digest"):
            if result[field] != postgres[version][field]:
                problems.append(f"{version} {field}: sqlite {result[field]}, postgresql {postgres[version][field]}")
    return problems


def main():
    project, tool = pathlib.Path(sys.argv[1]), sys.argv[2]
    server = urllib.parse.urlsplit(os.environ["DATACHANGE_TEST_POSTGRES"])
    name = "shop_" + uuid.uuid4().hex
    url = server._replace(path="/" + name).geturl()
    with tempfile.TemporaryDirectory(prefix="datachange-samples-") as folder:
        folders = [pathlib.Path(folder, engine) for engine in ("sqlite", "postgres")]
        for engine in folders:
            engine.mkdir()
        call(project / "samples/make-shop", folders[0] / "shop.db")
        sqlite = run_all(project, tool, f"sqlite:{folders[0]}/shop.db", folders[0])
        call("psql", "-qXd", server.geturl(), "-c", f"CREATE DATABASE {name}")
        try:
            call(project / "samples/make-shop", "--postgres", url)
            postgres = run_all(project, tool, url, folders[1])
        finally:
            call("psql", "-qXd", server.geturl(), "-c", f"DROP DATABASE {name} WITH (FORCE)")
    problems = compare(sqlite, postgres)
    for version, result in sqlite.items():
        print(version, result["name"], result["mode"], result["rows"])
    modes = {result["mode"] for result in sqlite.values()}
    if modes != {"single", "batched"}:
        problems.append(f"the definitions show only {modes}")
    print("\n".join(problems) or "ok")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
