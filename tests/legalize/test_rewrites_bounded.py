"""Rewrites whose outputs may move: by how many steps at most, over all inputs and many scales."""

from __future__ import annotations

import numpy as np
import pytest
from rewrites_judge import labels, run, target

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.legalize.legalize import rewrites

# TFLite's HARD_SWISH rounds three times, its substitute too.
HARD_SWISH_STEPS = 2


def hard_swish(dtype: str, scale: float, zero: int, out_scale: float, out_zero: int) -> Network:
    """All 256 values in a row."""
    net = NetworkBuilder()
    x = net.input("in", (1, 16, 16, 1), dtype, scale, zero)
    y = net.tensor("m/activation/HardSwish", (1, 16, 16, 1), dtype, out_scale, out_zero)
    net.op("HARD_SWISH", [x], [y])
    return net.output(y).build()


FORMS = [
    ("int8", 0.02, -10, 0.011, -90), ("int8", 0.06, 0, 0.031, -116), ("int8", 0.11, 25, 0.04, -119),
    ("int8", 0.3, 40, 0.12, -125), ("int8", 0.007, -128, 0.0055, -128), ("uint8", 0.05, 120, 0.026, 14),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=[f"{f[0]} {f[1]}" for f in FORMS])
def test_hard_swish_moves_by_two_steps_at_most(form: tuple[str, float, int, float, int]) -> None:
    network = hard_swish(*form)
    limits = np.iinfo(form[0])
    values = np.arange(limits.min, limits.max + 1).astype(form[0]).reshape(1, 16, 16, 1)

    after, words = rewrites()["hard_swish"].run(network, target())

    assert words == ["HARD_SWISH"] and labels(after) == ["MUL", "ADD", "MUL"]
    (before,), (now,) = run(network, [values]), run(after, [values])
    assert np.abs(before.astype(int) - now.astype(int)).max() <= HARD_SWISH_STEPS


@pytest.mark.parametrize("form", FORMS[:2], ids=[f"{f[0]} {f[1]}" for f in FORMS[:2]])
def test_hard_swish_stays_near_the_real_function(form: tuple[str, float, int, float, int]) -> None:
    network = hard_swish(*form)
    values = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
    real = (values.astype(float) - form[2]) * form[1]
    wanted = real * np.clip(real + 3, 0, 6) / 6 / form[3] + form[4]

    after, _ = rewrites()["hard_swish"].run(network, target())

    # Half a step of the gate moves the output by |x|/510, less than one step of these scales, and it is rounded.
    assert np.abs(run(after, [values])[0] - np.clip(wanted, -128, 127)).max() <= 1.5


def test_hard_swish_that_the_target_has_is_left_alone() -> None:
    network = hard_swish(*FORMS[0])

    after, words = rewrites()["hard_swish"].run(network, target({"HARD_SWISH": {}}))

    assert words == [] and after is network


def test_new_tensors_are_named_after_the_layer() -> None:
    after, _ = rewrites()["hard_swish"].run(hard_swish(*FORMS[0]), target())

    added = [tensor.name for tensor in after.main.tensors[2:]]
    assert added and all(name.startswith("m/activation/HardSwish_") for name in added)
