"""The HTML report in a browser: values stay data, the table works, nothing is asked of the network."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))

from browser import Browser  # noqa: E402
from databases import numbers  # noqa: E402
from support import PostgresCase, SqliteCase  # noqa: E402

ATTACKS = ["<script>window.hacked = 1</script>", "</script><script>window.hacked = 2</script>", "<!-- <script>", "]]>",
           "<img src=x onerror='window.hacked = 3'>", "a\u2028b\u2029c", "abc\u202etxt.exe", "שלום hello", "\u0001\u001b[2J",
           "{{data}}", "\u200b", "\\u003c", "'\"><svg onload=window.hacked=4>"]
CELLS = "return [...document.querySelectorAll('#rows tr')].map(row => [...row.cells].map(cell => cell.textContent))"
IN_SIGHT = "return document.querySelector(arguments[0]).checkVisibility()"

# Every text in sight that has less contrast than WCAG 2 asks for (AA, 1.4.3), by its element.
LOW_CONTRAST = """
const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const color = text => text.match(/[\\d.]+/g).map(Number);
function ground(element) {
    for (let at = element; at; at = at.parentElement) {
        const found = color(getComputedStyle(at).backgroundColor);
        if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
}
const low = new Set();
for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const [a, b] = [luminance(color(getComputedStyle(element).color)), luminance(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
}
return [...low];
"""


class ReportCase:
    """Texts that are appended to, one row each, and a report of that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.browser.devtools("Emulation.clearDeviceMetricsOverride")
        self.browser.media()

    def make_texts(self, texts, column="v", to="'!' || {}"):
        values = ",".join(f"({number}, " + "'" + text.replace("'", "''") + "')" for number, text in enumerate(texts, 1))
        self.database.execute(f'CREATE TABLE texts (id integer PRIMARY KEY, "{column}" text);'
                              f"INSERT INTO texts VALUES {values}")
        self.define(name="texts", table="texts", ticket="<b>OPS</b>-1 <script>window.hacked = 5</script>",
                    pre=f'SELECT id, "{column}" FROM texts WHERE :batch(id)',
                    change=f'UPDATE texts SET "{column}" = {to} WHERE :batch(id) RETURNING id, "{column}"'.format(f'"{column}"'),
                    summary=f'SELECT count(*) AS "<i>rows</i>", max("{column}") AS longest FROM texts')

    def make_report(self, *flags, definition="texts", run_flags=()):
        self.run_ok(*run_flags, definition=definition)
        result = self.tool("export", str(self.last_run()), "-o", "report.html", "--force", *flags)
        self.assertEqual(result.code, 0, result)
        self.browser.open(self.path("report.html"))
        return self.path("report.html")

    def cells(self):
        return self.browser.script(CELLS)

    def in_sight(self, selector):
        return self.browser.script(IN_SIGHT, selector)

    def status(self, text):
        self.browser.wait(f"document.getElementById('status').textContent.startsWith({text!r})")


class DataTests(ReportCase):
    def test_values_are_never_markup(self):
        self.make_texts(ATTACKS, column="__proto__")
        self.make_report()
        self.assertIsNone(self.browser.script("return window.hacked ?? null"))
        self.assertEqual(self.browser.script("return document.scripts.length"), 2)
        self.assertEqual(self.browser.script("return document.querySelectorAll('img, main b, main i').length"), 0)
        self.assertEqual([line for line in self.browser.complaints()], [])
        before = {row[0]: row[4] for row in self.cells()}
        for number, text in enumerate(ATTACKS, 1):
            if str(number) in before and text.isprintable():
                self.assertEqual(before[str(number)], text)
        self.assertEqual({row[3] for row in self.cells()}, {"__proto__"})

    def test_hidden_characters_are_shown(self):
        self.make_texts(["a\u202eb", "x\ny", " z "])
        self.make_report()
        self.assertEqual([row[4] for row in self.cells()], ["aU+202Eb", "x↵y", " z "])

    def test_only_what_differs_within_long_texts_is_marked(self):
        self.make_texts(["ipsum " * 500 + "dolor sit dolor" + " amet" * 500], to="replace({}, 'dolor', 'color')")
        self.make_report()
        marks = "return ['del', 'ins'].map(name => [...document.querySelectorAll(`${arguments[0]} ${name}`)].map(m => m.textContent))"
        self.assertEqual(self.browser.script(marks, "#rows"), [["d", "d"], ["c", "c"]])
        self.assertRegex(self.cells()[0][4], r"^…\w+ ipsum ipsum dolor sit dolor amet")
        self.browser.click("#rows tr")
        self.assertEqual(self.browser.script(marks, "#detail-body"), [["d", "d"], ["c", "c"]])

    def test_what_is_cut_says_so(self):
        self.make_texts(["é" * 50_000])
        self.make_report()
        self.browser.click("#rows tr")
        text = self.browser.script("return document.querySelector('#detail-body .value').textContent")
        self.assertEqual(text, "é" * 16384 + " … cut here: 100,000 bytes in all")

    def test_large_numbers_and_bytes_are_exact(self):
        blob = "bytea" if self.engine == "postgresql" else "blob"
        literal = r"'\x00ff'" if self.engine == "postgresql" else "x'00ff'"
        self.database.execute(f"CREATE TABLE n (id bigint PRIMARY KEY, b {blob}, d double precision);"
                              f"INSERT INTO n VALUES (9007199254740993, NULL, 0.1)")
        self.define(name="n", table="n", pre="SELECT id, b, d FROM n",
                    change=f"UPDATE n SET b = {literal}, d = d + 0.2 RETURNING id, b, d")
        self.make_report(definition="n")
        self.assertEqual([row[0] for row in self.cells()], ["9007199254740993"] * 2)
        self.assertEqual([row[4:] for row in self.cells()], self.exact)

    def test_nothing_is_asked_of_the_network(self):
        self.make_texts(["plain"])
        path = self.make_report()
        self.browser.script("document.querySelector('#theme').click()")
        self.assertEqual({address.partition(":")[0] for address in self.browser.requests()}, {"file"})
        with open(path, encoding="utf-8") as file:
            self.assertNotRegex(file.read(), "https?:|@import|url\\(")

    def test_the_policy_lets_nothing_else_run(self):
        self.make_texts(["plain"])
        self.make_report()
        self.browser.script("""
            const script = document.body.appendChild(document.createElement('script'));
            script.textContent = 'window.hacked = 6';
            document.body.insertAdjacentHTML('beforeend', '<i onclick="window.hacked = 7" id="trap">x</i>');
            document.getElementById('trap').click();
            document.body.appendChild(document.createElement('img')).src = 'http://127.0.0.1:9/x.png';""")
        self.browser.wait("performance.now() > 0")
        self.assertIsNone(self.browser.script("return window.hacked ?? null"))
        complaints = "\n".join(self.browser.complaints())
        for directive in ("script-src", "img-src"):
            self.assertIn(directive, complaints)


class TableTests(ReportCase):
    def setUp(self):
        super().setUp()
        self.make_users(count=40, named=10)
        self.define(pre="SELECT id, name, note FROM users WHERE id > 2 AND :batch(id)", ticket="OPS-7",
                    change="UPDATE users SET name = 'user ' || id, note = replace(note, 'note', 'Note')"
                           " WHERE id > 2 AND :batch(id) RETURNING id, name, note",
                    summary="SELECT count(*) AS users, count(name) AS named FROM users")
        self.make_report(definition="fill", run_flags=("--batch-threshold", "1", "--batch-size", "5", "--workers", "1"))

    def test_search(self):
        self.status("66 of 66 values in 38 rows")
        self.browser.type("#search", "USER 17")
        self.status("1 of 66")
        self.assertEqual(self.cells()[0][:1] + self.cells()[0][2:], ["17", "updated", "name", "NULL", "user 17"])
        self.browser.click("button[type=reset]")
        self.status("66 of 66")
        self.browser.type("#search", "a.*b")  # no pattern
        self.status("0 of 66")

    def test_filters(self):
        self.browser.script("""const select = document.getElementById('filter-column');
            select.selectedIndex = [...select.options].findIndex(option => option.text === 'name (28)');
            select.dispatchEvent(new Event('change'))""")
        self.status("28 of 66")
        self.assertEqual({row[3] for row in self.cells()}, {"name"})
        self.assertFalse(self.in_sight("#table-label"))

    def test_sorting_by_number_and_back(self):
        def order():
            return [int(row[0]) for row in self.cells()][:4]
        self.assertEqual(order(), [3, 3, 4, 4])
        button, header = "[data-sort=identifier]", "document.querySelector('.c-id').getAttribute('aria-sort')"
        self.browser.click(button)
        self.browser.click(button)
        self.assertEqual((order(), self.browser.script("return " + header)), ([40, 39, 38, 37], "descending"))
        self.browser.click(button)
        self.assertEqual((order(), self.browser.script("return " + header)), ([3, 3, 4, 4], "none"))

    def test_what_differs_is_marked(self):
        marks = self.browser.script("return ['del', 'ins'].map(name => document.querySelector(`#rows ${name}`).textContent)")
        self.assertEqual(marks, ["n", "N"])

    def test_the_keyboard_is_enough(self):
        self.browser.press("/")
        self.assertEqual(self.browser.script("return document.activeElement.id"), "search")
        self.browser.script("document.getElementById('grid').focus()")
        for key, active in (("down", 1), ("down", 2), ("up", 1), ("end", 65), ("home", 0)):
            self.browser.press(key)
            self.assertEqual(self.browser.script("return document.getElementById('grid').getAttribute('aria-activedescendant')"),
                             f"row-{active}")
        self.browser.press("enter")
        self.assertTrue(self.in_sight("#detail"))
        text = self.browser.script("return document.getElementById('detail').textContent")
        for word in ("users 3", "updated: 2 of 3 columns differ", "user 3", "Note 3"):
            self.assertIn(word, text)
        self.browser.press("escape")
        self.assertFalse(self.in_sight("#detail"))
        self.assertEqual(self.browser.script("return document.activeElement.id"), "grid")

    def test_the_focus_is_seen(self):
        seen = """const [element] = [arguments[0]].map(s => document.querySelector(s)); element.focus({focusVisible: true});
                  const at = element.id === 'grid' ? document.getElementById('viewport') : element;
                  return getComputedStyle(at).outlineStyle"""
        for selector in ("#search", "#filter-action", "#theme", "[data-sort=after]", "#grid", "pre.sql"):
            self.assertEqual(self.browser.script(seen, selector), "solid", selector)

    def test_it_is_a_table_to_a_screen_reader(self):
        tree = self.browser.devtools("Accessibility.getFullAXTree")["nodes"]
        roles = [node.get("role", {}).get("value") for node in tree if not node.get("ignored")]
        self.assertIn("grid", roles)
        self.assertEqual(roles.count("columnheader") >= 5, True)
        self.assertEqual(self.browser.script("return document.getElementById('grid').getAttribute('aria-rowcount')"), "67")
        names = {node["name"]["value"] for node in tree if node.get("role", {}).get("value") in ("searchbox", "combobox")}
        self.assertEqual(names, {"Search", "Action", "Column"})
        pictures = [node["name"]["value"] for node in tree if node.get("role", {}).get("value") in ("image", "img")]
        self.assertEqual(len(pictures), 2)

    def test_contrast_in_both_themes(self):
        for scheme in ("light", "dark"):
            self.browser.media(scheme=scheme)
            self.assertEqual(self.browser.script(LOW_CONTRAST), [], scheme)
            self.browser.shot(f"small-{scheme}")
            self.browser.script("document.getElementById('grid').focus(); document.querySelector('#rows tr').click()")
            self.assertEqual(self.browser.script(LOW_CONTRAST), [], scheme)
            self.browser.shot(f"detail-{scheme}")
            self.browser.press("escape")

    def test_the_theme_can_be_chosen(self):
        ground = "return getComputedStyle(document.body).backgroundColor"
        light = self.browser.script(ground)
        self.browser.click("#theme")
        self.assertEqual(self.browser.script(ground), light)
        self.browser.click("#theme")
        dark = self.browser.script(ground)
        self.assertNotEqual(dark, light)
        self.browser.media(scheme="dark")
        self.browser.click("#theme")
        self.assertEqual(self.browser.script(ground), dark)

    def test_a_phone_scrolls_one_way_only(self):
        self.browser.screen(390, 844, phone=True)
        self.browser.wait("document.querySelector('#rows tr').offsetHeight === 66")
        self.assertLessEqual(self.browser.script("return document.documentElement.scrollWidth"), 390)
        self.assertEqual([row[0] for row in self.cells()][:3], ["3", "3", "4"])
        self.browser.shot("phone")

    def test_print_has_the_first_rows(self):
        self.browser.media("print")
        self.assertFalse(self.in_sight("#explorer"))
        text = self.browser.script("return document.querySelector('.static').innerText")
        self.assertIn("All 38 rows.", text)
        self.assertIn("user 17", text)
        self.browser.shot("print")

    def test_without_javascript(self):
        self.browser.devtools("Emulation.setScriptExecutionDisabled", value=True)
        self.addCleanup(self.browser.devtools, "Emulation.setScriptExecutionDisabled", value=False)
        self.browser.open(self.path("report.html"))
        self.browser.devtools("Emulation.setScriptExecutionDisabled", value=False)
        self.assertTrue(self.in_sight(".static table"))
        self.assertFalse(self.in_sight("#theme"))
        text = self.browser.script("return document.body.innerText")
        for word in ("OPS-7", "UPDATE users SET name", "named", "user 17", "Rows changed over time"):
            self.assertIn(word, text)


class LargeTests(ReportCase):
    """More than a browser can lay out at once."""

    rows = 250_000  # of 34 pixels: more than 8,000,000

    def setUp(self):
        super().setUp()
        self.database.execute(f"CREATE TABLE many (id integer PRIMARY KEY, v text);"
                              f"{numbers(self.rows)} INSERT INTO many SELECT i, 'row ' || i FROM n;")
        self.define(name="many", table="many", pre="SELECT id, v FROM many WHERE :batch(id)",
                    change="UPDATE many SET v = v || ' new' WHERE :batch(id) RETURNING id, v")

    def test_all_rows_can_be_reached(self):
        self.make_report("--limit", str(self.rows), definition="many")
        self.status("250,000 of 250,000")
        self.assertLess(len(self.cells()), 60)
        self.browser.script("document.getElementById('grid').focus()")
        self.browser.press("end")
        self.assertEqual(self.cells()[-1][0], "250000")
        self.browser.press("home")
        self.assertEqual(self.cells()[0][0], "1")
        self.browser.script("const v = document.getElementById('viewport'); v.scrollTop = v.scrollHeight / 2")
        self.browser.wait("Math.abs(Number(document.querySelector('#rows td').textContent) - 125000) < 50")
        self.browser.type("#search", "row 249999")
        self.status("1 of 250,000")
        self.browser.click("button[type=reset]")
        self.status("250,000 of 250,000")
        self.browser.click("[data-sort=after]")
        self.browser.click("[data-sort=after]")
        self.assertEqual(self.cells()[0][0], "99999")
        for scheme in ("light", "dark"):
            self.browser.media(scheme=scheme)
            self.browser.shot(f"large-{scheme}")

    def test_what_is_left_out_is_said(self):
        self.make_report("--limit", "100", definition="many")
        self.status("100 of 100")
        said = self.browser.script("return document.body.innerText")
        self.assertIn("Of 250,000 rows 100 are here; 249,900 are left out", said)
        self.browser.media("print")
        self.assertIn("The first 200 of 250,000 rows; 249,800 more", self.browser.script("return document.body.innerText"))


class DataOnSqlite(DataTests, SqliteCase):
    exact = [["NULL", "blob00ff"], ["0.10000000000000001", "0.30000000000000004"]]


class DataOnPostgres(DataTests, PostgresCase):
    exact = [["NULL", "\\x00ff"], ["0.1", "0.30000000000000004"]]


class TableOnSqlite(TableTests, SqliteCase):
    pass


class LargeOnSqlite(LargeTests, SqliteCase):
    pass


if __name__ == "__main__":
    unittest.main()
