"""The schema that is shipped holds for what is really printed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from report_example import bare, example

from edgecompile.cli.main import main
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
    "a usage error": ("failure", ["build", "--targt", "coral"]),
    "a model that is not there": ("failure", ["check", "no.tflite", "-t", "coral"]),
}


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
