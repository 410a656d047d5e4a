"""`inspect` and `check` from the command line: a .tflite needs no TensorFlow, and what is none is told."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from edgecompile.cli.main import main


@pytest.fixture
def model(data: Path) -> Path:
    return next((data / "tflite").glob("*miniresnet_1stacks_64x50_tl_int8.tflite"))


@pytest.mark.data
def test_a_model_is_shown_within_80_columns(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["inspect", str(model)])

    out = capsys.readouterr().out
    assert exit_code == 0
    assert "CONV_2D" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.data
def test_a_model_is_shown_as_json(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", str(model), "--json"])

    plain = json.loads(capsys.readouterr().out)
    assert plain["size_bytes"] == model.stat().st_size
    assert len(plain["subgraphs"][0]["operators"]) == 15


def test_a_keras_model_is_sent_on_to_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "kws.keras", "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")

    exit_code = main(["inspect", str(tmp_path / "kws.keras")])

    assert exit_code == 2
    assert "error[EC106]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [None, b"", b"\x1c\0\0\0TFL3", b"noise" * 99], ids=["missing", "empty", "cut", "noise"]
)
@pytest.mark.parametrize("command", [["inspect"], ["check", "-t", "coral"]], ids=["inspect", "check"])
def test_a_file_that_is_no_model_is_refused_without_a_traceback(
    command: list[str], content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.tflite"
    if content is not None:
        path.write_bytes(content)

    exit_code = main([*command, str(path), "--json"])

    out, err = capsys.readouterr()
    assert exit_code == 2
    assert err.startswith("error[EC2")
    assert json.loads(out)["status"] == "failed"


@pytest.mark.data
def test_check_holds_a_model_against_each_target_and_writes_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    exit_code = main(["check", str(model), "-t", "nucleo-f446re", "-t", "nucleo-f103rb", "--json"])

    out, err = capsys.readouterr()
    reports = json.loads(out)["reports"]
    assert exit_code == 1
    assert [report["status"] for report in reports] == ["built", "rejected"]
    assert "nucleo-f446re: would run and fit\n" in err
    assert "nucleo-f103rb: rejected" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
def test_build_of_a_tflite_names_what_it_wrote_on_stdout(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    exit_code = main(["build", str(model), "-t", "coral", "-o", "out", "--verify-samples", "2"])

    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert exit_code == 0
    assert {path.name for path in written} >= {"report.json", "report.txt"}
    assert all(path.is_file() and path.parent == tmp_path / "out" / "coral" for path in written)
    assert (tmp_path / "out" / "coral" / "report.txt").read_text().startswith("coral: built")


@pytest.mark.data
def test_quiet_leaves_only_the_paths(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    main(["build", str(model), "-t", "nucleo-f446re", "--quiet", "--verify-samples", "2"])

    out, err = capsys.readouterr()
    assert err == ""
    assert all(Path(line).is_file() for line in out.splitlines())
