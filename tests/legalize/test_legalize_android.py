"""Android's GPU and CPU profiles: every operator in every form, held against what the real ones said of it.

`delegate_answers.json` was written by `scripts/bench android --record`: XNNPACK as it is in ai-edge-litert, and the GPU
delegate's checker as TensorFlow had it until 2.18.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from android_networks import networks
from small_networks import network, tensor

from edgecompile.config.profiles import load
from edgecompile.core.errors import MissingError
from edgecompile.core.target import Target
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.legalize.check import check
from edgecompile.legalize.joins import joins
from edgecompile.legalize.proof import compare, differs
from edgecompile.libs import delegates, litert
from edgecompile.libs.delegates_child import read_analysis

ANSWERS = json.loads((Path(__file__).parent / "delegate_answers.json").read_text("utf-8"))
PROFILES = {"xnnpack": "android-cpu", "gpu": "android-gpu"}
CASES = [
    pytest.param(delegate, name, taken, id=f"{delegate}: {name}")
    for delegate, answers in ANSWERS.items()
    for name, taken in answers["taken"].items()
    if taken is not None
]


@cache
def ours() -> dict[str, Network]:
    return networks()


@cache
def profile(delegate: str) -> Target:
    return load(PROFILES[delegate])


@pytest.mark.parametrize(("delegate", "name", "taken"), CASES)
def test_a_profile_takes_what_the_real_delegate_takes(delegate: str, name: str, taken: list[int]) -> None:
    compared = compare(ours()[name], profile(delegate), taken, None)

    assert compared.agrees, compared


@pytest.mark.parametrize("delegate", PROFILES)
def test_the_answers_are_about_the_networks_of_today(delegate: str) -> None:
    assert list(ANSWERS[delegate]["taken"]) == list(ours())


@pytest.mark.parametrize("delegate", PROFILES)
def test_the_real_delegate_took_nearly_every_operator_of_the_profile_in_some_form(delegate: str) -> None:
    taken = {
        ours()[name].main.operators[index].label
        for name, indices in ANSWERS[delegate]["taken"].items()
        for index in indices or ()
    }

    # DENSIFY needs sparse constants, LSTM two dozen inputs.
    assert set(profile(delegate).operators) - taken <= {"DENSIFY", "LSTM"}


@pytest.mark.parametrize(
    ("delegate", "name"), [case.values[:2] for case in CASES if case.values[2]], ids=lambda value: str(value)
)
def test_what_is_taken_is_refused_when_it_computes_with_64_bit_integers(delegate: str, name: str) -> None:
    found = ours()[name]
    wide = tuple(one if one.is_constant else replace(one, dtype="int64") for one in found.main.tensors)
    subgraph = replace(found.main, tensors=wide)

    verdict = check(replace(found, subgraphs=(subgraph,)), profile(delegate), "")

    assert all(placed.where == "cpu" for placed in verdict.placements if placed.name != "DEQUANTIZE")


@pytest.mark.parametrize(
    ("name", "found", "rule"),
    [
        ("ADD", network("ADD", ["int16[1, 4, 4, 8]"] * 2, ["int16[1, 4, 4, 8]"]), "computes_in"),
        ("EQUAL", network("EQUAL", ["int32[1, 4]"] * 2, ["bool[1, 4]"]), "runtime_dtypes"),
        ("RELU", network("RELU", ["float32[1, 1, 4, 4, 8]"], ["float32[1, 1, 4, 4, 8]"]), "max_ranks"),
        ("RELU", network("RELU", ["float32[1, -1, 4, 8]"], ["float32[1, -1, 4, 8]"]), "static_shapes"),
    ],
    ids=["type", "type of a comparison", "dimensions", "unknown size"],
)
def test_the_gpu_delegate_refuses_what_its_checker_lets_through(name: str, found: Network, rule: str) -> None:
    target = profile("gpu")

    verdict = check(found, target, "model.tflite")

    assert verdict.operators_on_cpu == 1
    assert rule in target.placement.proof_without
    assert compare(found, target, [0], None).agrees


def int8_softmax_between() -> Network:
    """RELU, SOFTMAX, RELU, LOG_SOFTMAX, RELU of float32 and int8: two kinds of operators cut what XNNPACK runs."""
    build = NetworkBuilder()
    x = build.input("x", (1, 8), "float32")
    for position, name in enumerate(("RELU", "LOG_SOFTMAX", "RELU", "ARG_MAX_LIKE", "RELU")):
        label = "LOG_SOFTMAX" if name == "LOG_SOFTMAX" else "POW" if name == "ARG_MAX_LIKE" else "RELU"
        inputs = [x, x] if label == "POW" else [x]
        x = build.op(label, inputs, [build.tensor(f"y{position}", (1, 8))])
    return build.output(x).build()


def test_what_cuts_a_model_is_told_with_how_many_parts_would_be_left() -> None:
    found = int8_softmax_between()
    target = profile("xnnpack")

    (diagnostic,) = joins(found, check(found, target, "m.tflite"), target, "m.tflite")

    assert diagnostic.code == "EC751"
    assert diagnostic.message == "the model falls into 3 parts on xnnpack"
    assert diagnostic.notes == (
        "`LOG_SOFTMAX` (operator 1): 2 parts if xnnpack took it",
        "`POW` (operator 3): 2 parts if xnnpack took it",
    )
    assert diagnostic.help == ("replace `LOG_SOFTMAX`, `POW` first: that leaves 2 parts",)


def test_a_delegate_that_keeps_one_part_says_what_it_leaves() -> None:
    found = int8_softmax_between()
    one = network("RELU", ["float32[1, 4]"], ["float32[1, 4]"])
    gpu = profile("gpu")

    (diagnostic,) = joins(found, check(found, gpu, "m.tflite"), gpu, "m.tflite")

    assert "only 1 of the parts runs on gpu, the others on the CPU" in diagnostic.notes
    assert joins(one, check(one, gpu, "m.tflite"), gpu, "m.tflite") == ()


def test_a_difference_from_the_real_delegate_is_told_with_operators_and_parts() -> None:
    found = int8_softmax_between()
    target = profile("xnnpack")
    compared = compare(found, target, [0, 1, 2], 1)

    diagnostic = differs(compared, found, target, "XNNPACK in ai-edge-litert 9.9", "m.tflite")

    assert diagnostic.code == "EC755"
    assert diagnostic.notes == (
        "asked: XNNPACK in ai-edge-litert 9.9",
        "the profile takes and it does not: 4 (RELU)",
        "it takes and the profile does not: 1 (LOG_SOFTMAX)",
        "partitions: 3 by the profile, 1 by it",
    )


def test_the_real_xnnpack_agrees_on_generated_models() -> None:
    chosen = [name for name in ours() if name.startswith(("CONV_2D", "SOFTMAX", "FULLY_CONNECTED", "LOG"))]

    try:
        asked = delegates.ask("xnnpack", [write(ours()[name]) for name in chosen])
    except MissingError as error:
        pytest.skip(f"no interpreter with XNNPACK: {error}")

    if "ai-edge-litert 2.3" not in asked.described:
        pytest.skip(f"the profile states the rules of ai-edge-litert 2.3, here is {asked.described}")
    answered = [(name, one) for name, one in zip(chosen, asked.answers, strict=True) if not one.error]
    assert len(answered) > 20
    for name, answer in answered:
        assert compare(ours()[name], profile("xnnpack"), answer.taken, answer.partitions).agrees, name


def test_a_checker_that_no_longer_checks_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = litert.RuntimeInfo(name="tensorflow", version="2.20.0", available=True)
    monkeypatch.setattr(litert, "runtimes", lambda: (blind,))

    with pytest.raises(MissingError) as caught:
        delegates.ask("gpu", [b""])

    assert caught.value.diagnostics[0].code == "EC757"


def test_the_checkers_text_is_read_operator_by_operator() -> None:
    text = """
