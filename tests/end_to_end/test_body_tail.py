"""What stays on the CPU behind the accelerator, as a file of its own: after the body it gives what the whole gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_networks import classifier

from edgecompile import pipeline
from edgecompile.cli.main import main
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network, Operator
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.libs import litert


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_argmax() -> Network:
    """The classifier, and before its SOFTMAX an ARG_MAX of the logits, which no Edge TPU runs: two outputs."""
    build = NetworkBuilder()
    net = classifier()
    axis = build.constant("axis", np.array([1], dtype=np.int32))
    best = build.tensor("best", (1,), "int32")
    extra = build.tensors
    start = len(net.main.tensors)
    logits = next(i for i, tensor in enumerate(net.main.tensors) if tensor.name == "logits")
    operator = Operator(name="ARG_MAX", inputs=(logits, start + axis), outputs=(start + best,),
                        options={"output_type": "INT32"})  # fmt: skip
    *before, last = net.main.operators
    part = replace(
        net.main, tensors=(*net.main.tensors, *extra), operators=(*before, operator, last),
        outputs=(*net.main.outputs, start + best),
    )  # fmt: skip
    return replace(net, subgraphs=(part,))


def built(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    Path("net.tflite").write_bytes(write(with_argmax()))
    exit_code = main(["build", "net.tflite", "-t", "coral", "-o", "out", *words, "--json"])
    return exit_code, json.loads(capsys.readouterr().out)


def test_the_tail_is_a_file_of_its_own_and_gives_after_the_body_what_the_whole_gives(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runtime = litert.choose("tflite")
    if not runtime.available:
        pytest.skip("needs a TFLite interpreter (tflite-runtime or ai-edge-litert)")
    exit_code, report = built(capsys)

    place = Path("out/coral")
    whole, body, tail = ((place / f"net{part}.tflite").read_bytes() for part in ("", "_body", "_tail"))
    assert exit_code == 0
    assert [operator.name for operator in read(tail).main.operators] == ["ARG_MAX"]
    assert "ARG_MAX" not in {operator.name for operator in read(body).main.operators}
    x = np.random.default_rng(1).integers(-128, 128, (5, 1, 8, 8, 3), dtype=np.int8)
    wanted = litert.invoke(whole, [x], runtime=runtime).arrays
    first = litert.invoke(body, [x], runtime=runtime)
    names = [port.name for port in first.outputs]
    second = litert.invoke(tail, [first.arrays[names.index("logits")]], runtime=runtime)
    np.testing.assert_array_equal(first.arrays[names.index("class")], wanted[0])
    np.testing.assert_array_equal(second.arrays[0], wanted[1])
    assert "every bit" in report["details"]["body and tail"][-1]
    assert any(line.startswith("separate_tail: 1 ARG_MAX") for line in report["details"]["rewrites"])


def test_a_user_can_refuse_the_two_files(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, report = built(capsys, "--no-rewrite", "separate_tail")

    assert exit_code == 0
    assert [artifact["path"] for artifact in report["artifacts"] if artifact["kind"] == "tflite"] == ["net.tflite"]
    assert "body and tail" not in report["details"]


def test_a_tail_that_gives_something_else_is_rejected(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not litert.choose("tflite").available:
        pytest.skip("needs a TFLite interpreter (tflite-runtime or ai-edge-litert)")
    written = pipeline.write_body_and_tail

    def spoiled(job: Any, folder: Path) -> None:
        written(job, folder)
        tail = read((folder / "net_tail.tflite").read_bytes())
        operators = tuple(replace(operator, name="ARG_MIN") for operator in tail.main.operators)
        changed = replace(tail, subgraphs=(replace(tail.main, operators=operators),))
        (folder / "net_tail.tflite").write_bytes(write(changed))

    monkeypatch.setattr(pipeline, "write_body_and_tail", spoiled)
    exit_code, report = built(capsys)

    assert exit_code == 1
    assert [d["code"] for d in report["diagnostics"] if d["severity"] == "error"] == ["EC724"]
    assert not Path("out/coral").exists()
