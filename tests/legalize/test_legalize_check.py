"""Checking a network: placement, the nearest clause, and one diagnostic for each cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_networks import device, network, of_operators, tensor

from edgecompile.config.profiles import load
from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import BadInputError
from edgecompile.ir.network import Network, Operator, Quantization
from edgecompile.legalize.check import check

I8 = "int8[1, 4, 4, 8]"
NO_SCALES = Quantization(scales=(), zero_points=())


def chain(*names: str, spec: str = I8, version: int = 1) -> Network:
    """Operators one after the other, each reading what the one before wrote."""
    tensors = [tensor(spec, name=f"model/layer_{index}/op") for index in range(len(names) + 1)]
    operators = [
        Operator(name=name, inputs=(index,), outputs=(index + 1,), version=version) for index, name in enumerate(names)
    ]
    return of_operators(tensors, operators)


def test_a_network_of_known_operators_runs_where_it_should() -> None:
    verdict = check(chain("RELU", "TANH"), device({"RELU": [{}], "TANH": [{}]}), "m.tflite")

    assert [placed.where for placed in verdict.placements] == ["npu", "npu"]
    assert [placed.layer for placed in verdict.placements] == ["layer_1", "layer_2"]
    assert (verdict.partitions, verdict.operators_on_cpu, verdict.diagnostics) == (1, 0, ())


def test_any_one_of_several_clauses_accepts() -> None:
    target = device({"RELU": [{"dtypes": ["float32"]}, {"dtypes": ["int8"], "max_rank": 4}]})

    assert check(chain("RELU"), target, "m.tflite").diagnostics == ()


def test_the_nearest_clause_is_reported_when_none_accepts() -> None:
    clauses = [{"dtypes": ["float32"], "max_rank": 2, "max_version": 0}, {"dtypes": ["int8"], "max_rank": 3}]

    (found,) = check(chain("RELU"), device({"RELU": clauses}), "m.tflite").diagnostics

    assert found.notes[:2] == ("limit: its inputs have at most 3 dimensions", "found: int8[1, 4, 4, 8]")


def test_the_first_of_equally_near_clauses_is_reported() -> None:
    clauses = [{"max_rank": 3}, {"max_rank": 2}]

    (found,) = check(chain("RELU"), device({"RELU": clauses}), "m.tflite").diagnostics

    assert found.notes[0] == "limit: its inputs have at most 3 dimensions"


def test_clauses_of_levels_that_the_target_has_passed_do_not_count() -> None:
    clauses = [{"below_level": 30, "max_rank": 2}, {"min_level": 30, "max_rank": 3}]

    (found,) = check(chain("RELU"), device({"RELU": clauses}, level=30), "m.tflite").diagnostics

    assert found.notes[0] == "limit: its inputs have at most 3 dimensions"


def test_a_clause_of_a_higher_level_is_told_as_a_way_out() -> None:
    clauses = [{"min_level": 27, "below_level": 30, "max_rank": 2}, {"min_level": 30}]

    (found,) = check(chain("RELU"), device({"RELU": clauses}, level=28), "m.tflite").diagnostics

    assert found.code == "EC502"
    assert found.help[-1] == "a target of level 30 takes it as it is"


def test_a_model_that_falls_back_is_a_warning_and_one_that_cannot_run_is_an_error() -> None:
    warned = check(chain("RELU"), device({}, fallback="cpu"), "m.tflite")
    refused = check(chain("RELU"), device({}), "m.tflite")

    assert [d.severity for d in warned.diagnostics] == [Severity.WARNING]
    assert [d.severity for d in refused.diagnostics] == [Severity.ERROR]
    assert (warned.placements[0].where, warned.operators_on_cpu) == ("cpu", 1)
    assert (refused.placements[0].where, refused.operators_on_cpu) == ("nowhere", 0)
    assert refused.placements[0].reason == "not an operator of this target"


def test_refusals_of_one_cause_are_one_diagnostic_with_the_operators_counted() -> None:
    names = ["TANH", "RELU", "TANH", "TANH", "TANH", "RELU", "TANH"]
    target = device({"RELU": [{}], "TANH": [{"max_rank": 2}]}, fallback="cpu")

    verdict = check(chain(*names), target, "m.tflite")

    (found,) = verdict.diagnostics
    assert (found.code, found.consequences) == ("EC502", 4)
    assert found.notes[-1] == "5 of 7 operators: `TANH` 0, 2 to 4, 6; they run on the CPU"
    assert verdict.operators_on_cpu == 5


def test_different_rules_of_one_operator_are_different_causes() -> None:
    target = device({"RELU": [{"max_rank": 3, "max_version": 1}]})
    two = of_operators(
        [tensor(I8), tensor(I8), tensor("int8[1]"), tensor("int8[1]")],
        [
            Operator(name="RELU", inputs=(0,), outputs=(1,)),
            Operator(name="RELU", inputs=(2,), outputs=(3,), version=2),
        ],
    )

    assert [d.code for d in check(two, target, "m.tflite").diagnostics] == ["EC502", "EC508"]


def test_a_float_model_on_an_integer_target_is_said_once() -> None:
    target = device({name: [{"dtypes": ["int8"]}] for name in ("RELU", "TANH", "LOGISTIC")})

    (found,) = check(chain("RELU", "TANH", "LOGISTIC", spec="float32[1, 8]"), target, "m.tflite").diagnostics

    assert (found.code, found.consequences) == ("EC505", 2)
    assert found.message == "the model computes in float32, and `device` does not"
    assert found.notes[-1] == "3 of 3 operators: `RELU` 0; `TANH` 1; `LOGISTIC` 2"


def test_float_at_the_edge_of_a_quantized_model_does_not_make_it_a_float_model() -> None:
    edge = network("QUANTIZE", ["float32[1, 8]"], ["int8[1, 8]"])

    (found,) = check(edge, device({"QUANTIZE": [{"dtypes": ["int8"]}]}), "m.tflite").diagnostics

    assert found.code == "EC503"


@pytest.mark.parametrize(
    "read, written, told",
    [("uint8[1, 8]", "int8[1, 8]", True), ("float32[1, 8]", "int8[1, 8]", False)],
    ids=["integers", "from-float"],
)
def test_a_conversion_of_integers_at_an_end_can_be_left_out(read: str, written: str, told: bool) -> None:
    edge = network("QUANTIZE", [read], [written])

    (found,) = check(edge, device({"QUANTIZE": [{"dtypes": ["float16"]}]}), "m.tflite").diagnostics

    assert any("--io-dtype int8" in help for help in found.help) is told


@pytest.mark.parametrize(
    "name, option, told",
    [("RESIZE_BILINEAR", "half_pixel_centers", True), ("STRIDED_SLICE", "shrink_axis_mask", False)],
)
def test_who_sets_half_pixels_is_said_where_they_are_refused(name: str, option: str, told: bool) -> None:
    made = network(name, [I8], [I8], {option: 1})

    (found,) = check(made, device({name: [{"options": {option: [0]}}]}), "m.tflite").diagnostics

    assert "change the layer so that it uses these settings" in found.help
    assert any("UpSampling2D" in help for help in found.help) is told


def test_open_shapes_are_said_once_for_the_whole_model() -> None:
    target = device({name: [{"static_shapes": True}] for name in ("RELU", "TANH")})

    (found,) = check(chain("RELU", "TANH", spec="int8[1, -1, 8]"), target, "m.tflite").diagnostics

    assert (found.code, found.consequences) == ("EC504", 1)
    assert found.notes[1] == "found: int8[1, ?, 8]"


@pytest.mark.parametrize(
    "name, read, written, told",
    [
        ("ADD", "uint8[1, 8]", "uint8[1, 8]", "convert the Keras model anew"),
        ("ADD", "int32[1, 8]", "int32[1, 8]", "shapes, indices and masks are no matter for a quantizer"),
        ("CAST", "int32[1, 8]", "int8[1, 8]", "leave the cast out"),
        ("QUANTIZE", "float32[1, 8]", "int8[1, 8]", "quantize the whole model"),
        ("GATHER", "string[1, 8]", "int32[1, 8]", "the model takes text apart"),
        ("RFFT2D", "int16[1, 8]", "int32[1, 8]", "the model computes features of sound"),
        ("RFFT2D", "int16[1, 8]", "int16[1, 8]", "the model computes features of sound"),
    ],
    ids=["older-numbers", "indices", "cast", "floats", "text", "sound", "samples"],
)
def test_the_help_on_a_type_is_about_what_was_found(name: str, read: str, written: str, told: str) -> None:
    target = device({name: [{"activation_dtypes": ["int8"]}]})

    (found,) = check(network(name, [read], [written]), target, "m.tflite").diagnostics

    assert found.code in ("EC503", "EC505")
    assert told in found.help[0]


@pytest.mark.parametrize(
    "read, written, told",
    [
        ("int8[1, -1, 8]", "int8[1, -1, 8]", "it is int8[1, ?, 8]"),
        ("int8[-1, 8]", "int8[1, -1, 8]", "give the model's input a batch size too"),
        (
            "int8[1, 8]",
            "int8[1, -1, 8]",
            "what `WHERE` (operator 0) gives has a size that is only known when it has run",
        ),
    ],
    ids=["input", "batch", "inside"],
)
def test_the_help_on_open_shapes_names_where_they_come_from(read: str, written: str, told: str) -> None:
    target = device({"WHERE": [{"static_shapes": True}]})

    (found,) = check(network("WHERE", [read], [written]), target, "m.tflite").diagnostics

    assert found.code == "EC504"
    assert told in found.help[0]


def test_an_open_batch_is_compiled_as_1() -> None:
    assert check(chain("RELU", spec="int8[-1, 8]"), device({"RELU": [{"static_shapes": True}]}), "m").diagnostics == ()


def test_operators_beyond_the_kept_partitions_are_one_cause() -> None:
    target = device({"RELU": [{}]}, fallback="cpu", max_partitions=1, keep="first")

    verdict = check(chain("RELU", "TANH", "RELU", "RELU"), target, "m.tflite")

    assert [d.code for d in verdict.diagnostics] == ["EC501", "EC506"]
    assert verdict.diagnostics[1].notes[-1] == "2 of 4 operators: `RELU` 2, 3; they run on the CPU"
    assert "--multiple-subgraphs" in verdict.diagnostics[1].help[-1]
    assert (verdict.partitions, verdict.partitions_kept, verdict.operators_on_cpu) == (2, 1, 3)


def test_custom_operators_are_named_by_their_code() -> None:
    made = network("CUSTOM", [I8], [I8], custom="MyOperator")

    (found,) = check(made, device({}), "m.tflite").diagnostics
    known = check(made, device({"MyOperator": [{}]}), "m.tflite")

    assert (found.code, found.message) == ("EC507", "`device` has no custom operator `MyOperator`")
    assert known.diagnostics == ()


def test_every_subgraph_is_checked() -> None:
    one = chain("RELU")
    two = replace(one, subgraphs=(one.main, chain("TANH").main))

    verdict = check(two, device({"RELU": [{}]}), "m.tflite")

    assert [(p.subgraph, p.where) for p in verdict.placements] == [(0, "npu"), (1, "nowhere")]
    assert "subgraph 1, int8" in str(verdict.diagnostics[0].location)


def test_a_network_without_operators_is_fine() -> None:
    assert check(of_operators([tensor(I8)], []), device({}), "m.tflite").placements == ()


def test_a_rule_that_is_not_known_is_bad_input() -> None:
    with pytest.raises(BadInputError) as caught:
        check(chain("RELU"), device({"RELU": [{"max_rnak": 4}]}), "m.tflite")

    (found,) = caught.value.diagnostics
    assert (found.code, found.help) == ("EC510", ("did you mean `max_rank`?",))


SHIPPED = ("coral", "cortex-m4", "android-nnapi-27", "android-nnapi-30")
ODD: dict[str, Network] = {
    "no inputs and no outputs": network("PAD", [], []),
    "an odd number of paddings": network("PAD", [I8, tensor("int32[3]", 1)], [I8]),
    "scales without a number": network(
        "CONV_2D", [replace(tensor("uint8[1]"), quantization=NO_SCALES)] * 3, ["uint8[1]"]
    ),
    "a constant that unpacks itself": of_operators(
        [tensor("float16[1]"), tensor("float16[1]")],
        [
            Operator(name="DEQUANTIZE", inputs=(1,), outputs=(0,)),
            Operator(name="DEQUANTIZE", inputs=(0,), outputs=(1,)),
        ],
    ),
    "every input left out": network("FULLY_CONNECTED", [None, None, None], [I8]),
    "a text": network("RELU", ["string[1]"], ["string[1]"]),
    "no dimensions": network("MEAN", ["int8[]", tensor("int32[1]", 0)], ["int8[]"]),
    "an axis beyond the rank": network("MEAN", [I8, tensor("int32[1]", 77)], [I8]),
}


@pytest.mark.parametrize("target", SHIPPED)
@pytest.mark.parametrize("found", ODD.values(), ids=ODD)
def test_odd_operators_get_a_verdict_and_no_traceback(found: Network, target: str) -> None:
    verdict = check(found, load(target), "odd.tflite")

    assert len(verdict.placements) == len(found.main.operators)


@pytest.mark.parametrize("target", SHIPPED)
@pytest.mark.parametrize("spec", ["int8[]", "float32[0]", "string[1, 2]", "int16[-1, 4, 4, 8]", "resource[]"])
def test_every_operator_of_a_profile_takes_any_tensor_without_a_traceback(target: str, spec: str) -> None:
    loaded = load(target)

    for name in loaded.operators:
        assert len(check(network(name, [spec, spec], [spec]), loaded, "any.tflite").placements) == 1
        constant = network(name, [tensor("int8[1]", 1), tensor("int32[1]", 1), tensor("int32[1]", 1)], [spec])
        assert len(check(constant, loaded, "any.tflite").placements) == 1
