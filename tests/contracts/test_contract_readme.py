"""What README.md quotes of the tool is what the tool prints; `scripts/docs` writes it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def readme() -> ModuleType:
    spec = importlib.util.spec_from_file_location("readme", CHECKOUT / "scripts" / "readme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("block", ["commands", "targets"])
def test_the_generated_parts_are_the_tools_own_output(readme: ModuleType, block: str) -> None:
    text = readme.README.read_text(encoding="utf-8")

    assert readme.replaced(text, block, getattr(readme, block)()) == text, "run scripts/docs"


def test_the_operator_table_is_the_profiles_own(readme: ModuleType) -> None:
    text = readme.PROFILES.read_text(encoding="utf-8")

    assert readme.replaced(text, "operators", readme.operators()) == text, "run scripts/docs"


def test_every_command_has_its_help_in_the_readme(readme: ModuleType) -> None:
    from edgecompile.cli.application import COMMANDS

    assert set(readme.COMMANDS) == set(COMMANDS)
