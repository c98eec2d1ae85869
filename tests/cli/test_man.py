"""The manual: what `cmake --install` writes, made from the commands' declarations."""

import os
import re
import subprocess
import unittest

from support import SqliteCase

EPOCH = "1772539200"  # March 3, 2026


def words(text):
    """Without the line ends that a formatter puts where it likes."""
    return " ".join(text.split())


class ManualTest(SqliteCase):
    """Needs no database."""

    def setUp(self):
        super().setUp()
        self.write_share("share")

    def write_share(self, folder, **variables):
        result = self.tool("share-files", folder, **{"SOURCE_DATE_EPOCH": EPOCH, **variables})
        self.assertEqual((result.code, result.out, result.err), (0, "", ""), result)

    def page(self, name, chapter=1):
        return self.path(f"share/man/man{chapter}/{name}.{chapter}")

    @staticmethod
    def name(*command):
        return "-".join(["datachange", *command])

    def pages(self):
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.path("share/man")) for name in names
                      if name[-1].isdigit())

    def call(self, *command, **variables):
        return subprocess.run(command, env=self.environment(**variables), capture_output=True, text=True, check=False)

    def formatted(self, name, chapter=1):
        done = self.call("mandoc", "-T", "ascii", self.page(name, chapter))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return re.sub(".\b", "", done.stdout)

    def commands(self, *group):
        """Those that --help lists, and those beneath them, each as its words."""
        _, mark, listed = self.tool(*group, "--help").out.partition("Subcommands:\n")
        if not mark:
            return []
        found = [(*group, word) for word in re.findall(r"(?m)^  ([a-z]\S*)", listed.split("\n\n")[0])]
        return [command for one in found for command in (one, *self.commands(*one))]

    def test_every_command_has_a_page(self):
        commands = self.commands()
        self.assertIn(("history",), commands)
        for command in commands:
            self.assertIn("SYNOPSIS\n     datachange " + " ".join(command), self.formatted(self.name(*command)))
            self.assertIn(self.name(*command) + "(1)", self.formatted(self.name(*command[:-1])))
        self.assertFalse(os.path.exists(self.page("datachange-share-files")))

    def test_the_formatters_have_nothing_to_say(self):
        self.assertEqual(self.call("makewhatis", self.path("share/man")).returncode, 0)
        lint = self.call("mandoc", "-T", "lint", "-W", "style", *self.pages(), MANPATH=self.path("share/man"))
        self.assertEqual((lint.stdout, lint.stderr), ("", ""))
        for page in self.pages():
            groff = self.call("groff", "-mdoc", "-ww", "-z", "-T", "utf8", page)
            self.assertEqual((groff.returncode, groff.stderr), (0, ""), page)

    def test_they_are_found_by_what_they_are_about(self):
        self.call("makewhatis", self.path("share/man"))
        found = self.call("mapropos", "-M", self.path("share/man"), "Nm=datachange-history").stdout
        self.assertIn("What happened to one row", found)

    def test_a_page_has_every_option_with_its_description(self):
        for command in self.commands():
            text = words(self.formatted(self.name(*command)))
            shown = self.tool(*command, "--help").out
            for names in re.findall(r"(?m)^  (?:-\w,)?(--[a-z-]+)", shown):
                self.assertIn(names, text, command)

    def test_what_a_page_says(self):
        text = self.formatted("datachange-run")
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
            self.assertRegex(text, rf"(?m)^{section}$")
        for group in ("Arguments", "Options", "What goes wrong", "How fast it goes \\(batches only\\)"):
            self.assertRegex(text, rf"(?m)^   {group}$")
        text = words(text)
        for part in ("datachange run [option ...] definition", "-d, --database URL",
                     "The audit ledger (default datachange-ledger.db)", "DATACHANGE_LEDGER",
                     "6 failed after some batches were committed", "datachange run backfill_user_names",
                     "datachange(1), datachange.toml(5)", "--on-error WHAT"):
            self.assertIn(part, text)
        self.assertIn("datachange history [option ...] --identifier", words(self.formatted("datachange-history")))
        self.assertIn("One of bash, zsh, fish.", words(self.formatted("datachange-completion")))

    def known_keys(self, text):
        """Those that the tool names when it meets one that it does not know."""
        self.write("datachange.toml", text + "nonsense-without-end = 1\n")
        return re.search(r"Known are: (.*)\.", self.tool("runs").err)[1].split(", ")

    def test_settings_have_a_page_with_every_key(self):
        text = words(self.formatted("datachange.toml", 5))
        known = self.known_keys("")
        self.assertGreater(len(known), 12)
        tables = {"target": "[target.NAME]", "group": "[group.NAME]", "hooks": "[hooks]"}
        for key in set(known) - set(tables):
            self.assertRegex(text, rf"(^| ){key}=[A-Z]+ ")
        self.assertIn("In the environment: DATACHANGE_CSV_DIR", text)
        self.assertIn("In the environment: DATACHANGE_GROUP", text)

    def test_every_table_of_the_settings_has_its_keys(self):
        text = words(self.formatted("datachange.toml", 5))
        names = ("[target.NAME]", "[group.NAME]", "[hooks]")
        begins = [text.index(f" {name} ") for name in names] + [text.index(" FILES ")]
        for name, begin, end in zip(names, begins, begins[1:]):
            known = self.known_keys(name.replace("NAME", "a") + "\n")
            self.assertTrue(known)
            for key in known:
                self.assertRegex(text[begin:end], rf" {key}=[A-Z]+ ", name)

    def test_every_variable_of_a_hook_is_described(self):
        self.make_users()
        self.define()
        self.write("datachange.toml", "[hooks]\non-done = 'env > variables'\n")
        self.run_ok()
        with open(self.path("variables"), encoding="utf-8") as file:
            names = re.findall(r"(?m)^(DATACHANGE_\w+)=", file.read())
        self.assertGreater(len(names), 20)
        text = words(self.formatted("datachange.toml", 5))
        for name in names:
            self.assertRegex(text, rf"\b{name}\b")

    def test_the_example_of_the_settings_is_one(self):
        page = self.formatted("datachange.toml", 5)
        example = re.search(r"(?ms)^EXAMPLES\n(.*?)^SEE ALSO", page)[1]
        self.write("datachange.toml", "\n".join(line[5:] for line in example.splitlines()) + "\n")
        self.assert_failed(self.tool("status", "--target", "nowhere"), 2, "Known are: eu-prod, orders.1, orders.b.")

    def test_two_builds_give_the_same_pages(self):
        self.write_share("again")
        self.assertEqual(self.call("diff", "-r", self.path("share"), self.path("again")).stdout, "")
        self.assertIn("March 3, 2026", self.formatted("datachange"))
        self.assertIn(self.tool("--version").out.strip(), self.formatted("datachange"))

    def test_a_date_that_is_none(self):
        result = self.tool("share-files", "other", SOURCE_DATE_EPOCH="yesterday")
        self.assert_failed(result, 2, "SOURCE_DATE_EPOCH")

    def test_a_folder_that_cannot_be_written(self):
        self.write("file", "")
        result = self.tool("share-files", "file")
        self.assertEqual((result.code, result.out), (1, ""), result)
        self.assertIn("file", result.err)


if __name__ == "__main__":
    unittest.main()
