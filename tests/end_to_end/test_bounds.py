"""`check --fail-on`: figures held to a bound, and what is said of bounds that cannot be held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pipeline_networks import project

from edgecompile.bounds import figures, hold, parse_bounds
from edgecompile.cli.main import main
from edgecompile.config.profiles import load, names
from edgecompile.core.errors import BadInputError
from edgecompile.core.progress import Silent
from edgecompile.core.report import Measure, Report
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.writer import write
from edgecompile.pipeline import check


def report(**values: float | None) -> Report:
    measures = tuple(Measure(name=name, value=value, unit="count", method="counted") for name, value in values.items())
    return Report(status="built", target="android-cpu", recipe={}, model_sha256="", versions={}, measures=measures)


@pytest.mark.parametrize(
    ("words", "bounds"),
    [
        (["partitions:3"], {"partitions": 3.0}),
        (["partitions:3", "latency_ms:0.5"], {"partitions": 3.0, "latency_ms": 0.5}),
        (["model_bytes:64 KiB"], {"model_bytes": 65536.0}),
    ],
    ids=["count", "two", "size"],
)
def test_a_bound_is_a_name_and_a_number_or_size(words: list[str], bounds: dict[str, float]) -> None:
    assert parse_bounds(words) == bounds


@pytest.mark.parametrize("word", ["partitions", ":3", "partitions:", "partitions:many", "partitions:nan"])
def test_what_is_no_bound_is_refused(word: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_bounds([word])

    assert caught.value.diagnostics[0].code == "EC754"


def test_a_figure_at_its_bound_passes_and_one_above_it_fails() -> None:
    assert hold(report(partitions=3), {"partitions": 3.0}).status == "built"

    held = hold(report(partitions=4), {"partitions": 3.0})

    assert held.status == "rejected"
    assert held.diagnostics[0].code == "EC752"
    assert held.diagnostics[0].notes[:2] == ("limit: 3", "found: 4")


def test_a_figure_that_could_not_be_had_fails() -> None:
    held = hold(report(latency_ms=None), {"latency_ms": 3.0})

    assert held.status == "rejected"
    assert "found: not available" in held.diagnostics[0].notes


def test_a_figure_that_is_not_there_is_refused_with_the_near_name() -> None:
    with pytest.raises(BadInputError) as caught:
        hold(report(partitions=1), {"partition": 3.0})

    assert caught.value.diagnostics[0].code == "EC753"
    assert caught.value.diagnostics[0].help == ("did you mean `partitions`?",)


@pytest.mark.parametrize("target", names())
def test_every_figure_of_a_check_is_foreseen(tmp_path: Path, target: str) -> None:
    profile = load(target)
    for segments in (1, 2) if profile.measure.get("links") else (1,):
        wanted = project(tmp_path, targets=(target,), segments=segments)

        (found,) = check(wanted, [profile], Silent())

        assert found.status == "built"
        assert {measure.name for measure in found.measures} <= set(figures(profile, segments))


@pytest.mark.parametrize(
    "words, near",
    [
        pytest.param(["check", "-t", "android-cpu", "--fail-on", "partition:3"], "partitions", id="figure"),
        pytest.param(["check", "-t", "coral", "--fail-on", "latency_usb_ms:3"], "latency_usb2_ms", id="of the device"),
        pytest.param(["check", "-t", "coral", "--no-rewrite", "hard_swich"], "hard_swish", id="rewrite in check"),
        pytest.param(["build", "-t", "coral", "--no-rewrite", "hard_swich"], "hard_swish", id="rewrite in build"),
    ],
)
def test_misspelt_names_are_told_before_the_model_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], near: str
) -> None:
    monkeypatch.chdir(tmp_path)

    exit_code = main([words[0], "not-there.keras", *words[1:]])

    err = capsys.readouterr().err
    assert exit_code == 2
    assert f"help: did you mean `{near}`?" in err
    assert "EC200" not in err
    assert not list(tmp_path.iterdir())


def test_check_fails_on_more_parts_than_allowed_and_shows_all_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    build = NetworkBuilder()
    x = build.input("x", (1, 8))
    for position, name in enumerate(("RELU", "POW", "RELU")):
        x = build.op(name, [x, x][: 1 + (name == "POW")], [build.tensor(f"y{position}", (1, 8))])
    Path("cut.tflite").write_bytes(write(build.output(x).build()))
    words = ["check", "cut.tflite", "-t", "android-cpu", "-t", "android-nnapi", "--json", "--fail-on"]

    passed = main([*words, "partitions:2"])
    capsys.readouterr()
    failed = main([*words, "partitions:1"])
    cpu, nnapi = json.loads(capsys.readouterr().out)["reports"]

    assert (passed, failed) == (0, 1)
    assert (cpu["status"], nnapi["status"]) == ("rejected", "built")
    assert [d["code"] for d in cpu["diagnostics"]] == ["EC501", "EC751", "EC752"]
    assert [row["profile"] for row in nnapi["details"]["delegation"]] == [
        "android-nnapi", "android-nnapi-27", "android-nnapi-28", "android-nnapi-29", "android-nnapi-31",
        "android-gpu", "android-cpu",
    ]  # fmt: skip


def test_build_asks_the_real_delegate_and_says_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    build = NetworkBuilder()
    x = build.input("x", (1, 8))
    x = build.op("RELU", [x], [build.tensor("y", (1, 8))])
    Path("relu.tflite").write_bytes(write(build.output(x).build()))

    main(["build", "relu.tflite", "-t", "android-cpu", "--json"])

    report = json.loads(capsys.readouterr().out)
    (row,) = report["details"]["delegation"]
    said = report["details"]["real delegates"]["android-cpu"]
    assert row["real delegate"] in ("agrees", "differs", "not asked")
    assert said.startswith(row["real delegate"])
    if row["real delegate"] == "agrees":
        found = {measure["name"]: measure for measure in report["measures"]}["partitions_here"]
        assert (found["value"], found["method"].partition(" ")[0]) == (1, "measured")
