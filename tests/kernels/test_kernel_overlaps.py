"""How near a pointwise layer's output may come to its input: played through byte by byte, and run at the very edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_run import assert_equal, needs_gcc, run_all
from test_kernel_sums import convolution

from edgecompile.core.target import DSP, HELIUM
from edgecompile.kernels.conv_2d_1x1_s8 import pixels_overlap
from edgecompile.kernels.routine import Overlap, Site


def overlap_of(pixels: int, in_c: int, out_c: int) -> tuple[Overlap, int]:
    """What the twin says, and the input's tensor."""
    network = convolution("CONV_2D", (1, 1, pixels, in_c), (out_c, 1, 1, in_c), (1, 1, pixels, out_c))
    operator = network.main.operators[0]
    site = Site(subgraph=network.main, operator=operator)
    return pixels_overlap(site, pixels, in_c, out_c), operator.inputs[0]


def lowest_place(overlap: Overlap, source: int) -> tuple[int, bool]:
    """The output's nearest place, counted from the input's, and whether it may only be higher (else lower)."""
    return (overlap.distance, True) if overlap.over == source else (-overlap.distance, False)


def is_spoilt(pixels: int, in_c: int, out_c: int, place: int, backwards: bool) -> bool:
    """Whether some pixel's inputs are written over before they are read."""
    whole = pixels // 4 * 4
    blocks = [range(b, min(b + 4, whole)) for b in range(0, whole, 4)]
    blocks += [range(b, min(b + 2, pixels)) for b in range(whole, pixels, 2)]
    written: set[int] = set()
    for block in reversed(blocks) if backwards else blocks:
        if written.intersection(range(block[0] * in_c, (block[-1] + 1) * in_c)):
            return True
        written.update(range(place + block[0] * out_c, place + (block[-1] + 1) * out_c))
    return False


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 23), st.integers(1, 9), st.integers(1, 9))
def test_the_nearest_place_spoils_nothing_and_a_nearer_one_does(pixels: int, in_c: int, out_c: int) -> None:
    overlap, source = overlap_of(pixels, in_c, out_c)
    place, is_floor = lowest_place(overlap, source)
    nearer = place - 1 if is_floor else place + 1

    assert is_floor == (out_c > in_c)
    assert not is_spoilt(pixels, in_c, out_c, place, is_floor)
    # With one block nothing is in the way.
    assert is_spoilt(pixels, in_c, out_c, nearer, is_floor) or pixels in (1, 2, 4)


@needs_gcc
@pytest.mark.micro
@pytest.mark.parametrize("kernels", [DSP, HELIUM])
def test_outputs_over_inputs_equal_the_reference(kernels: str, tmp_path: Path) -> None:
    sizes = [(pixels, *c) for pixels in (5, 6, 7, 8, 17) for c in ((4, 16), (16, 4), (3, 9), (12, 13))]
    networks = {
        f"{pixels} pixels, {in_c} to {out_c}": convolution(
            "CONV_2D", (1, 1, pixels, in_c), (out_c, 1, 1, in_c), (1, 1, pixels, out_c)
        )
        for pixels, in_c, out_c in sizes
    }

    answers = run_all(networks, tmp_path, kernels=kernels)

    for answer in answers.values():
        assert_equal(answer)
        assert len(np.unique(answer.micro[0])) > 2
