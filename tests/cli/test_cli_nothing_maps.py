"""A model of which the accelerator runs nothing: said in the verdict of every form of the report, and no failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecompile.cli.main import main
from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder

VERDICT = "would run on the CPU only: nothing maps"


def written(folder: Path, dtype: str, version: int = 2) -> str:
    """Two operators of that type, the first of that version."""
    build = NetworkBuilder()
    scale = 0.5 if dtype == "int8" else None
    x = build.input("x", (1, 4), dtype, scale)
    y = build.op("LOGISTIC", [x], [build.tensor("y", (1, 4), dtype, scale)], version=version)
    z = build.op("TANH", [y], [build.tensor("z", (1, 4), dtype, scale)], version=2)
    path = folder / "small.tflite"
    path.write_bytes(writer.write(build.output(z).build()))
    return str(path)


@pytest.mark.parametrize("dtype, version", [("float32", 2), ("int8", 99)], ids=["floats", "a file that is not read"])
def test_text_page_and_json_say_that_nothing_maps(
    dtype: str, version: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"

    code = main(["check", written(tmp_path, dtype, version), "-t", "coral", "--json", "--html", str(page)])

    out, err = capsys.readouterr()
    found = json.loads(out)
    assert code == 0
    assert f"coral: {VERDICT}\n" in err
    assert f'class="verdict warn">! {VERDICT}' in page.read_text()
    assert found["status"] == "built"
    assert found["details"]["mapping"] == "nothing maps to edgetpu: all of it runs on the CPU"
    assert {row["where"] for row in found["details"]["operators"]} == {"cpu"}


def test_a_model_that_maps_has_no_such_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", written(tmp_path, "int8"), "-t", "coral", "--json"]) == 0

    out, err = capsys.readouterr()
    assert "coral: would run and fit\n" in err
    assert "mapping" not in json.loads(out)["details"]


def test_a_bound_on_operators_on_the_cpu_still_rejects_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", written(tmp_path, "float32"), "-t", "coral", "--fail-on", "operators_on_cpu:0"]) == 1

    assert VERDICT not in capsys.readouterr().err
