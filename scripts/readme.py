"""The generated parts of README.md and targets/README.md: command help, targets, operator rules, a real screen."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
PROFILES = README.parent / "targets" / "README.md"
# The profile whose operator rules are told in full: its compiler is closed, and its own log gives no reasons.
EXPLAINED = "coral"
COMMANDS = (
    *("build", "check", "inspect", "diff", "run", "flash", "targets", "passes", "explain", "doctor", "cache", "schema"),
    "init",
)


def told(*words: str, cwd: Path | None = None) -> str:
    """What the command line prints, both streams, without paths of the folder it ran in."""
    command = [sys.executable, "-m", "edgecompile.cli", *words]
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    return done.stdout.replace(f"{cwd}/", "").rstrip() if cwd else done.stdout.rstrip()


def commands() -> str:
    """Help of every command."""
    blocks = [f"```\n$ edgecompile {name} --help\n{told(name, '--help')}\n```" for name in COMMANDS]
    return "\n\n".join(blocks)


def targets() -> str:
    """The devices known."""
    return f"```\n$ edgecompile targets list\n{told('targets', 'list')}\n```"


def operators() -> str:
    """Every operator of the closed compiler's target: what its profile asks for, and how that is known."""
    from edgecompile.config.profiles import load
    from edgecompile.legalize.rules import RULES, sentence

    def told_rule(rule: str, limit: object) -> str:
        # Conditions on the level choose the clause; they are no rules of their own.
        return sentence(rule, limit) if rule in RULES else f"{rule.replace('_', ' ')} {limit}"

    rows = []
    for name, clauses in load(EXPLAINED).operators.items():
        for clause in clauses:
            asked = "; ".join(told_rule(rule, limit) for rule, limit in clause.rules.items())
            rows.append(f"| {name} | {asked} | {clause.basis} | {clause.source} |")
    head = "| operator | accepted when | known by | source |\n|---|---|---|---|"
    return "\n".join([head, *rows])


def screen() -> str:
    """The example's build for one target, as it really went."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        told("init", "--example", "digits", "digits", cwd=folder)
        printed = told("build", "--target", "cortex-m4", cwd=folder / "digits")
    return f"```\n$ edgecompile build --target cortex-m4\n{printed}\n```"


def replaced(text: str, name: str, content: str) -> str:
    """The text with the block of that name filled anew."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    assert pattern.search(text), f"README.md has no block {name}"
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)


def main(words: list[str]) -> int:
    """Write both files, or with --check say whether they are as the tool prints."""
    new = README.read_text(encoding="utf-8")
    for name, block in (("commands", commands), ("targets", targets)):
        new = replaced(new, name, block())
    if "--screen" in words:
        new = replaced(new, "screen", screen())
    texts = {README: new, PROFILES: replaced(PROFILES.read_text(encoding="utf-8"), "operators", operators())}
    stale = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    if "--check" not in words:
        for path in stale:
            path.write_text(texts[path], encoding="utf-8")
        return 0
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
