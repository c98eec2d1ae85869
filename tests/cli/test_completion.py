"""The words that bash, zsh and fish offer: the real shells are asked, for what a user has typed up to Tab."""

import os
import pty
import select
import shlex
import subprocess
import time
import unittest

from support import DEADLINE, TOOL, SqliteCase

BASH_LIST = """source "$SCRIPT"
COMP_WORDS=({words}) COMP_CWORD={last}
_datachange
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
# the line as it stands when the key after Tab is reached; then the shell ends
BASH_KEYS = r"""source "$SCRIPT"
bind 'set enable-bracketed-paste off'
keep() { printf '%s\n' "$READLINE_LINE" >"$KEPT"; exit; }
bind -x '"\C-g": keep'
PS1=ready:
"""
ZSH_KEYS = r"""autoload -U compinit
compinit -u -D
source "$SCRIPT"
offered=()
compadd() {
    if [[ " $* " != *" -"[OAD]" "* ]]; then
        local -a hits
        builtin compadd -O hits "$@"
        offered+=($hits)
    fi
    builtin compadd "$@"
}
keep() { print -rl -- "$BUFFER" $offered >$KEPT; exit; }
zle -N keep
bindkey '^G' keep
PS1=ready:
"""


class ShellCase(SqliteCase):
    """A folder with two definitions, and a ledger with a run of each."""

    shell = ""

    def setUp(self):
        super().setUp()
        self.make_users()
        self.define()
        self.define(name="shout", version="20260101000001",
                    pre="SELECT id, name FROM users WHERE :batch(id)",
                    change="UPDATE users SET name = upper(name) WHERE :batch(id) RETURNING id, name")
        self.run_ok()
        self.run_ok(definition="shout")
        self.script = self.path("script")
        printed = self.tool("completion", self.shell)
        self.assertEqual((printed.code, printed.err), (0, ""), printed)
        self.write("script", printed.out)

    def shell_environment(self, **variables):
        path = os.path.dirname(os.path.abspath(TOOL)) + ":" + os.environ["PATH"]
        return self.environment(PATH=path, SCRIPT=self.script, KEPT=self.path("kept"), **variables)

    def ask(self, command, **variables):
        done = subprocess.run(command, cwd=self.folder, env=self.shell_environment(**variables),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False)
        self.assertEqual(done.stderr.decode(), "")
        return done.stdout.decode().splitlines()

    def press(self, command, line):
        """Starts a shell on a terminal, types the line and Tab. @return what the shell kept: the line, offered words"""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execvpe(command[0], command, self.shell_environment(TERM="vt100", ZDOTDIR=self.folder))
        try:
            self.read(terminal, b"ready:")
            os.write(terminal, line.encode() + b"\t\x07")
            self.read(terminal, None)
        finally:
            os.close(terminal)
            os.waitpid(child, 0)
        with open(self.path("kept"), encoding="utf-8") as file:
            return file.read().splitlines()

    def read(self, terminal, awaited):
        """What the shell prints, until it has printed this; None: until it ends."""
        seen, end = b"", time.monotonic() + DEADLINE
        while awaited is None or awaited not in seen:
            self.assertGreater(end, time.monotonic(), seen)
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                seen += os.read(terminal, 4096)
            except OSError:  # the shell has ended
                break

    def offered(self, line):
        """The words that the shell offers for the line up to its end."""
        raise NotImplementedError

    def completed(self, line):
        """The line after Tab."""
        raise NotImplementedError


class CompletionTests:
    """What holds in each shell."""

    def test_commands(self):
        offered = self.offered("datachange ")
        for word in ("new", "run", "resume", "completion"):
            self.assertIn(word, offered)
        self.assertEqual(sorted(self.offered("datachange ru")), ["run", "runs"])
        self.assertFalse([word for word in offered if word.startswith(("_", "share"))])

    def test_options_of_the_command(self):
        offered = self.offered("datachange run --")
        for word in ("--dry-run", "--ledger", "--throttle-query", "--help"):
            self.assertIn(word, offered)
        self.assertNotIn("--take-over", offered)
        self.assertIn("--take-over", self.offered("datachange resume --"))

    def test_an_option_that_is_given_is_not_offered_again(self):
        offered = self.offered("datachange run --dry-run --d")
        self.assertNotIn("--dry-run", offered)
        self.assertIn("--dir", offered)

    def test_values_that_are_fixed(self):
        self.assertEqual(sorted(self.offered("datachange run --progress ")), ["auto", "bar", "json", "lines", "none"])
        self.assertEqual(sorted(self.offered("datachange run x --on-error s")), ["skip", "stop"])
        self.assertEqual(sorted(self.offered("datachange completion ")), ["bash", "fish", "zsh"])

    def test_definitions_by_name_and_version(self):
        self.assertEqual(sorted(self.offered("datachange run ")),
                         ["20260101000000", "20260101000001", "fill", "shout"])
        self.assertEqual(self.offered("datachange check fill sh"), ["shout"])
        self.assertEqual(self.offered("datachange runs --version 2026"), ["20260101000000", "20260101000001"])

    def test_definitions_of_another_folder(self):
        os.rename(self.path("audits"), self.path("changes"))
        self.assertEqual(self.offered("datachange run "), [])
        self.assertEqual(self.offered("datachange run --dir changes sh"), ["shout"])
        self.write("datachange.toml", 'dir = "changes"\n')
        self.assertEqual(self.offered("datachange run sh"), ["shout"])

    def test_runs_of_the_ledger(self):
        self.assertEqual(sorted(self.offered("datachange show ")), ["1", "2"])
        self.assertEqual(sorted(self.offered("datachange resume --quiet ")), ["1", "2"])
        self.assertEqual(self.offered("datachange show --ledger other.db "), [])

    def test_targets_of_the_config_file(self):
        self.assertEqual(self.offered("datachange run --target "), [])
        self.write("datachange.toml", '[target.eu-prod]\nurl-command = "touch called"\ndir = "changes"\ngroup = "prod"\n'
                   '[target.eu-test]\nurl = "x"\n[target.orders]\nshards = ["x", { name = "b", url = "y" }]\n')
        self.assertEqual(sorted(self.offered("datachange run --target ")), ["eu-prod", "eu-test", "orders.1", "orders.b"])
        self.assertEqual(sorted(self.offered("datachange status --target eu-")), ["eu-prod", "eu-test"])
        self.write("other.toml", '[target.asia]\nurl = "x"\n')
        self.assertEqual(self.offered("datachange run --config other.toml --target a"), ["asia"])
        self.assertEqual(self.completed("datachange run --target eu-p"), "datachange run --target eu-prod")
        os.mkdir(self.path("changes"))
        os.rename(self.path("audits/20260101000001_shout.sql"), self.path("changes/20260101000001_shout.sql"))
        self.assertEqual(self.offered("datachange run --target eu-prod s"), ["shout"])
        self.assertFalse(os.path.exists(self.path("called")))

    def test_files_and_folders(self):
        self.write("old.toml", "")
        self.assertEqual(set(self.offered("datachange status --config ol")), {"old.toml"})
        self.assertEqual(sorted({word.rstrip("/") for word in self.offered("datachange status --dir aud")}),
                         ["audit-csv", "audits"])
        self.assertEqual(sorted({os.path.basename(word) for word in self.offered("datachange run audits/2026")}),
                         ["20260101000000_fill.sql", "20260101000001_shout.sql"])

    def test_what_cannot_be_read_is_no_error(self):
        self.write("datachange-ledger.db", "no ledger")
        self.assertEqual(self.offered("datachange show "), [])
        self.write("datachange.toml", "[[")
        self.assertEqual(self.offered("datachange run "), [])
        self.assertEqual(self.offered("datachange ru"), ["run", "runs"])

    def test_a_word_is_completed_on_the_line(self):
        self.assertEqual(self.completed("datachange hist"), "datachange history")
        self.assertEqual(self.completed("datachange run --sing"), "datachange run --single-transaction")
        self.assertEqual(self.completed("datachange run --progress=ba"), "datachange run --progress=bar")
        self.assertEqual(self.completed("datachange status --dir=audits"), "datachange status --dir=audits/")
        self.assertEqual(self.completed("datachange status -d sqlite:datachange-l"),
                         "datachange status -d sqlite:datachange-ledger.db")


class BashTest(CompletionTests, ShellCase):
    shell = "bash"

    def offered(self, line):
        words = line.split(" ")
        script = BASH_LIST.format(words=" ".join(map(shlex.quote, words)), last=len(words) - 1)
        return [word for word in self.ask(["bash", "--norc", "-c", script]) if word]

    def completed(self, line):
        self.write("start", BASH_KEYS)
        return self.press(["bash", "--noprofile", "--rcfile", "start", "-i"], line)[0].rstrip()


class ZshTest(CompletionTests, ShellCase):
    shell = "zsh"

    def kept(self, line):
        self.write(".zshrc", ZSH_KEYS)
        return self.press(["zsh", "--no-globalrcs", "-i"], line)

    def offered(self, line):
        return self.kept(line)[1:]

    def completed(self, line):
        return self.kept(line)[0].rstrip()


class FishTest(CompletionTests, ShellCase):
    shell = "fish"

    def described(self, line):
        return self.ask(["fish", "--no-config", "-c", f"source $SCRIPT; complete -C {shlex.quote(line)}"])

    def offered(self, line):
        return [word.split("\t")[0] for word in self.described(line)]

    def completed(self, line):
        (word,) = self.offered(line)
        return " ".join([*line.split(" ")[:-1], word])

    def test_words_are_described(self):
        self.assertIn("history\tWhat happened to one row, over all runs", self.described("datachange "))
        self.assertIn("shout\t20260101000001", self.described("datachange run "))
        self.assertRegex("\n".join(self.described("datachange show ")), r"(?m)^2\tshout, done, \d{4}-")


class RequestTest(SqliteCase):
    """The question that the scripts put to the tool."""

    def test_it_never_fails_and_never_speaks_of_errors(self):
        self.write("datachange.toml", "[[")
        self.write(".env", "nonsense\n")
        for words in ([], [""], ["--", ""], ["nonsense", ""], ["run", "--nonsense", ""], ["run", "--progress"],
                      ["run", "--dir", "/nowhere", ""], ["show", "["], ["show", "--ledger=/", ""], ["--", "-", "="]):
            with self.subTest(words):
                result = self.tool("__complete", *words)
                self.assertEqual((result.code, result.err), (0, ""), result)

    def test_the_scripts_need_no_settings(self):
        self.write("datachange.toml", "[[")
        self.assertEqual(self.tool("completion", "bash").code, 0)
        self.assert_failed(self.tool("completion", "csh"), 2, "csh")


if __name__ == "__main__":
    unittest.main()
