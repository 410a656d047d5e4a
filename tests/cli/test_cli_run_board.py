"""`run --on qemu`: self-test, outputs and counts of a build, on the emulated board."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.cli.main import main
from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder

MISSING = [name for name in ("arm-none-eabi-gcc", "make", "qemu-system-arm") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.micro,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds of a dense layer and a softmax, int8[1, 8] to int8[1, 3]."""
    place = tmp_path_factory.mktemp("built")
    build = NetworkBuilder()
    x = build.input("x", (1, 8), "int8", scale=0.1, zero_point=0)
    w = build.constant("w", np.random.default_rng(1).integers(-127, 128, (3, 8)), "int8", scale=0.05)
    y = build.tensor("y", (1, 3), "int8", scale=0.5)
    p = build.tensor("p", (1, 3), "int8", scale=1 / 256, zero_point=-128)
    build.op("FULLY_CONNECTED", [x, w], [y])
    build.op("SOFTMAX", [y], [p], beta=1.0)
    (place / "dense.tflite").write_bytes(writer.write(build.output(p).build()))
    targets = ["-t", "qemu-m4", "-t", "nucleo-f103rb", "-t", "cortex-m4"]
    assert main(["build", str(place / "dense.tflite"), *targets, "-o", str(place), "--quiet"]) == 0
    return place


def ask(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    exit_code = main([*map(str, words), "--json"])
    return exit_code, json.loads(capsys.readouterr().out)


def test_without_inputs_the_self_test_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, found = ask(capsys, "run", folder / "qemu-m4", "--on", "qemu")

    assert exit_code == 0
    assert found["self_test"] == "edgecompile self-test: 3 of 3 equal, passed"
    measures = found["measures"]
    assert isinstance(measures, list)
    assert [m["name"] for m in measures] == ["instructions", "flash_bytes", "ram_bytes", "stack_bytes"]
    assert found["profile"] is None and "outputs" not in found


def test_outputs_are_those_of_the_host(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(folder / "x.npy", np.random.default_rng(2).normal(size=(5, 8)).astype(np.float32))
    words = ["run", folder / "qemu-m4", "--inputs", folder / "x.npy", "--on"]

    _, on_host = ask(capsys, *words, "host")
    exit_code, on_board = ask(capsys, *words, "qemu")

    assert exit_code == 0
    assert on_board["outputs"] == on_host["outputs"]


def test_the_profile_adds_up_to_the_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, found = ask(capsys, "run", folder / "qemu-m4", "--on", "qemu", "--profile")

    costs, measures = found["profile"], found["measures"]
    assert isinstance(costs, list) and isinstance(measures, list)
    assert [cost["label"] for cost in costs] == ["FULLY_CONNECTED", "SOFTMAX"]
    # Each operator brings the call of a mark, about five instructions, and there are the calls of the functions.
    assert abs(sum(cost["instructions"] for cost in costs) - measures[0]["value"]) <= 10 * (len(costs) + 1)


def test_the_profile_says_what_each_operator_takes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, found = ask(capsys, "run", folder / "qemu-m4", "--on", "qemu", "--profile")

    dense, softmax = found["profile"]
    flash, stack = found["measures"][1]["value"], found["measures"][3]["value"]
    # The softmax has a table of 256 exponentials of four bytes at most; the dense layer has 24 weights.
    assert dense["flash_bytes"] > 24 and softmax["flash_bytes"] > 256
    rest = flash - dense["flash_bytes"] - softmax["flash_bytes"] - found["shared_flash_bytes"]
    assert 0 < rest < 600, "start-up code and the calls"
    assert 0 < softmax["stack_bytes"] < stack
    # Eight bytes of input and three of result, behind each other or one in place of the other.
    assert 8 <= dense["ram_bytes"] <= 12 and 3 <= softmax["ram_bytes"] <= 8


def test_a_report_without_a_memory_map_leaves_ram_out(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "qemu-m4", tmp_path / "qemu-m4")
    report = tmp_path / "qemu-m4" / "report.json"
    report.write_text(report.read_text().replace("memory map of the C library", "another detail"))

    exit_code, found = ask(capsys, "run", tmp_path / "qemu-m4", "--on", "qemu", "--profile")

    assert exit_code == 0
    assert [cost["ram_bytes"] for cost in found["profile"]] == [None, None]


def test_counts_are_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", str(folder / "qemu-m4"), "--on", "qemu", "--profile"])

    out = capsys.readouterr().out
    assert out.startswith("self-test: 3 of 3 equal, passed\ninstructions ")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert re.search(r"^  1 SOFTMAX +\d+ +\d+\.\d % +\d[\d ]* +\d+ +\d+$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["nucleo-f103rb"], "EC664", 3),
        (["cortex-m4"], "EC665", 2),
        (["qemu-m4", "--bench"], "EC104", 2),
        (["qemu-m4", "--inputs", "wrong.npy"], "EC701", 2),
        (["qemu-m4/dense.tflite"], "EC110", 2),
    ],
    ids=["no emulated board", "no firmware", "bench", "inputs of another shape", "a file"],
)
def test_what_cannot_run_is_told(
    folder: Path, words: list[str], code: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folder / "wrong.npy", np.zeros((2, 9), np.float32))
    paths = [str(folder / word) if not word.startswith("--") else word for word in words]

    found = main(["run", *paths, "--on", "qemu"])

    assert (found, f"error[{code}]" in capsys.readouterr().err) == (exit_code, True)


def test_profile_is_not_for_the_host(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(folder / "qemu-m4"), "--on", "host", "--profile"]) == 2
    assert "error[EC104]" in capsys.readouterr().err


def test_another_result_than_the_golden_one_fails_the_self_test(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "qemu-m4", tmp_path / "qemu-m4")
    golden = tmp_path / "qemu-m4" / "firmware" / "golden.h"
    head, tail = golden.read_text().split("golden_outputs[3][3] = {")
    golden.write_text(
        f"{head}golden_outputs[3][3] = {{" + re.sub(r"(\d+),", lambda m: f"{int(m[1]) ^ 1},", tail, count=1)
    )

    exit_code = main(["run", str(tmp_path / "qemu-m4"), "--on", "qemu"])

    assert exit_code == 1
    err = capsys.readouterr().err
    assert "error[EC666]" in err
    assert "2 of 3 equal, FAILED" in err
