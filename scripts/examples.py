"""The outputs that the READMEs of examples/ quote: each is what its commands print, run in a copy of the folder.

A block between `<!-- output -->` and `<!-- end output -->` holds fenced text; its lines that open with `$ ` are the
commands. `write` runs them in order and puts what they print below each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_BLOCK = re.compile(r"(<!-- output -->\n```\n)(.*?)(```\n<!-- end output -->)", re.DOTALL)
_TIMEOUT_S = 1800
# Folders that are what `edgecompile init --example` writes, but for their README.
WRITTEN_BY_INIT = {"android_app": "android"}


def names() -> list[str]:
    """Every example, in the order of their names."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))


def commands(readme: str) -> list[str]:
    """The commands whose output a README quotes."""
    block = _BLOCK.search(readme)
    assert block is not None, "there is no block `output`"
    return [line[2:] for line in block[2].splitlines() if line.startswith("$ ")]


def write(name: str) -> None:
    """Run the example's commands and put what they print into its README."""
    if name in WRITTEN_BY_INIT:
        for path, content in written_by_init(name).items():
            (EXAMPLES / name / path).parent.mkdir(parents=True, exist_ok=True)
            (EXAMPLES / name / path).write_bytes(content)
    readme = EXAMPLES / name / "README.md"
    text = readme.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / name
        shutil.copytree(EXAMPLES / name, folder)
        shown = "\n".join(f"$ {command}\n{ran(command, folder)}" for command in commands(text))
    readme.write_text(_BLOCK.sub(lambda found: f"{found[1]}{shown.rstrip()}\n{found[3]}", text), encoding="utf-8")


def written_by_init(name: str) -> dict[str, bytes]:
    """What the tool writes for that example, by path; without the README."""
    with tempfile.TemporaryDirectory() as scratch:
        words = ["init", "--example", WRITTEN_BY_INIT[name], "--no-train", "--quiet", scratch]
        subprocess.run([sys.executable, "-m", "edgecompile.cli", *words], check=True, stdout=subprocess.DEVNULL)
        paths = [path for path in Path(scratch).rglob("*") if path.is_file() and path.name != "README.md"]
        return {str(path.relative_to(scratch)): path.read_bytes() for path in paths}


def ran(command: str, folder: Path) -> str:
    """What a command prints, both streams in the order of their lines, without the folder it ran in."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # A cache of its own: what this machine built before would be told as cached or taken over.
    own = {"EDGECOMPILE_CACHE": str(folder.parent / "cache"), "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "80"}
    environment = {**os.environ, "PATH": path, **own}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_TIMEOUT_S,
    )
    printed = done.stdout.replace(f"{folder}/", "")
    if done.returncode != 0:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{printed}")
    # Libraries under training may warn of the machine they run on; the commands of edgecompile are quoted whole.
    lines = printed.splitlines() if command.startswith("edgecompile") else printed.splitlines()[-4:]
    return "\n".join([*(line.rstrip() for line in lines), ""])


if __name__ == "__main__":
    for chosen in sys.argv[1:] or names():
        write(chosen)
