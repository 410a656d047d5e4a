"""What README.md, docs/ and targets/README.md quote of the tool: help, targets, operator rules, a real screen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from man import FOLDER, pages

CHECKOUT = Path(__file__).resolve().parent.parent
README = CHECKOUT / "README.md"
COMMANDS = CHECKOUT / "docs" / "commands.md"
PROFILES = CHECKOUT / "targets" / "README.md"
# The profile whose operator rules are told in full: its compiler is closed, and its own log gives no reasons.
EXPLAINED = "coral"


def told(*words: str, cwd: Path | None = None) -> str:
    """What the command line prints, both streams, without paths of the folder it ran in."""
    command = [sys.executable, "-m", "edgecompile.cli", *words]
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    return done.stdout.replace(f"{cwd}/", "").rstrip() if cwd else done.stdout.rstrip()


def overview() -> str:
    """Every command with the line that the tool has for it."""
    return f"```\n$ edgecompile --help\n{told('--help')}\n```"


def commands() -> str:
    """The command reference: the help of every command and of those below it, each in a section of its own."""
    return "\n\n".join(f"## {' '.join(words)}\n\n```\n{text}\n```" for words, text in helps())


def helps() -> Iterator[tuple[tuple[str, ...], str]]:
    """The words that call each command, and its help."""
    from edgecompile.cli.application import edgecompile

    yield from _below(edgecompile, ("edgecompile",), **edgecompile.context_settings)


def _below(command: click.Command, words: tuple[str, ...], **settings: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    with click.Context(command, info_name=words[-1], **settings) as context:
        yield words, told(*words[1:], "--help")
        for name in command.list_commands(context) if isinstance(command, click.Group) else ():
            below = command.get_command(context, name)
            assert below is not None
            yield from _below(below, (*words, name), parent=context)


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
    """The example's build for one board, as it really went; the paths that go to stdout are left out."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        told("init", "--example", "digits", "digits", cwd=folder)
        command = [sys.executable, "-m", "edgecompile.cli", "build", "--target", "nucleo-f446re"]
        done = subprocess.run(command, cwd=folder / "digits", text=True, capture_output=True, check=True)
        printed = done.stderr.replace(f"{folder}/", "").rstrip()
    return f"```\n$ edgecompile build --target nucleo-f446re > files.txt\n{printed}\n```"


def cortexm() -> str:
    """Ours beside TensorFlow Lite Micro with CMSIS-NN, as the benchmark finds it now."""
    bench = CHECKOUT / "scripts" / "benchmarks" / "cortexm.py"
    done = subprocess.run(
        [sys.executable, str(bench), "--json", "--samples", "3"], text=True, stdout=subprocess.PIPE, check=True
    )
    return compared(json.loads(done.stdout)["rows"])


def compared(rows: Sequence[Mapping[str, Any]]) -> str:
    """The benchmark's rows that have a peer, as a table."""

    def cell(row: Mapping[str, Any], name: str) -> str:
        ours, theirs = row[name], row["baseline"][name]
        return f"{ours:,} / {theirs:,} = {ours / theirs:.2f}"

    names = ("instructions", "flash_bytes", "ram_bytes")
    lines = [
        f"| {row['model']} | {' | '.join(cell(row, name) for name in names)} |"
        for row in rows
        if row["baseline"] is not None and row["exact"]
    ]
    return "\n".join(["| model | instructions | flash, bytes | RAM, bytes |", "|---|---|---|---|", *lines])


def replaced(text: str, name: str, content: str) -> str:
    """The text with the block of that name filled anew."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    assert pattern.search(text), f"there is no block {name}"
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)


# The blocks of each file that are written without building anything.
BLOCKS: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    README: {"overview": overview, "targets": targets},
    COMMANDS: {"commands": commands},
    PROFILES: {"operators": operators},
}


def main(words: list[str]) -> int:
    """Write all files, or with --check say whether they are as the tool prints."""
    texts = {}
    for path, blocks in BLOCKS.items():
        texts[path] = path.read_text(encoding="utf-8")
        for name, block in blocks.items():
            texts[path] = replaced(texts[path], name, block())
    for word, block in (("screen", screen), ("cortexm", cortexm)):
        if f"--{word}" in words:
            texts[README] = replaced(texts[README], word, block())
    texts |= pages()
    stale = [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" not in words:
        FOLDER.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(texts[path], encoding="utf-8")
        return 0
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
