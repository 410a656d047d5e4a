"""`edgecompile passes`: what is printed comes from the passes themselves."""

from __future__ import annotations

import json

import pytest

from edgecompile.cli.main import main
from edgecompile.compress.contract import passes


def test_every_pass_and_recipe_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes"]) == 0

    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in (*passes(), "int8", "none"))
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("name", passes())
def test_a_page_shows_every_option_with_its_default(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes", name]) == 0
    page = capsys.readouterr().out
    assert main(["passes", name, "--json"]) == 0

    described = json.loads(capsys.readouterr().out)["passes"][name]
    assert all(f"{option['name']} = " in page for option in described["options"])
    assert described["works_on"] in ("model", "float", "quantized")
    assert max(map(len, page.splitlines())) <= 80
    assert "``" not in page


def test_an_unknown_pass_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passes", "purne"]) == 2

    assert "EC129" in capsys.readouterr().err
