"""Multipliers at the ends of what fixed point holds."""

from __future__ import annotations

import math

import pytest

from edgecompile.kernels.rounding import quantize_multiplier


@pytest.mark.parametrize(
    ("real", "fixed"),
    [
        pytest.param(0.0, (0, 0), id="nothing"),
        pytest.param(2.0**-40, (0, 0), id="under the smallest"),
        pytest.param(1.0, (2**30, 1), id="one"),
        pytest.param(math.nextafter(1.0, 0.0), (2**30, 1), id="rounded up to one"),
        pytest.param(2.0**29, (2**30, 30), id="the largest shift"),
        pytest.param(2.0**30, (2**31 - 1, 30), id="over the largest shift"),
        pytest.param(1e122, (2**31 - 1, 30), id="scales that no converter writes"),
    ],
)
def test_a_multiplier_is_split_into_a_fixed_point_number_and_a_shift(real: float, fixed: tuple[int, int]) -> None:
    assert quantize_multiplier(real) == fixed
