"""All of a run for the ticket: the archive, CSV files that are compressed or split."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import unittest
import zipfile

from databases import numbers
from support import TOOL, PostgresCase, SqliteCase, small
from test_export import FILES, ExportCase

MEMBERS = sorted([*(f"{file}.csv" for file in FILES), "definition.sql", "manifest.json", "report.html", "summary.md"])
# the sanitizers' own library has to be loaded first, and faketime's is
LATER = () if os.environ.get("DATACHANGE_SANITIZE") == "1" else ("faketime", "2031-05-05 05:05:05")
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"}


def members_of(path):
    """{name: bytes} of an archive, in its order."""
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


class BundleTests(ExportCase):
    archives = ("b.zip", "b.tar.gz")

    def test_it_has_everything_and_says_so(self):
        printed = self.run_ok(*small(2))
        for name in self.archives:
            self.export("-o", name)
            members = members_of(self.path(name))
            self.assertEqual(list(members), MEMBERS)
            for file in FILES:
                self.assertEqual(members[f"{file}.csv"], self.read(printed["csv"][file]))
            self.assertEqual(members["definition.sql"], self.read("audits/20260101000000_fill.sql"))
            self.assertIn(b"| ticket | OPS-1 |", members["summary.md"])
            self.assertIn(b"Content-Security-Policy", members["report.html"])
            manifest = json.loads(members.pop("manifest.json"))
            self.assertEqual({file["name"]: (file["bytes"], file["sha256"]) for file in manifest["files"]},
                             {name: (len(text), hashlib.sha256(text).hexdigest()) for name, text in members.items()})
            self.assertEqual((manifest["run"], manifest["uuid"], manifest["ticket"]), (1, printed["uuid"], "OPS-1"))
            self.assertEqual(manifest["head"], self.ledger("SELECT root FROM runs")[0][0])

    def test_other_programs_read_it(self):
        self.run_ok()
        for name in self.archives:
            self.export("-o", name)
        for command in (["unzip", "-t", "b.zip"], ["tar", "-tzf", "b.tar.gz"], ["gzip", "-t", "b.tar.gz"]):
            done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, b""), done)

    def test_the_same_run_gives_the_same_bytes(self):
        self.run_ok()
        for name in self.archives:
            self.export("-o", name)
            self.export("-o", "again-" + name, prefix=LATER, **ELSEWHERE)
            self.assertEqual(self.read(name), self.read("again-" + name))

    def export(self, *flags, run="1", prefix=(), **variables):
        result = self.tool("export", run, *flags, prefix=prefix, **variables)
        self.assertEqual(result.code, 0, result)
        return result.out

    def test_times_and_modes_are_fixed(self):
        self.run_ok()
        finished = self.ledger("SELECT finished_at FROM runs")[0][0]
        for name in self.archives:
            self.export("-o", name, **ELSEWHERE)
        with zipfile.ZipFile(self.path("b.zip")) as archive:
            for member in archive.infolist():
                self.assertEqual((member.external_attr >> 16) & 0o777, 0o600)
                self.assertEqual("%04d-%02d-%02dT%02d:%02d" % member.date_time[:5], finished[:16])
        with tarfile.open(self.path("b.tar.gz")) as archive:
            self.assertEqual({(member.mode, member.uid, member.gid, member.uname) for member in archive},
                             {(0o600, 0, 0, "")})
        self.assertEqual(self.read("b.tar.gz")[4:8], bytes(4))

    def test_through_a_pipe(self):
        self.run_ok()
        done = subprocess.run([TOOL, "export", "1", "--format", "bundle"], cwd=self.folder, env=self.environment(),
                              capture_output=True, check=True)
        self.assertEqual(zipfile.ZipFile(io.BytesIO(done.stdout)).namelist(), MEMBERS)

    def test_never_to_a_terminal(self):
        self.run_ok()
        done = subprocess.run(["script", "--quiet", "--return", "--command", f"'{TOOL}' export 1 --format bundle", "/dev/null"],
                              cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"not for a terminal", done.stdout)

    def test_a_run_without_rows(self):
        self.run_ok("--dry-run")
        self.export("-o", "b.zip")
        self.assertEqual(sorted(members_of(self.path("b.zip"))),
                         ["definition.sql", "manifest.json", "report.html", "summary.md"])

    def test_names_of_other_scripts(self):
        self.database.execute('CREATE TABLE "Größe" (id integer PRIMARY KEY); INSERT INTO "Größe" VALUES (1)')
        self.define(name="watched", version="20260101000001",
                    tail='-- audit:watch "Größe"\n-- identifier: id\nSELECT id FROM "Größe";')
        self.run_ok(definition="watched")
        for name in self.archives:
            self.export("-o", name, **ELSEWHERE)
            self.assertIn("2_watch_Größe.diff.csv", members_of(self.path(name)))


class PartTests(ExportCase):
    """Many rows, in files of a limited size."""

    def setUp(self):
        super().setUp()
        self.database.execute(f"CREATE TABLE many (id integer PRIMARY KEY, v text);"
                              f"{numbers(2000)} INSERT INTO many SELECT i, 'a, \"' || i FROM n;")
        self.define(name="many", version="20260101000001", table="many", pre="SELECT id, v FROM many",
                    change="UPDATE many SET v = v || 'x' RETURNING id, v")
        self.csv_paths = self.run_ok(definition="many")["csv"]
        self.whole = self.read(self.csv_paths["diff"])

    def joined(self, parts):
        header = parts[0].partition(b"\r\n")[0] + b"\r\n"
        for part in parts:
            self.assertTrue(part.startswith(header) and part.endswith(b"\r\n") and len(part) > len(header))
        return header + b"".join(part[len(header):] for part in parts)

    def test_parts_are_the_whole(self):
        self.export("-o", "out.csv", "--csv-split", "10KB")
        manifest = json.loads(self.read("out.csv.manifest.json"))
        parts = [self.read(file["name"]) for file in manifest["files"]]
        self.assertGreater(len(parts), 3)
        self.assertEqual([file["name"] for file in manifest["files"]],
                         [f"out.{number:03}.csv" for number in range(1, len(parts) + 1)])
        self.assertEqual([(file["bytes"], file["sha256"]) for file in manifest["files"]],
                         [(len(part), hashlib.sha256(part).hexdigest()) for part in parts])
        self.assertLessEqual(max(map(len, parts)), 10 * 1024)
        self.assertEqual(self.joined(parts), self.whole)
        self.assertFalse(os.path.exists(self.path("out.csv")))

    def test_a_record_is_never_split(self):
        self.export("-o", "out.csv", "--csv-split", "1")
        self.assertEqual(self.read("out.2000.csv").count(b"\r\n"), 2)

    def test_nothing_is_left_of_parts_that_cannot_all_be_written(self):
        self.write("out.003.csv", "mine")
        self.assert_failed(self.tool("export", "1", "-o", "out.csv", "--csv-split", "10KB"), 2, "out.003.csv")
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("out.")], ["out.003.csv"])

    def test_more_parts_in_a_bundle_than_files_can_be_open(self):
        self.export("-o", "b.zip", "--csv-split", "1")
        members = members_of(self.path("b.zip"))
        self.assertEqual(len(members), 4 * 2000 + 4)
        self.assertEqual(self.joined([members[f"diff.{number:03}.csv"] for number in range(1, 2001)]), self.whole)

    def test_compressed(self):
        self.export("-o", "out.csv.gz", "--csv-gzip")
        self.export("-o", "again.csv.gz", **ELSEWHERE)  # the name says it
        packed = self.read("out.csv.gz")
        self.assertEqual(gzip.decompress(packed), self.whole)
        self.assertEqual(packed, self.read("again.csv.gz"))
        self.assertEqual(packed[4:8], bytes(4))

    def test_compressed_parts(self):
        self.export("-o", "out.csv", "--csv-split", "10KB", "--csv-gzip")
        names = sorted(name for name in os.listdir(self.folder) if name.endswith(".csv.gz"))
        self.assertEqual(names[0], "out.001.csv.gz")
        self.assertEqual(self.joined([gzip.decompress(self.read(name)) for name in names]), self.whole)

    def test_in_a_bundle(self):
        self.export("-o", "b.zip", "--csv-split", "20KB", "--csv-gzip")
        members = members_of(self.path("b.zip"))
        parts = [gzip.decompress(text) for name, text in members.items() if name.startswith("diff.")]
        self.assertEqual(self.joined(parts), self.whole)
        self.assertEqual({file["name"] for file in json.loads(members["manifest.json"])["files"]},
                         set(members) - {"manifest.json"})


class BundleOnSqlite(BundleTests, SqliteCase):
    pass


class BundleOnPostgres(BundleTests, PostgresCase):
    pass


class PartsOnSqlite(PartTests, SqliteCase):
    pass


if __name__ == "__main__":
    unittest.main()
