"""The schema that is shipped holds for what is really printed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_example import bare, example

from edgecompile.cli.application import COMMANDS
from edgecompile.cli.main import main
from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder
from edgecompile.report.json import dumps, failure
from edgecompile.report.schema import names, part, whole

jsonschema = pytest.importorskip("jsonschema")
PRINTED = {
    "targets": ("targets", ["targets", "list"]),
    "targets show": ("targets", ["targets", "show", "coral"]),
    "targets check": ("targets", ["targets", "check", "coral"]),
    "passes": ("passes", ["passes"]),
    "a pass": ("passes", ["passes", "prune"]),
    "explain": ("explain", ["explain"]),
    "a code": ("explain", ["explain", "EC100"]),
    "doctor": ("doctor", ["doctor"]),
    "the schema": ("schema", ["schema"]),
    "a part of the schema": ("schema", ["schema", "build"]),
    "cache": ("cache", ["cache"]),
    "cache prune": ("cache", ["cache", "prune"]),
    "cache clear": ("cache", ["cache", "clear"]),
    "a usage error": ("failure", ["build", "--targt", "coral"]),
    "a model that is not there": ("failure", ["check", "no.tflite", "-t", "coral"]),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clearing a cache must not clear the reader's."""
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A dense layer, int8[1, 4] to int8[1, 3]."""
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.5, zero_point=-3)
    w = build.constant("w", [[1, -2, 3, 4], [5, 6, -7, 8], [0, 1, 0, 1]], "int8", scale=0.1)
    y = build.tensor("y", (1, 3), "int8", scale=0.25)
    build.op("FULLY_CONNECTED", [x, w], [y])
    path = tmp_path / "dense.tflite"
    path.write_bytes(writer.write(build.output(y).build()))
    np.save(tmp_path / "x.npy", np.ones((2, 4), np.float32))
    return path


def validate(name: str, plain: Any) -> None:
    jsonschema.Draft202012Validator(part(name)).validate(plain)
    jsonschema.Draft202012Validator(whole()).validate(plain)


def printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(whole())


@pytest.mark.parametrize(("name", "words"), PRINTED.values(), ids=PRINTED)
def test_what_a_command_prints_is_as_its_schema_says(
    name: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    validate(name, printed(words, capsys))


@pytest.mark.parametrize("name", ["report", "build", "check"])
def test_reports_are_as_the_schema_says(name: str) -> None:
    validate(name, json.loads(dumps(example())))
    validate(name, json.loads(dumps(bare())))


def test_several_reports_and_failures_are_as_the_schema_says() -> None:
    validate("build", json.loads(dumps([example(), bare()])))
    validate("failure", json.loads(dumps(failure("interrupted", ()))))


def test_every_command_has_a_schema_and_a_place_in_the_whole() -> None:
    assert set(COMMANDS) <= set(names())
    listed = {entry["$ref"].rsplit("/", 1)[-1] for entry in whole()["anyOf"]}
    assert listed == {*COMMANDS, "failure"}


def test_what_commands_print_of_a_model_is_as_their_schemas_say(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, several = ["-t", "cortex-m4"], ["-t", "cortex-m4", "-t", "coral"]
    built = str(tmp_path / "cortex-m4")

    validate("check", printed(["check", str(model), *several], capsys))
    validate("build", printed(["build", str(model), *one, "-o", str(tmp_path)], capsys))
    validate("build", printed(["build", str(model), *several, "-o", str(tmp_path), "--flash", "1 KiB"], capsys))
    validate("inspect", printed(["inspect", str(model)], capsys))
    validate("diff", printed(["diff", str(model), str(model)], capsys))
    words = ["run", built, "--on", "host"]
    validate("run", printed([*words, "--inputs", str(tmp_path / "x.npy")], capsys))
    validate("run", printed([*words, "--bench", "--runs", "2"], capsys))
    validate("targets", printed(["targets", "new", "mine", "-o", str(tmp_path / "mine.toml")], capsys))
    validate("init", printed(["init", str(tmp_path / "started")], capsys))


@pytest.mark.micro
def test_what_is_printed_of_a_board_is_as_its_schema_says(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(model), "-t", "qemu-m4", "-o", str(tmp_path), "--quiet"]) == 0
    capsys.readouterr()
    built = str(tmp_path / "qemu-m4")

    validate("flash", printed(["flash", built, "--list"], capsys))
    validate("flash", printed(["flash", built, "--dry-run"], capsys))
    if all(map(shutil.which, ("arm-none-eabi-gcc", "make", "qemu-system-arm"))):
        validate("flash", printed(["flash", built, "--run"], capsys))
        validate("run", printed(["run", built, "--on", "qemu"], capsys))
        validate(
            "run", printed(["run", built, "--on", "qemu", "--profile", "--inputs", str(tmp_path / "x.npy")], capsys)
        )


@pytest.mark.parametrize(
    "change",
    [{"status": "fine"}, {"schema": 2}, {"measures": [{"name": "macs"}]}, {"news": 1}, {"model_sha256": "zz"}],
    ids=["status", "schema", "measure", "unknown key", "hash"],
)
def test_what_is_no_report_is_refused(change: dict[str, Any]) -> None:
    plain = {**json.loads(dumps(bare())), **change}

    with pytest.raises(jsonschema.ValidationError):
        validate("report", plain)


def test_the_command_prints_the_schema_or_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(["schema"], capsys) == whole()
    assert printed(["schema", "report"], capsys) == part("report")
    assert "failure" in names() and "measure" not in names()


def test_an_unknown_schema_is_told_with_the_near_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "raport"]) == 2

    told = capsys.readouterr().err
    assert "EC802" in told and "did you mean `report`?" in told
