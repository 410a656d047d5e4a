"""Data from the user's own code, and what is said when it goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec
from edgecompile.frontend.data import is_entry, load_python, open_data

MODULE = """
import numpy as np
X, Y = np.zeros((20, 3)), np.arange(20) % 2
def arrays(): return {"x_train": X, "y_train": Y, "x_test": X.tolist(), "y_test": Y}
def pairs(): return (X, Y), (X, Y)
def two(): return X, Y
def nothing(): return None
def ragged(): return {"x_train": [[1], [1, 2]]}
def objects(): return {"x_train": [object()]}
def fails():
    return 1 / 0
def leaves(): raise SystemExit(3)
number = 3
"""


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    """A folder with the module, forgotten afterwards."""
    (tmp_path / "my_samples.py").write_text(MODULE)
    (tmp_path / "broken_samples.py").write_text("import numpy\ndef data(:\n")
    (tmp_path / "needs_samples.py").write_text("import not_installed_anywhere\n")
    yield tmp_path
    for name in ("my_samples", "broken_samples", "needs_samples"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("module", ["my_samples.py", "my_samples", "./my_samples.py"])
@pytest.mark.parametrize("function", ["arrays", "pairs"])
def test_the_functions_arrays_are_taken(base: Path, module: str, function: str) -> None:
    before = list(sys.path)

    arrays = load_python(f"{module}:{function}", base)

    assert sorted(arrays) == ["x_test", "x_train", "y_test", "y_train"]
    assert all(isinstance(array, np.ndarray) and len(array) == 20 for array in arrays.values())
    assert sys.path == before


def test_a_function_is_a_source_like_any_other(base: Path) -> None:
    data = open_data(DataSpec(source="my_samples.py:arrays", calibration_samples=4), base, seed=0)

    assert (data.kind, [name for name, _ in data.parts()]) == ("python", ["train", "validation", "calibration", "test"])


@pytest.mark.parametrize(
    ("entry", "code", "word"),
    [
        pytest.param("my_sample.py:arrays", "EC279", "`my_samples.py`", id="no-file"),
        pytest.param("my_no_samples:arrays", "EC279", "ModuleNotFoundError", id="no-module"),
        pytest.param("my_samples.py:arays", "EC279", "`arrays`", id="no-function"),
        pytest.param("my_samples.py:number", "EC279", "has no function", id="no-callable"),
        pytest.param("my_samples.py:fails", "EC279", "line 11: return 1 / 0", id="raises"),
        pytest.param("my_samples.py:leaves", "EC279", "SystemExit: 3", id="exits"),
        pytest.param("broken_samples.py:data", "EC279", "SyntaxError", id="syntax"),
        pytest.param("needs_samples:data", "EC279", "not_installed_anywhere", id="import-inside"),
        pytest.param("my_samples.py:two", "EC280", "does not say which", id="two-arrays"),
        pytest.param("my_samples.py:nothing", "EC280", "`NoneType`", id="nothing"),
        pytest.param("my_samples.py:ragged", "EC280", "`x_train`", id="ragged"),
        pytest.param("my_samples.py:objects", "EC280", "object", id="objects"),
    ],
)
def test_what_goes_wrong_is_told_with_the_users_line(base: Path, entry: str, code: str, word: str) -> None:
    with pytest.raises(BadInputError) as caught:
        load_python(entry, base)

    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert word in problem.render()


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("load.py:data", True),
        ("package.load:data", True),
        ("/a folder/load.py:data", True),
        ("data.npz", False),
        ("images:2024/", False),
        ("a:1", False),
    ],
)
def test_a_function_is_told_from_a_file(source: str, answer: bool) -> None:
    assert is_entry(source) is answer


def test_a_name_that_is_no_function_is_told(base: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        load_python("data.npz", base)

    assert caught.value.diagnostics[0].code == "EC279"
