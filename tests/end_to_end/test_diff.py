"""`diff`, `inspect --plot` and `--json` on what a build really wrote; nothing here needs TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any
from xml.etree import ElementTree

import pytest
from pipeline_networks import classifier, project, stranger, targets_of

from edgecompile.cli.main import main
from edgecompile.core.progress import Silent
from edgecompile.ir.writer import write
from edgecompile.libs import figures
from edgecompile.pipeline import build
from edgecompile.report.schema import part

pictured = pytest.mark.skipif(not figures.is_installed(), reason="matplotlib is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders ``one/build/...`` and ``two/build/...``: the same network, of 8 and of 12 channels."""
    folder = tmp_path_factory.mktemp("diff")
    for name, channels in (("one", 8), ("two", 12)):
        (folder / name).mkdir()
        wanted = project(folder / name, classifier(channels), targets=("android-nnapi", "coral"))
        build(wanted, targets_of(wanted), Silent())
    return folder


def told(words: list[Any], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_two_builds_are_compared_by_figures_and_operators(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = built / "one/build/coral", built / "two/build/coral"

    _, out, _ = told(["diff", a, b, "--json"], capsys)

    plain = json.loads(out)
    figures_ = {one["name"]: one for one in plain["measures"]}
    assert figures_["macs"]["change"] == 4 * (4 * 4 * 27) + 4 * 16 * 4
    convolution = next(one for one in plain["operators"] if one["a"]["operator"] == "CONV_2D")
    assert convolution["differs"] == ["type", "macs", "weights_bytes", "weights_sha256", "output_bytes"]
    assert (convolution["a"]["layer"], convolution["b"]["layer"]) == ("conv", "conv")
    softmax = next(one for one in plain["operators"] if one["a"]["operator"] == "SOFTMAX")
    assert softmax["differs"] == [] and plain["same"] is False


def test_the_text_keeps_to_80_columns_and_the_page_tells_the_same(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built)
    page = tmp_path / "diff.html"

    code, out, err = told(["diff", "one/build/coral", "two/build/android-nnapi", "--html", page], capsys)

    assert code == 0 and f"wrote {page}" in err
    assert max(map(len, out.splitlines())) <= 80
    assert "coral  ->  android-nnapi" in out and "~ " in out
    written = page.read_text(encoding="utf-8")
    assert "edgetpu → nnapi" in written and "<script" not in written


def test_a_build_and_itself_do_not_differ(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(["diff", built / "one/build/coral", built / "one/build/coral/report.json"], capsys)

    assert "no difference in what was compared" in out


def test_models_are_compared_without_reports(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = told(["diff", built / "one/net.tflite", built / "two/net.tflite", "--json"], capsys)

    names = [one["name"] for one in json.loads(out)["measures"]]
    assert names == ["model_bytes", "weights_bytes", "macs", "operators", "arena_bytes"]


def test_operators_that_one_side_lacks_stand_alone(built: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "strange.tflite").write_bytes(write(stranger()))

    _, out, _ = told(["diff", built / "one/net.tflite", tmp_path / "strange.tflite"], capsys)

    assert "- 0 CONV_2D conv" in out and "+ 0 Frobnicate y" in out


BAD = {
    "a folder of targets": ("EC800", "one/build"),
    "nothing": ("EC800", "nowhere"),
    "no report": ("EC801", "notes.json"),
    "another schema": ("EC801", "old.json"),
    "no model": ("EC21", "noise.tflite"),
}


@pytest.mark.parametrize(("code", "name"), BAD.values(), ids=BAD)
def test_what_cannot_be_compared_is_told(code: str, name: str, built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (built / "notes.json").write_text("[1, 2]")
    (built / "old.json").write_text('{"schema": 0}')
    (built / "noise.tflite").write_bytes(b"noise" * 9)

    exit_code, _, err = told(["diff", built / name, built / "one/build/coral"], capsys)

    assert exit_code == 2 and f"error[{code}" in err


@pytest.mark.parametrize(
    "words", [["diff", "{a}", "{a}", "--html"], ["inspect", "{a}", "--plot"]], ids=["diff", "plot"]
)
def test_a_file_that_cannot_be_written_is_told(words: list[str], built: Path, capsys: Any) -> None:
    if words[0] == "inspect" and not figures.is_installed():
        pytest.skip("matplotlib is not installed")
    filled = [word.format(a=built / "one/net.tflite") for word in words]

    exit_code, _, err = told([*filled, built / "nowhere" / "x.html"], capsys)

    assert exit_code == 2 and "error[EC803]" in err


@pictured
def test_a_model_is_drawn_with_all_its_operators_and_the_same_bytes_twice(built: Path, tmp_path: Path) -> None:
    names = ("a.svg", "b.svg", "a.html")

    assert [main(["inspect", str(built / "one/net.tflite"), "--plot", str(tmp_path / name)]) for name in names] == [
        0
    ] * 3

    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    text = "".join(ElementTree.fromstring(drawn.encode()).itertext())
    assert (tmp_path / "b.svg").read_text(encoding="utf-8") == drawn
    assert all(word in text for word in ("CONV_2D  conv", "SOFTMAX  class", "weights, 784 B in all"))
    assert "var(--" not in drawn and "var(--ink)" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_an_unknown_kind_of_picture_is_told(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, _, err = told(["inspect", built / "one/net.tflite", "--plot", "x.gif"], capsys)

    assert exit_code == 2 and "error[EC804]" in err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("check", ["check", "one/net.tflite", "-t", "coral"]),
        ("check", ["check", "one/net.tflite", "-t", "coral", "-t", "cortex-m4"]),
        ("failure", ["check", "strange.tflite", "-t", "cortex-m4"]),
        ("build", ["build", "one/net.tflite", "-t", "coral", "-o", "again"]),
        ("inspect", ["inspect", "one/net.tflite"]),
        ("diff", ["diff", "one/net.tflite", "two/build/coral"]),
    ],
    ids=["check", "check twice", "rejected", "build", "inspect", "diff"],
)
def test_json_is_as_the_schema_says(
    name: str, words: list[str], built: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    monkeypatch.chdir(built)
    (built / "strange.tflite").write_bytes(write(stranger()))

    _, out, _ = told([*words, "--json"], capsys)

    jsonschema.Draft202012Validator(part(name)).validate(json.loads(out))


def _measured(folder: Path, rows: list[tuple[str, str, str]]) -> Path:
    """A copy of a build whose report has a table of sensitivities."""
    report = json.loads((folder / "report.json").read_text())
    keys = ("layer", "output error", "drop")
    report["details"]["sensitivity"] = [{**dict(zip(keys, row, strict=True)), "operator": "CONV_2D"} for row in rows]
    report["details"]["obtained"]["sensitivity"] = "measured on 20 validation samples"
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_sensitivities_stand_side_by_side(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        copytree(built / name / "build/coral", tmp_path / name)
    a = _measured(tmp_path / "one", [("c2", "65.6 %", "+0.5286"), ("c1", "0.1 %", "+0.0000")])
    b = _measured(tmp_path / "two", [("c1", "0.2 %", "-")])

    _, out, _ = told(["diff", a, b], capsys)
    _, plain, _ = told(["diff", a, b, "--json"], capsys)
    told(["diff", a, b, "--html", tmp_path / "d.html"], capsys)

    lines = [line.split() for line in out.splitlines() if line.startswith("CONV_2D c")]
    assert lines[0] == ["CONV_2D", "c2", "65.6", "%", "+0.5286", "-", "-"]
    assert lines[1] == ["CONV_2D", "c1", "0.1", "%", "+0.0000", "0.2", "%", "-"]
    assert json.loads(plain)["sensitivity"][0] == {
        "layer": "c2", "operator": "CONV_2D", "a": {"output error": "65.6 %", "drop": "+0.5286"}, "b": None
    }  # fmt: skip
    assert "+0.5286" in (tmp_path / "d.html").read_text()
