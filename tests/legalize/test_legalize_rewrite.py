"""Running the rewrites that a profile names: order, refusals, effects, and what is left alone."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pytest
from rewrites_judge import differences, labels, outer, run, samples, target

from edgecompile.core.errors import BadInputError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Buffer, Network
from edgecompile.legalize.legalize import legalize, rewrites
from edgecompile.optimize.apply import apply


def tidy(network: Network, without: Collection[str]) -> Network:
    return apply(network, without).network


def float_ended(batch: int = 1) -> Network:
    """float32 -> QUANTIZE -> LEAKY_RELU -> DEQUANTIZE -> float32, with a signature."""
    net = NetworkBuilder()
    x = net.input("image", (batch, 4, 4, 2), "float32")
    q = net.tensor("q", (batch, 4, 4, 2), "int8", 0.1, 3)
    net.op("QUANTIZE", [x], [q], version=1)
    y = net.tensor("y", (batch, 4, 4, 2), "int8", 0.1, 3)
    net.op("LEAKY_RELU", [q], [y], alpha=0.2)
    out = net.tensor("scores", (batch, 4, 4, 2), "float32")
    net.op("DEQUANTIZE", [y], [out], version=2)
    return net.output(out).signature().build()


def shaped() -> Network:
    """A RESHAPE to a size calculated from an open batch, as Keras' Flatten is converted."""
    net = NetworkBuilder()
    x = net.input("in", (-1, 4, 4, 2), "int8", 0.1)
    size = net.op("SHAPE", [x], [net.tensor("size", (4,), "int32")], out_type="int32")
    given = [net.constant(f"c{i}", np.asarray([v], np.int32)) for i, v in enumerate((0, 1, 1))]
    first = net.tensor("first", (), "int32")
    net.op("STRIDED_SLICE", [size, *given], [first], shrink_axis_mask=1)
    packed = net.tensor("packed", (2,), "int32")
    net.op("PACK", [first, net.constant("rest", np.asarray(32, np.int32))], [packed], values_count=2)
    y = net.tensor("out", (-1, 32), "int8", 0.1)
    net.op("RESHAPE", [x, packed], [y])
    return net.output(y).build()


def test_rewrites_run_and_their_effect_is_counted() -> None:
    here = target({"PRELU": {}, "QUANTIZE": {"dtypes": ["int8"]}}, rewrites=("leaky_relu", "float_ends"))

    done = legalize(float_ended(), here, (), tidy)

    assert labels(done.network) == ["PRELU"]
    assert [(r.name, r.count, r.before, r.after) for r in done.rewrites] == [
        ("leaky_relu", 1, 3, 2),
        ("float_ends", 2, 2, 0),
    ]
    assert done.rewrites[1].line.startswith("float_ends: 1 QUANTIZE, 1 DEQUANTIZE; float inputs and outputs cut off")
    assert done.rewrites[1].line.endswith("off the accelerator: 2 -> 0")


def test_a_rewrite_that_the_user_refuses_is_left_out() -> None:
    here = target({"PRELU": {}}, rewrites=("leaky_relu", "float_ends"))

    done = legalize(float_ended(), here, ("float_ends",), tidy)

    assert labels(done.network) == ["QUANTIZE", "PRELU", "DEQUANTIZE"]
    assert [rewrite.name for rewrite in done.rewrites] == ["leaky_relu"]


def test_ends_that_the_user_asked_for_are_kept() -> None:
    here = target({"PRELU": {}}, rewrites=("leaky_relu", "float_ends"))

    done = legalize(float_ended(), here, (), tidy, keep_ends=True)

    assert labels(done.network) == ["QUANTIZE", "PRELU", "DEQUANTIZE"]


def test_without_rewrites_the_network_is_the_very_same() -> None:
    network = float_ended()

    assert legalize(network, target(), (), tidy).network is network


def test_a_network_with_numbered_metadata_is_left_alone() -> None:
    from dataclasses import replace

    network = replace(float_ended(), metadata={"OfflineMemoryAllocation": Buffer(b"1234")})

    done = legalize(network, target({}, rewrites=("leaky_relu",)), (), tidy)

    assert done.network is network and done.rewrites == ()


@pytest.mark.parametrize(
    ("named", "refused", "code", "near"),
    [(("leaky_rellu",), (), "EC570", "leaky_relu"), (("leaky_relu",), ("hard_swich",), "EC571", "hard_swish")],
    ids=["in the profile", "by the user"],
)
def test_a_misspelt_rewrite_is_told_with_the_near_name(
    named: tuple[str, ...], refused: tuple[str, ...], code: str, near: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        legalize(float_ended(), target({}, rewrites=named), refused, tidy)

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert f"did you mean `{near}`?" in diagnostic.help


def test_float_ends_keep_names_signature_and_values() -> None:
    before = float_ended()

    after, _ = rewrites()["float_ends"].run(before, target())
    after = tidy(after, ())

    assert [name for name, _, _ in outer(after)] == ["image", "scores"]
    assert [after.main.tensors[i].dtype for i in (*after.main.inputs, *after.main.outputs)] == ["int8", "int8"]
    (entry,) = after.signatures
    assert (entry.inputs["image"], entry.outputs["scores"]) == (after.main.inputs[0], after.main.outputs[0])
    (x,) = samples(before, 8)
    (real,), (steps,) = run(before, [x]), run(after, [x])
    # DEQUANTIZE multiplies in float32.
    assert np.array_equal(real, ((steps.astype(np.int32) - 3) * np.float32(0.1)).astype(np.float32))


def test_a_fixed_batch_lets_calculated_sizes_be_folded() -> None:
    before = shaped()

    done = legalize(before, target({"RESHAPE": {"static_shapes": True}}, rewrites=("fix_batch",)), (), tidy)

    assert labels(done.network) == ["RESHAPE"]
    assert not any(tensor.is_dynamic for tensor in done.network.main.tensors)
    assert list(differences(before, done.network, 1)) == [0]


@pytest.mark.parametrize("name", sorted(rewrites()))
def test_a_rewrite_says_what_it_does_and_what_it_keeps(name: str) -> None:
    module = rewrites()[name]

    assert module.SUMMARY and module.KEEPS and module.__doc__
    empty = NetworkBuilder()
    assert module.run(empty.build(), target())[1] == []


@pytest.mark.parametrize("name", sorted(rewrites()))
def test_operators_that_give_nothing_are_left_alone_by_every_rewrite(name: str) -> None:
    net = NetworkBuilder()
    variable = net.op("VAR_HANDLE", [], [net.tensor("handle", (), "resource")])
    x = net.input("x", (1, 4), "int8", 0.1)
    net.op("ASSIGN_VARIABLE", [variable, x], [])
    y = net.tensor("y", (1, 4), "int8", 0.1)
    net.op("RELU", [x], [y])
    network = net.output(y).build()

    done = legalize(network, target({"RELU": {}}, rewrites=(name,)), (), tidy)

    assert sorted(labels(done.network)) == ["ASSIGN_VARIABLE", "RELU", "VAR_HANDLE"]
