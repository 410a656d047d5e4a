from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecompile.core.errors import MissingError
from edgecompile.libs.libraries import require


def test_a_library_that_is_there_is_given() -> None:
    assert require("json", "to read JSON", "json") is json


def test_a_missing_library_is_ec190_with_the_command_that_installs_it() -> None:
    with pytest.raises(MissingError) as raised:
        require("no_such_library.part", "to read models", "edgecompile[keras]")

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "EC190"
    assert diagnostic.message == "the library `no_such_library` is not installed, needed to read models"
    assert diagnostic.help == ("install it: pip install 'edgecompile[keras]'",)


def test_a_library_that_does_not_load_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_library.py").write_text("raise ImportError('numpy is too new')")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(MissingError) as raised:
        require("broken_library", "to read models", "edgecompile[keras]")

    assert raised.value.diagnostics[0].notes == ("it is there but does not load: numpy is too new",)
