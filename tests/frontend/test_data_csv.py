"""Tables: headers, targets, and cells that are no numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec
from edgecompile.frontend.data import DataSet, open_data


def opened(base: Path, text: str, **settings: Any) -> DataSet:
    """A table, all of it training."""
    (base / "d.csv").write_text(text, encoding="utf-8")
    settings = {"validation": 0.0, "test": 0.0, "calibration_samples": 1, **settings}
    return open_data(DataSpec(source="d.csv", **settings), base, seed=0)


def table(data: DataSet) -> tuple[list[Any], list[Any]]:
    """x and y of the training part as lists."""
    assert data.train is not None
    return data.train.x[0].tolist(), data.train.y[0].tolist() if data.train.y else []


@pytest.mark.parametrize(
    ("text", "target", "x", "y", "labels"),
    [
        pytest.param("1,2,0\n3,4,1\n", None, [[1, 2], [3, 4]], [0, 1], (), id="no-header"),
        pytest.param("a,b,c\n1,2,0\n3,4,1\n", None, [[1, 2], [3, 4]], [0, 1], (), id="header"),
        pytest.param("1,2,b\n3,4,a\n", None, [[1, 2], [3, 4]], [1, 0], ("a", "b"), id="texts-for-classes"),
        pytest.param("c,a\n1,2\n0,4\n", "c", [[2], [4]], [1, 0], (), id="target-by-name"),
        pytest.param("0,1,y\n5,6,1\n", "y", [[5, 6]], [1], (), id="header-of-numbers-with-the-target"),
        pytest.param("1,2,3\n4,5,6\n", "0", [[2, 3], [5, 6]], [1, 4], (), id="target-by-position"),
        pytest.param("1,2,3\n4,5,6\n", "-2", [[1, 3], [4, 6]], [2, 5], (), id="target-from-the-end"),
        pytest.param("1,2\n3,4\n", "", [[1, 2], [3, 4]], [], (), id="no-target"),
        pytest.param("1;2\r\n3;4\r\n", None, [[1], [3]], [2, 4], (), id="semicolons"),
        pytest.param("1\t2\n3\t4\n", None, [[1], [3]], [2, 4], (), id="tabs"),
        pytest.param("\ufeff1,2\n\n3,4\n\n", None, [[1], [3]], [2, 4], (), id="mark-and-empty-lines"),
        pytest.param("1,0.5\n2,1.25\n", None, [[1], [2]], [0.5, 1.25], (), id="regression"),
        pytest.param('"1","x, y"\n2,z\n', None, [[1], [2]], [0, 1], ("x, y", "z"), id="quotes"),
    ],
)
def test_a_table_reads_as_it_is_meant(
    tmp_path: Path, text: str, target: str | None, x: list[Any], y: list[Any], labels: tuple[str, ...]
) -> None:
    data = opened(tmp_path, text, target_column=target)

    assert table(data) == (x, y)
    assert data.labels == labels
    assert data.train is not None and data.train.x[0].dtype == np.float32


@pytest.mark.parametrize(
    ("text", "target", "code", "word"),
    [
        pytest.param("", None, "EC277", "no row", id="empty"),
        pytest.param("a,b\n", None, "EC277", "no row", id="header-alone"),
        pytest.param("1\n2\n", None, "EC277", "no column", id="target-alone"),
        pytest.param("1,2\n3\n", None, "EC277", "row 2 has 1 cells", id="ragged"),
        pytest.param("a,b\n1,2\n,3\n", None, "EC277", "row 3, column `a` holds an empty cell", id="empty-cell"),
        pytest.param("1,2\nx,3\n", None, "EC277", "row 2, column 0 holds the text `x`", id="text-for-number"),
        pytest.param("a,b\n1,2\n", "c", "EC278", "no column `c`", id="target-name"),
        pytest.param("1,2\n3,4\n", "2", "EC278", "no column `2`", id="target-position"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, text: str, target: str | None, code: str, word: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        opened(tmp_path, text, target_column=target)

    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert word in problem.message


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"\xff\xfe\x00\x01")

    with pytest.raises(BadInputError) as caught:
        open_data(DataSpec(source="d.csv"), tmp_path, seed=0)

    assert caught.value.diagnostics[0].code == "EC277"


def test_a_labels_file_gives_the_order_of_text_classes(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("b\na\n")

    data = opened(tmp_path, "1,b\n2,a\n", labels="l.txt")

    assert (table(data)[1], data.labels) == ([0, 1], ("b", "a"))


def test_a_class_that_the_labels_do_not_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("cat\n")

    with pytest.raises(BadInputError) as caught:
        opened(tmp_path, "1,cat\n2,kat\n", labels="l.txt")

    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].help) == ("EC284", ("did you mean `cat`?",))
