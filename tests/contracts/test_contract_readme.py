"""What README.md and docs/ quote of the tool is what the tool prints; `scripts/docs` writes it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def readme() -> ModuleType:
    sys.path.insert(0, str(CHECKOUT / "scripts"))
    spec = importlib.util.spec_from_file_location("readme", CHECKOUT / "scripts" / "readme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BLOCKS = [("README.md", "overview"), ("README.md", "targets"), ("docs/commands.md", "commands")]
BLOCKS.append(("targets/README.md", "operators"))


@pytest.mark.parametrize("file, block", BLOCKS, ids=[block for _, block in BLOCKS])
def test_a_generated_part_is_the_tools_own_output(readme: ModuleType, file: str, block: str) -> None:
    text = (CHECKOUT / file).read_text(encoding="utf-8")

    assert readme.replaced(text, block, readme.BLOCKS[CHECKOUT / file][block]()) == text, "run scripts/docs"


def test_every_generated_part_is_compared(readme: ModuleType) -> None:
    written = {(str(path.relative_to(CHECKOUT)), name) for path, blocks in readme.BLOCKS.items() for name in blocks}

    assert written == set(BLOCKS)


def test_every_command_has_a_section() -> None:
    from edgecompile.cli.application import COMMANDS

    text = (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert all(f"\n## edgecompile {name}\n" in text for name in COMMANDS)


def test_the_man_pages_are_the_tools_own_words(readme: ModuleType) -> None:
    written = {path: path.read_text(encoding="utf-8") for path in readme.FOLDER.glob("*.1")}

    assert written == readme.pages(), "run scripts/docs"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is missing")
def test_the_man_pages_are_set_without_a_warning(readme: ModuleType) -> None:
    paths = sorted(map(str, readme.FOLDER.glob("*.1")))

    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", *paths], text=True, capture_output=True)

    assert done.stderr == ""
    assert "EXIT STATUS" in re.sub(r".\x08|\x1b\[\d+m", "", done.stdout)  # bold is struck twice, or a sequence
