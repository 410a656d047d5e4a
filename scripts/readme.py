"""The generated parts of README.md: command help and the list of targets, and a real screen of the example's build."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
COMMANDS = ("build", "check", "inspect", "run", "flash", "targets", "passes", "explain", "doctor", "init")


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
    """Write README.md, or with --check say whether it is as the tool prints."""
    old = README.read_text(encoding="utf-8")
    new = replaced(replaced(old, "commands", commands()), "targets", targets())
    if "--screen" in words:
        new = replaced(new, "screen", screen())
    if "--check" in words:
        return 0 if new == old else 1
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
