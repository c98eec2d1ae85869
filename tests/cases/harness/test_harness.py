"""The checks of the case runner themselves: that they see what is wrong."""

import os
import tempfile
import unittest

from harness.csv_text import CsvError, read_dump, read_evidence
from harness.databases import with_database
from harness.evidence import LedgerRow, check_csvs, check_ledger
from harness.truth import step_truth
from harness.values import Number, parse_json, same_field, same_json, split_identifier

STEP = {"step": 1, "table": "t", "identifier": ["id"], "columns": ["v"]}
BEFORE = b"id,v,other\n1,a,x\n2,\\N,x\n3,c,x\n4,d,x\n"
AFTER = b"id,v,other\n1,b,x\n2,,x\n4,d,y\n5,e,x\n"


class CsvText(unittest.TestCase):
    def test_null_and_the_empty_string_stay_apart(self):
        self.assertEqual(read_evidence(b'a,b\r\n,""\r\n'), (["a", "b"], [[None, ""]]))
        self.assertEqual(read_dump(b'a,b,c\n\\N,,"\\N"\n'), (["a", "b", "c"], [[None, "", "\\N"]]))

    def test_quotes_commas_and_line_breaks(self):
        self.assertEqual(read_evidence(b'a\r\n"x,""y""\nz"\r\n')[1], [['x,"y"\nz']])

    def test_what_is_no_csv_is_refused(self):
        for text in (b'a\r\nb"c\r\n', b'a\r\n"b', b'a\r\n"b"c\r\n', b"a\r\nb,c\r\n", b"a"):
            with self.assertRaises(CsvError):
                read_evidence(text)


class Values(unittest.TestCase):
    def test_json_numbers_keep_their_digits(self):
        self.assertEqual(parse_json("[12345678901234567890, 1.2300]"), ["12345678901234567890", "1.2300"])

    def test_values_compare_by_engine(self):
        self.assertTrue(same_json("postgresql", "t", True))
        self.assertFalse(same_json("postgresql", "t", False))
        self.assertFalse(same_json("postgresql", "1.50", "1.5"))
        self.assertTrue(same_json("sqlite", "0.3", Number("0.29999999999999999")))
        self.assertFalse(same_json("sqlite", "9007199254740993", Number("9007199254740992")))
        self.assertTrue(same_json("sqlite", "ab", {"$blob": "6162"}))
        self.assertFalse(same_json("sqlite", "", None))
        self.assertFalse(same_field("sqlite", "1", "01"))
        self.assertTrue(same_field("sqlite", "0.1", "0.10000000000000001"))

    def test_identifiers(self):
        self.assertEqual(split_identifier('["1","a"]', 2), ("1", "a"))
        self.assertEqual(split_identifier('["1"', 1), ('["1"',))
        with self.assertRaises(ValueError):
            split_identifier('["1",2]', 2)

    def test_urls_of_other_databases(self):
        self.assertEqual(with_database("postgresql://u@/old?host=/s", "new"), "postgresql://u@/new?host=/s")
        self.assertEqual(with_database("postgresql://u:p@h:1", "new"), "postgresql://u:p@h:1/new")


