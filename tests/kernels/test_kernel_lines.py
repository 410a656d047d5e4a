"""Lines in place of two roundings: equal to the reference for every sum there can be, or not offered."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.kernels.lines import SHIFTS, Lines, Staircase, fit, lines_in_pairs, sums_of
from edgecompile.kernels.rounding import quantize_multiplier, scale


def stairs(
    weights: np.ndarray, bias: list[int], scales: list[float], zero_point: int = -128, **limits: int
) -> Staircase:
    pairs = [quantize_multiplier(value) for value in scales]
    lowest, highest = sums_of(weights)
    return Staircase(
        bias=np.array(bias, np.int32),
        multiplier=np.array([m for m, _ in pairs], np.int32),
        shift=np.array([shift for _, shift in pairs], np.int8),
        lowest_sum=lowest,
        highest_sum=highest,
        zero_point=zero_point,
        lowest=limits.get("lowest", zero_point),
        highest=limits.get("highest", 127),
    )


def reference(given: Staircase, channel: int, sums: np.ndarray) -> np.ndarray:
    x = sums + int(given.bias[channel])
    scaled = scale(x, int(given.multiplier[channel]), int(given.shift[channel])) + given.zero_point
    return np.clip(scaled, given.lowest, given.highest)


def on_line(lines: Lines, given: Staircase, channel: int, sums: np.ndarray) -> np.ndarray:
    x = sums * 256 + int(lines.offset[channel])
    assert np.all(np.abs(x) < 2**31)
    whole = (x * int(lines.slope[channel]) + 2**31) >> 32
    return np.clip((whole + lines.base) >> lines.shift, given.lowest, given.highest)


@pytest.mark.parametrize("seed", range(12))
def test_lines_equal_the_reference_at_every_sum(seed: int) -> None:
    draw = np.random.default_rng(seed)
    channels, inputs = 8, int(draw.integers(1, 200))
    weights = draw.integers(-127, 128, (channels, inputs))
    bias = draw.integers(-4000, 4000, channels) * int(np.sqrt(inputs))
    scales = draw.uniform(0.1, 1.0, channels) / (40 * np.sqrt(inputs))
    given = stairs(weights, bias.tolist(), scales.tolist(), highest=int(draw.integers(100, 128)))

    lines = next((found for shift in SHIFTS if (found := fit(given, shift)) is not None), None)

    assert lines is not None
    for channel in range(channels):
        sums = np.arange(given.lowest_sum[channel], given.highest_sum[channel] + 1)
        wanted = reference(given, channel, sums)
        assert len(np.unique(wanted)) > 20
        np.testing.assert_array_equal(on_line(lines, given, channel, sums), wanted)


@pytest.mark.parametrize("value", [-128, -127, 0, 126, 127])
def test_a_channel_without_weights_keeps_its_one_value(value: int) -> None:
    weights = np.zeros((2, 4), np.int8)
    weights[1] = 100
    given = stairs(weights, [4 * (value + 128), 0], [0.2499, 0.004])

    lines = fit(given, 9)

    assert lines is not None
    assert on_line(lines, given, 0, np.array([0])).tolist() == [value]


def test_outputs_on_both_sides_of_the_zero_point_have_no_line() -> None:
    given = stairs(np.full((1, 9), 50), [0], [0.003], zero_point=3, lowest=-128)

    assert fit(given, 12) is None


def test_a_steep_channel_has_no_line_with_a_far_shift() -> None:
    given = stairs(np.full((1, 9), 50), [0], [0.2])

    assert fit(given, 12) is None
    assert fit(given, 9) is not None


def test_sums_that_leave_31_bits_have_no_line() -> None:
    assert fit(stairs(np.full((1, 9), 50), [2**23], [2.0**-17]), 12) is None


def test_pairs_hold_what_two_channels_need_and_zeros_for_a_missing_one() -> None:
    lines = Lines(offset=np.array([1, 2, 3], np.int32), slope=np.array([10, 20, 30], np.int32), base=0, shift=12)

    assert lines_in_pairs(lines).tolist() == [[1, 10, 20, 2], [3, 30, 0, 0]]


def test_sums_are_bounded_by_the_weights_signs() -> None:
    lowest, highest = sums_of(np.array([[3, -2], [0, 0]], np.int8))

    assert lowest.tolist() == [3 * -128 + -2 * 127, 0]
    assert highest.tolist() == [3 * 127 + -2 * -128, 0]
