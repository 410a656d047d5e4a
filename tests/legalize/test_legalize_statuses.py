"""The words of the target's own compiler beside our reasons: from real logs, and for each rule that has its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from small_networks import network, of_operators, tensor

from edgecompile.config.profiles import check as check_profile
from edgecompile.config.profiles import load
from edgecompile.ir.network import Network, Operator
from edgecompile.ir.reader import read
from edgecompile.legalize.check import check
from edgecompile.legalize.rewrites import lower_versions
from edgecompile.legalize.whole import refusal_of_whole

MAPPED = "Mapped to Edge TPU"
CUT_OFF = "More than one subgraph is not supported"
TYPE = "Operation is working on an unsupported data type"
ABSENT = "Operation not supported"
VERSION = "Operation version not supported"
RANK = "Tensor has unsupported rank (up to 3 innermost dimensions mapped)"
OTHER = "Operation is otherwise supported, but not mapped due to some unspecified limitation"

MAP = "int8[1, 8, 8, 4]"


@pytest.mark.parametrize(
    "one, status",
    [
        pytest.param(network("RELU", [MAP], [MAP]), MAPPED, id="mapped"),
        pytest.param(network("LEAKY_RELU", [MAP], [MAP]), ABSENT, id="no-such-operator"),
        pytest.param(
            network("ARG_MAX", [MAP, tensor("int32[]", 3)], ["int64[1, 8, 8]"]), TYPE, id="type-before-operator"
        ),
        pytest.param(network("DEQUANTIZE", [MAP], ["float32[1, 8, 8, 4]"]), TYPE, id="float-epilogue"),
        pytest.param(network("QUANTIZE", ["float32[1, 8, 8, 4]"], [MAP]), OTHER, id="float-prologue"),
        pytest.param(network("CUSTOM", [MAP], ["float32[1, 10]"], custom="Post"), TYPE, id="custom-operator"),
        pytest.param(network("QUANTIZE", [MAP], [MAP], version=3), VERSION, id="version-too-new"),
        pytest.param(network("ADD", ["int8[2, 8, 8, 4]"] * 2, ["int8[2, 8, 8, 4]"]), RANK, id="batch-of-two"),
        pytest.param(
            network(
                "FULLY_CONNECTED",
                ["int8[1, 4]", tensor("int8[2, 4]", 1), None],
                ["int8[1, 2]"],
                {"weights_format": "DEFAULT", "keep_num_dims": True, "fused_activation_function": "NONE"},
            ),
            VERSION,
            id="dense-that-keeps-dimensions",
        ),
        pytest.param(
            network(
                "STRIDED_SLICE",
                ["int8[4, 4]", *[tensor("int32[2]", [0, 0])] * 2, tensor("int32[2]", [1, 2])],
                ["int8[4, 2]"],
                {"ellipsis_mask": 0, "new_axis_mask": 0},
            ),
            "Only Strided-Slice with unitary strides supported",
            id="every-second",
        ),
        pytest.param(
            network(
                "FULLY_CONNECTED",
                ["int8[16, 4]", tensor("int8[2, 4]", 1), None],
                ["int8[16, 2]"],
                {"weights_format": "DEFAULT", "keep_num_dims": False, "fused_activation_function": "NONE"},
            ),
            OTHER,
            id="dense-of-sixteen-rows",
        ),
        pytest.param(
            network("TRANSPOSE", ["int8[1, 3, 224, 224]", tensor("int32[4]", [0, 2, 3, 1])], ["int8[1, 224, 224, 3]"]),
            OTHER,
            id="channels-of-an-image-to-the-end",
        ),
        pytest.param(
            network("RESIZE_BILINEAR", ["int8[1, 256, 256, 32]", tensor("int32[2]", 512)], ["int8[1, 512, 512, 32]"]),
            OTHER,
            id="resize-of-a-map-that-no-tile-holds",
        ),
        pytest.param(
            network("RESIZE_BILINEAR", ["int8[1, 64, 64, 32]", tensor("int32[2]", 128)], ["int8[1, 128, 128, 32]"]),
            MAPPED,
            id="resize-of-a-smaller-map",
        ),
        pytest.param(
            network("RESIZE_BILINEAR", ["int8[1, 4, 4, 4]", tensor("int32[2]", 64)], ["int8[1, 64, 64, 4]"]),
            OTHER,
            id="resize-by-sixteen",
        ),
    ],
)
def test_an_operator_has_the_status_that_the_compiler_prints(one: Network, status: str) -> None:
    (placed,) = check(one, load("coral"), "model").placements

    assert placed.status == status
    assert (placed.reason is None) == (status == MAPPED)


def test_a_compiler_before_transpose_does_not_know_it() -> None:
    coral = replace(load("coral"), level=13)
    one = network("TRANSPOSE", [MAP, tensor("int32[4]", [0, 2, 1, 3])], [MAP])

    (placed,) = check(one, coral, "model").placements

    assert placed.status == ABSENT


def split() -> Network:
    """RELU on the accelerator, LEAKY_RELU on the CPU, RELU cut off by it."""
    tensors = [tensor(MAP) for _ in range(4)]
    names: Sequence[str] = ("RELU", "LEAKY_RELU", "RELU")
    operators = [Operator(name=name, inputs=(i,), outputs=(i + 1,)) for i, name in enumerate(names)]
    return of_operators(tensors, operators)


def test_what_lies_behind_an_unsupported_operator_is_another_subgraph() -> None:
    placed = check(split(), load("coral"), "model").placements

    assert [one.status for one in placed] == [MAPPED, ABSENT, CUT_OFF]


def test_multiple_subgraphs_keep_every_partition() -> None:
    coral = load("coral")
    many = replace(coral, placement=replace(coral.placement, max_partitions=None))

    verdict = check(split(), many, "model")

    assert [one.status for one in verdict.placements] == [MAPPED, ABSENT, MAPPED]
    assert (verdict.partitions, verdict.partitions_kept) == (2, 2)


def test_a_target_without_words_gives_no_status() -> None:
    (placed,) = check(network("RELU", ["float32[1, 4]"], ["float32[1, 4]"]), load("android-nnapi"), "model").placements

    assert placed.status == ""


def test_a_profile_with_half_of_the_words_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "half.toml"
    path.write_text(
        'schema = 1\nextends = "android-nnapi"\nname = "half"\n[statuses]\nmapped = "yes"\n', encoding="utf-8"
    )

    (found,) = check_profile(path)

    assert found.code == "EC145"
    assert "statuses.absent" in found.notes[0]


@pytest.mark.data
def test_statuses_are_those_of_the_logs(data: Path) -> None:
    pairs = json.loads((data / "coral" / "ground_truth.json").read_text(encoding="utf-8"))["pairs"]
    coral = load("coral")
    logged = [pair for pair in pairs if pair["compiler_log"]]

    for pair in logged:
        verdict = check(read((data / "coral" / pair["file"]).read_bytes()), coral, pair["file"])

        mine = Counter((placed.name, placed.status) for placed in verdict.placements)
        theirs = {(row["op"], row["status"]): row["count"] for row in pair["compiler_log"]["statuses"]}
        assert mine == theirs, pair["id"]
    assert logged


@pytest.mark.parametrize(
    "one, words",
    [
        pytest.param(network("RELU", ["float32[1, 8]"], ["float32[1, 8]"]), "Model not quantized", id="floats"),
        pytest.param(network("RELU", ["int8[1, -1, 8]"], ["int8[1, -1, 8]"]), "only supports static-sized", id="open"),
        pytest.param(network("DEQUANTIZE", [MAP], ["float32[1, 8, 8, 4]"]), "Model not quantized", id="ends-only"),
        pytest.param(
            network("QUANTIZE", [MAP], [MAP], version=3),
            "Didn't find op for builtin opcode 'QUANTIZE' version '3'",
            id="version-too-new",
        ),
        pytest.param(network("EXP", [MAP], [MAP], version=2), "opcode 'EXP' version '2'", id="of-no-operator-of-it"),
        pytest.param(
            network("RESHAPE", ["float32[1, 8]"], ["float32[8]"], version=9), "opcode 'RESHAPE'", id="before-its-floats"
        ),
        pytest.param(network("FILL", [MAP], [MAP], version=3), None, id="newest-version-that-it-reads"),
        pytest.param(split(), None, id="one-operator-refused"),
        pytest.param(network("RELU", [MAP], [MAP]), None, id="mapped"),
    ],
)
def test_what_the_compiler_takes_nothing_of_is_told_in_its_words(one: Network, words: str | None) -> None:
    found = refusal_of_whole(one, load("coral"), "model.tflite")

    assert [d.code for d in found] == ([] if words is None else ["EC558"])
    assert words is None or words in found[0].notes[-1]


def newest(version: int) -> Network:
    """RELU of a version, RELU behind it."""
    operators = [
        Operator(name="RELU", inputs=(0,), outputs=(1,), version=version),
        Operator(name="RELU", inputs=(1,), outputs=(2,), version=2),
    ]
    return of_operators([tensor(MAP) for _ in range(3)], operators)


def test_a_file_that_the_compiler_cannot_read_has_no_mapped_operator() -> None:
    verdict = check(newest(99), load("coral"), "model")

    assert [one.where for one in verdict.placements] == ["cpu", "cpu"]
    assert verdict.placements[0].status == VERSION
    assert verdict.placements[0].reason == "found 99; the operator's version is one that TensorFlow Lite 2.5 reads"
    assert verdict.placements[1].status == "Didn't find op for builtin opcode 'RELU' version '99'"
    assert (verdict.partitions, verdict.partitions_kept, verdict.operators_on_cpu) == (0, 0, 2)
    assert [one.code for one in verdict.diagnostics] == ["EC508"]
    assert "(observed)" in verdict.diagnostics[0].notes[2]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_versions_that_the_compiler_reads_are_mapped(version: int) -> None:
    assert [one.status for one in check(newest(version), load("coral"), "model").placements] == [MAPPED, MAPPED]


def test_a_version_higher_than_needed_is_lowered_before_the_file_is_refused() -> None:
    coral = load("coral")
    one = network("ADD", [tensor(MAP, scales=(0.1,))] * 2, [tensor(MAP, scales=(0.1,))], version=5)

    lowered, _ = lower_versions.run(one, coral)

    assert refusal_of_whole(one, coral, "model.tflite") != ()
    assert refusal_of_whole(lowered, coral, "model.tflite") == ()
    assert lowered.main.operators[0].version == 2


def test_an_operator_refused_for_its_type_says_so_also_where_it_is_not_known() -> None:
    one = network("ARG_MAX", [MAP, tensor("int32[]", 3)], ["int64[1, 8, 8]"])

    (placed,) = check(one, load("coral"), "model").placements

    assert placed.status == TYPE
    assert placed.reason is not None
    assert placed.reason.startswith("found int64; ")
    assert placed.reason.endswith("; and not an operator of this target")


def test_nothing_is_said_of_a_compiler_that_is_not_known() -> None:
    one = network("RELU", ["float32[1, 8]"], ["float32[1, 8]"])

    assert refusal_of_whole(one, load("cortex-m4"), "model.tflite") == ()