class Evidence(unittest.TestCase):
    def setUp(self):
        self.truth = step_truth(STEP, BEFORE, AFTER)
        self.rows = [
            LedgerRow("1", ("1",), "updated", {"id": "1", "v": "a"}, {"id": "1", "v": "b"}),
            LedgerRow("1", ("2",), "updated", {"id": "2", "v": None}, {"id": "2", "v": ""}),
            LedgerRow("1", ("3",), "deleted", {"id": "3", "v": "c"}, None),
            LedgerRow("1", ("4",), "unchanged", {"id": "4", "v": "d"}, {"id": "4", "v": "d"}),
            LedgerRow("1", ("5",), "inserted", None, {"id": "5", "v": "e"}),
        ]
        self.files = {
            "pre": 'id,v\r\n1,a\r\n2,\r\n3,c\r\n4,d\r\n',
            "change": 'id,v\r\n1,b\r\n2,""\r\n3,c\r\n4,d\r\n5,e\r\n',
            "post": 'id,v\r\n1,b\r\n2,""\r\n4,d\r\n5,e\r\n',
            "diff": "identifier,action,column,before,after\r\n1,updated,v,a,b\r\n2,updated,v,,\"\"\r\n3,deleted,id,3,\r\n"
            "3,deleted,v,c,\r\n5,inserted,id,,5\r\n5,inserted,v,,e\r\n",
        }

    def csv_problems(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = {name: os.path.join(folder, name + ".csv") for name in self.files}
            for name, text in self.files.items():
                with open(paths[name], "w", encoding="utf-8", newline="") as file:
                    file.write(text)
            return check_csvs("postgresql", self.truth, paths, self.rows)[0]

    def test_the_truth_has_no_problems(self):
        self.assertEqual(check_ledger("postgresql", self.truth, self.rows), [])
        self.assertEqual(self.csv_problems(), [])

    def test_every_wrong_ledger_row_is_seen(self):
        wrong = {
            "missing row": self.rows[1:],
            "row twice": self.rows + self.rows[:1],
            "row too many": self.rows + [LedgerRow("1", ("9",), "updated", {"v": "1"}, {"v": "2"})],
            "unexpected": [LedgerRow("1", ("4",), "unexpected", None, None), *self.rows[:3], self.rows[4]],
        }
        for place in range(len(self.rows)):
            for action in {"updated", "inserted", "deleted", "unchanged"} - {self.rows[place].action}:
                row = self.rows[place]
                changed = LedgerRow("1", row.key, action, row.before, row.after)
                wrong[f"{place} {action}"] = self.rows[:place] + [changed] + self.rows[place + 1 :]
            for moment in ("before", "after"):
                image = getattr(self.rows[place], moment)
                odd = {"id": self.rows[place].key[0], "v": "odd"} if image is None else {**image, "v": "odd"}
                changed = LedgerRow(**{**vars(self.rows[place]), moment: odd})
                wrong[f"{place} {moment}"] = self.rows[:place] + [changed] + self.rows[place + 1 :]
        for what, rows in wrong.items():
            self.assertNotEqual(check_ledger("postgresql", self.truth, rows), [], what)

    def test_a_line_for_a_value_whose_type_alone_differs_is_right(self):
        truth = step_truth({**STEP, "columns": ["v", "kind"]}, b"id,v,kind\n1,7,text\n", b"id,v,kind\n1,7,integer\n")
        images = {"id": Number(1), "v": "7", "kind": "text"}, {"id": Number(1), "v": Number(7), "kind": "integer"}
        self.truth, self.rows = truth, [LedgerRow("1", ("1",), "updated", *images)]
        head = "identifier,action,column,before,after\r\n"
        self.files = {
            "pre": "id,v,kind\r\n1,7,text\r\n",
            "change": "id,v,kind\r\n1,7,integer\r\n",
            "post": "id,v,kind\r\n1,7,integer\r\n",
            "diff": head + "1,updated,v,7,7\r\n1,updated,kind,text,integer\r\n",
        }
        self.assertEqual(self.csv_problems(), [])
        self.rows[0].after["v"] = "7"
        self.assertEqual(len(self.csv_problems()), 1)

    def test_every_wrong_line_of_a_csv_is_seen(self):
        good = dict(self.files)
        for name, text in good.items():
            lines = text.splitlines(keepends=True)
            for place in range(1, len(lines)):
                self.files = {**good, name: "".join(lines[:place] + lines[place + 1 :])}
                if name != "change":  # its rows are counted against --json
                    self.assertNotEqual(self.csv_problems(), [], f"{name} without line {place}")
                self.files = {**good, name: "".join(lines[:place] + [lines[place].replace('""', "")] + lines[place + 1 :])}
                if '""' in lines[place]:
                    self.assertNotEqual(self.csv_problems(), [], f"{name}: NULL in line {place}")
                self.files = {**good, name: "".join(lines[:place] + ["9" + lines[place]] + lines[place + 1 :])}
                self.assertNotEqual(self.csv_problems(), [], f"{name}: other key in line {place}")


if __name__ == "__main__":
    unittest.main()
