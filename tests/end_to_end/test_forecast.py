"""The whole way for an accelerator: statuses, memory and time in the report, pipelines, models that share a device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pipeline_networks import classifier, stranger

from edgecompile.cli.main import main
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    exit_code = main([*words, "--json"])
    return exit_code, json.loads(capsys.readouterr().out)


def save(name: str, network: Network) -> None:
    Path(name).write_bytes(write(network))


def test_check_tells_statuses_memory_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    save("net.tflite", classifier())

    exit_code, report = asked(capsys, "check", "net.tflite", "-t", "coral")

    measures = {measure["name"]: measure for measure in report["measures"]}
    assert exit_code == 0
    assert measures["streamed_bytes"]["value"] == 0
    assert measures["cached_bytes"]["value"] > 128 * 4
    assert measures["latency_ms"]["method"].startswith("predicted: ")
    assert "error" in measures["latency_ms"]["method"]
    assert any("Mapped to Edge TPU" in line for line in report["details"]["compiler status"])
    assert [layer["operator"] for layer in report["details"]["layers"]] == [
        "CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX",
    ]  # fmt: skip
    assert max(map(len, report["details"]["compiler status"])) <= 80


def test_check_shows_the_statuses_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    save("net.tflite", stranger())

    main(["check", "net.tflite", "-t", "coral"])

    shown = capsys.readouterr().err
    assert "Frobnicate    1  Operation not supported" in shown
    assert "not an operator of this target (operator 0)" in shown


def test_a_target_without_a_model_of_times_has_none_in_its_report(capsys: pytest.CaptureFixture[str]) -> None:
    save("net.tflite", classifier())

    _, report = asked(capsys, "check", "net.tflite", "-t", "cortex-m4")

    assert not {"cached_bytes", "latency_ms"} & {measure["name"] for measure in report["measures"]}


def test_segments_are_written_and_their_cuts_told(capsys: pytest.CaptureFixture[str]) -> None:
    save("net.tflite", classifier())

    exit_code, report = asked(capsys, "build", "net.tflite", "-t", "coral", "--segments", "2", "-o", "out")

    paths = [artifact["path"] for artifact in report["artifacts"]]
    parts = [f"net_segment_{number}_of_2.tflite" for number in (1, 2)]
    assert exit_code == 0
    assert set(parts) < set(paths)
    first, second = (read(Path("out/coral", part).read_bytes()).main for part in parts)
    assert len(first.operators) + len(second.operators) == 4
    assert [first.tensors[t].name for t in first.outputs] == [second.tensors[t].name for t in second.inputs]
    assert report["details"]["pipeline cuts"] == [len(first.operators)]
    interval = next(m for m in report["measures"] if m["name"] == "pipeline_interval_ms")
    assert interval["value"] == max(row["ms"] for row in report["details"]["pipeline"])


def test_too_many_segments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    save("net.tflite", classifier())

    exit_code, answer = asked(capsys, "check", "net.tflite", "-t", "coral", "--segments", "9")

    assert exit_code == 2
    assert answer["diagnostics"][0]["code"] == "EC556"


def test_models_named_together_share_the_cache(capsys: pytest.CaptureFixture[str]) -> None:
    save("large.tflite", classifier(64))
    save("small.tflite", classifier(8))

    exit_code, answer = asked(capsys, "check", "large.tflite", "small.tflite", "-t", "coral")

    large, small = answer["reports"]
    free = [next(m["value"] for m in one["measures"] if m["name"] == "cache_free_bytes") for one in (large, small)]
    cached = next(m["value"] for m in small["measures"] if m["name"] == "cached_bytes")
    assert exit_code == 0
    assert free[0] - free[1] == cached
    assert "1 model" in small["details"]["shares the device"]
    assert "shares the device" not in large["details"]


@pytest.mark.parametrize("command", ["check", "build"])
def test_each_report_of_several_models_says_of_which(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("large.tflite", classifier(64))
    save("small.tflite", classifier(8))

    main([command, "large.tflite", "small.tflite", "-t", "coral"])
    both = capsys.readouterr().err.splitlines()
    main([command, "large.tflite", "-t", "coral"])
    one = capsys.readouterr().err

    heads = [both[index - 1] for index, line in enumerate(both) if line.startswith("coral: ")]
    assert heads == ["Model large.tflite", "Model small.tflite"]
    assert "Model large.tflite" not in one


def test_models_built_together_are_written_to_a_folder_each(capsys: pytest.CaptureFixture[str]) -> None:
    save("a.tflite", classifier(16))
    save("b.tflite", classifier(8))

    exit_code = main(["build", "a.tflite", "b.tflite", "-t", "coral", "-o", "out", "--depfile", "out.d"])

    assert exit_code == 0
    written = capsys.readouterr().out.splitlines()
    assert {str(Path(path).parent.relative_to(Path.cwd())) for path in written} == {"out/a/coral", "out/b/coral"}
    assert all(Path(path).is_file() for path in written)
    outputs, _, inputs = Path("out.d").read_text().partition(": ")
    assert all(f"out/{name}/coral/{name}.tflite" in outputs for name in "ab")
    assert all(f"{name}.tflite" in inputs for name in "ab")


def test_two_models_of_one_name_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("other").mkdir()
    save("a.tflite", classifier())
    save("other/a.tflite", classifier())

    exit_code, answer = asked(capsys, "build", "a.tflite", "other/a.tflite", "-t", "coral")

    assert exit_code == 2
    assert answer["diagnostics"][0]["code"] == "EC557"


def test_multiple_subgraphs_run_what_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    from edgecompile.ir.build import NetworkBuilder

    build = NetworkBuilder()
    x = build.input("x", (1, 4, 4, 4), "int8", scale=0.1)
    for name in ("RELU6", "ELU", "LOGISTIC"):
        scale, zero = (1 / 256, -128) if name == "LOGISTIC" else (0.1, 0)
        y = build.tensor(name.lower(), (1, 4, 4, 4), "int8", scale=scale, zero_point=zero)
        build.op(name, [x], [y])
        x = y
    save("cut.tflite", build.output(x).build())

    _, one = asked(capsys, "check", "cut.tflite", "-t", "coral")
    _, many = asked(capsys, "check", "cut.tflite", "-t", "coral", "--multiple-subgraphs")

    on_cpu = [next(m["value"] for m in r["measures"] if m["name"] == "operators_on_cpu") for r in (one, many)]
    assert on_cpu == [2, 1]
    assert any("More than one subgraph" in line for line in one["details"]["compiler status"])
    assert not any("More than one subgraph" in line for line in many["details"]["compiler status"])
