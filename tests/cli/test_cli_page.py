"""`--html` of check and build: a page of what was found, also where the model is rejected."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile.cli.main import main
from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.5)
    w = build.constant("w", [[1, -2, 3, 4], [5, 6, -7, 8]], "int8", scale=0.1)
    y = build.tensor("y", (1, 2), "int8", scale=0.25)
    build.op("FULLY_CONNECTED", [x, w], [y])
    path = tmp_path / "dense.tflite"
    path.write_bytes(writer.write(build.output(y).build()))
    return path


def test_check_writes_a_page_of_a_rejected_model(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    assert main(["check", str(model), "-t", "nucleo-f103rb", "--ram", "64B", "--quiet", "--html", str(page)]) == 1

    text = page.read_text()
    assert "rejected" in text and "EC600" in text and "<h2>Operators" in text
    assert "<h1>dense on nucleo-f103rb</h1>" in text


def test_build_writes_a_page_beside_nothing_where_it_rejects(model: Path, tmp_path: Path) -> None:
    page, output = tmp_path / "page.html", tmp_path / "build"
    words = ["build", str(model), "-t", "nucleo-f103rb", "--ram", "64B", "-o", str(output), "--quiet"]

    assert main([*words, "--html", str(page)]) == 1

    assert "EC600" in page.read_text()
    assert not (output / "nucleo-f103rb").exists()


def test_several_targets_get_a_page_each(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    assert main(["check", str(model), "-t", "coral", "-t", "cortex-m4", "--quiet", "--html", str(page)]) == 0

    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["page-coral.html", "page-cortex-m4.html"]


def test_a_page_that_cannot_be_written_is_told(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(tmp_path / "no" / "page.html")

    assert main(["check", str(model), "-t", "coral", "--quiet", "--html", place]) == 2

    assert "EC803" in capsys.readouterr().err