Subgraph#0 main(T#0) -> [T#3]
  Op#0 RELU(T#0) -> [T#1]
  Op#1 SVDF(T#1) -> [T#2]
GPU COMPATIBILITY WARNING: Not supported op SVDF
  Op#2 RELU(T#2) -> [T#3]

GPU COMPATIBILITY WARNING: Subgraph#0 has GPU delegate compatibility issues at nodes 1 on TFLite runtime version 2.17.1
Subgraph#1 body(T#0) -> [T#1]
  Op#0 WHILE(T#0) -> [T#1]
GPU COMPATIBILITY WARNING: Not supported op WHILE
"""

    assert read_analysis(text) == {"taken": [0, 2]}
    assert read_analysis("Could not open 'model.tflite'") == {"error": "not readable"}


def test_a_half_float_constant_goes_where_its_readers_go() -> None:
    verdicts: dict[str, Any] = {
        reader: check(ours()[f"DEQUANTIZE float16 constant for {reader}"], profile("xnnpack"), "").placements
        for reader in ("CONV_2D", "ARG_MAX")
    }

    assert [placed.where for placed in verdicts["CONV_2D"]] == ["xnnpack", "xnnpack"]
    assert [placed.where for placed in verdicts["ARG_MAX"]] == ["cpu", "cpu"]
    assert "operator 1, `ARG_MAX`, reads it" in verdicts["ARG_MAX"][0].reason


def test_dense_layers_with_a_scale_for_each_channel_are_refused_by_name() -> None:
    weights = tensor("int8[2, 8]", 1, scales=(0.1, 0.2))
    dense = network("FULLY_CONNECTED", ["int8[1, 8]", weights, tensor("int32[2]", 0)], ["int8[1, 2]"], version=4)

    (diagnostic,) = check(dense, load("android-nnapi"), "m.tflite").diagnostics

    assert "its weights have one scale for the whole tensor" in diagnostic.notes[0]
