"""Which interpreter is taken, and what is said when there is none."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest

from edgecompile.core.errors import MissingError
from edgecompile.libs import litert


def only(*names: str) -> object:
    def version(name: str) -> str:
        if name not in names:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    return version


CASES = {
    "all": (("tflite-runtime", "ai-edge-litert", "tensorflow"), "tflite-runtime"),
    "no tflite-runtime": (("ai-edge-litert", "tensorflow"), "ai-edge-litert"),
    "tensorflow alone": (("tensorflow",), "tensorflow"),
}


@pytest.mark.parametrize(("installed", "chosen"), CASES.values(), ids=CASES)
def test_the_first_that_is_installed_is_taken(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], chosen: str
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", only(*installed))

    runtime = litert.choose("tflite")

    assert (runtime.name, runtime.available, str(runtime)) == (chosen, True, f"{chosen} 1.0")


def test_micro_has_no_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", only("tflite-runtime"))

    runtime = litert.choose("tflite-micro")

    assert not runtime.available
    assert "Python 3.10 or 3.11" in runtime.why_not


def test_without_any_interpreter_ec190_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", only())

    runtime = litert.choose("tflite")
    with pytest.raises(MissingError, match="EC190") as raised:
        litert.invoke(b"", (np.zeros((1, 1)),), runtime=runtime)

    assert "pip install" in raised.value.diagnostics[0].render()
    assert litert.missing_interpreter("tflite").exit_code == 3
    assert "ai-edge-litert" in litert.missing_interpreter("tflite").diagnostics[0].render()


def test_looking_for_interpreters_imports_none() -> None:
    names = [runtime.name for runtime in litert.runtimes()]

    assert names == ["tflite-runtime", "ai-edge-litert", "tensorflow", "tflite-micro"]
