"""Which form a layer's weights take, what a program then stores, and that packing loses nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kernel_sums import convolution
from test_kernel_weight_forms import weights

from edgecompile.core.project import GOALS
from edgecompile.ir.network import Buffer, Network
from edgecompile.kernels import weight_choice
from edgecompile.kernels.program import compile_network
from edgecompile.kernels.stored import stored_weights
from edgecompile.kernels.weight_forms import DENSE, FORMS, stored_bytes
from edgecompile.kernels.weight_packing import pack, unpack

CHOICES = {
    "any values stay dense": ((64, 1, 1, 64), 256, 1.0, 125, dict.fromkeys(GOALS, DENSE)),
    "shared weights cost a little time": (
        (64, 1, 1, 64), 16, 1.0, 125, {"size": "shared4", "balanced": "shared4", "speed": "dense"},
    ),
    "half of the blocks save both": (
        (64, 1, 1, 64), 256, 0.5, 125, {"size": "block2x2", "balanced": "block2x2", "speed": "block2x2"},
    ),
    "few blocks of few values": (
        (64, 1, 1, 64), 16, 0.5, 125, {"size": "block2x2_shared4", "balanced": "block2x2_shared4", "speed": "block2x2"},
    ),
    "a dense layer is read once": ((128, 640), 16, 1.0, 1, {"size": "shared4", "speed": DENSE}),
    "a small layer is not worth the code": ((8, 1, 1, 8), 16, 1.0, 25, {"size": DENSE, "balanced": DENSE}),
}  # fmt: skip


@pytest.mark.parametrize("case", CHOICES)
def test_a_layer_takes_the_form_that_the_goal_asks_for(case: str) -> None:
    shape, values, kept, pixels, wanted = CHOICES[case]
    codes = weights(shape, values, kept)

    assert {goal: weight_choice.choose(codes, pixels, FORMS, goal).form for goal in wanted} == wanted


def test_a_form_that_is_not_allowed_is_not_chosen() -> None:
    codes = weights((64, 1, 1, 64), 15, 0.5)

    assert weight_choice.choose(codes, 125, ("dense", "shared4"), "size").form == "shared4"
    assert weight_choice.choose(weights((64, 1, 1, 64)), 125, ("shared4",), "size").form == DENSE


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(1, 3), st.integers(1, 9)),
        st.tuples(st.integers(1, 9), st.integers(1, 19)),
    ),
    st.sampled_from((1, 2, 4, 15, 16, 40)),
    st.sampled_from((0.0, 0.3, 0.5, 1.0)),
    st.integers(0, 1000),
)
def test_packed_weights_are_the_same_codes_and_take_the_bytes_that_are_said(
    shape: tuple[int, ...], values: int, kept: float, seed: int
) -> None:
    codes = weights(shape, values, kept, seed)

    for form in FORMS[1:]:
        size = stored_bytes(codes, form)
        if size is not None:
            packed = pack(codes, form)
            assert sum(array.nbytes for array in packed.values()) == size
            np.testing.assert_array_equal(unpack(packed, form, shape), codes)


@pytest.mark.parametrize("form", FORMS)
def test_a_program_stores_what_the_count_says(form: str) -> None:
    network = convolution("CONV_2D", (1, 5, 5, 16), (9, 3, 3, 16), (1, 3, 3, 9), padding="VALID")
    codes = weights((9, 3, 3, 16), {"shared2": 4}.get(form, 16), 0.5 if form.startswith("block") else 1.0)
    network = _with(network, codes)

    (stored,) = stored_weights(compile_network(network, forms=(form,)))

    assert (stored.layer, stored.form) == ("y", form)
    assert (stored.stored_bytes, stored.dense_bytes) == (stored_bytes(codes, form), stored_bytes(codes, DENSE))
    assert stored.file_bytes == codes.size


def _with(network: Network, codes: np.ndarray) -> Network:
    tensors = list(network.main.tensors)
    tensors[1] = replace(tensors[1], buffer=Buffer(codes.tobytes()))
    return replace(network, subgraphs=(replace(network.main, tensors=tuple(tensors)),))
