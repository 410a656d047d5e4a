from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.convert.ranges import BINS, Range, by_mse, by_percentile, histogram, is_finite

Array = np.ndarray[Any, Any]
# A bin is one step of a 7-bit fraction wide, and its middle stands for it.
BIN_WIDTH = 2.0**-7


def observed(values: Array) -> Range:
    return Range(low=float(values.min()), high=float(values.max()))


def normal(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=count).astype(np.float32)


def quantization_error(values: Array, low: float, high: float, levels: int) -> float:
    """Mean squared error of rounding to ``levels`` steps from low to high, with zero exact."""
    scale = (high - low) / levels
    zero = np.round(-low / scale)
    integers = np.clip(np.round(values.astype(np.float64) / scale) + zero, 0, levels)
    return float(np.mean(((integers - zero) * scale - values) ** 2))


def ends_of(given: Range, symmetric: bool) -> tuple[float, float]:
    """The ends that a quantizer takes: they hold zero, and are opposite where it is symmetric."""
    low, high = min(given.low, 0.0), max(given.high, 0.0)
    return (-max(-low, high), max(-low, high)) if symmetric else (low, high)


def test_every_value_is_counted_once_and_counts_add_up() -> None:
    values = normal(1000)

    counts = histogram(values)

    assert counts.shape == (BINS,)
    assert counts.sum() == 1000
    assert (counts == histogram(values[:300]) + histogram(values[300:])).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_seen(bad: float) -> None:
    values = normal(100)
    assert is_finite(histogram(values))

    values[7] = bad

    assert not is_finite(histogram(values))


@pytest.mark.parametrize("percentile", [90.0, 99.0, 99.9])
@pytest.mark.parametrize(
    "values",
    [
        pytest.param(normal(20_000), id="normal"),
        pytest.param(np.maximum(normal(20_000), 0), id="after-relu"),
        pytest.param(np.exp(3 * normal(20_000)), id="long-tail"),
        pytest.param(-np.exp(3 * normal(20_000)), id="negative-long-tail"),
        pytest.param(np.concatenate([normal(20_000), np.float32([1e30, -1e30])]), id="outliers"),
    ],
)
def test_percentiles_are_those_of_numpy(values: Array, percentile: float) -> None:
    found = by_percentile(histogram(values), observed(values), percentile)

    low, high = np.percentile(values, [100 - percentile, percentile], method="inverted_cdf")
    # NumPy takes the value at the rank, here the rank may be one further out; both lie in neighbouring bins.
    assert found.low == pytest.approx(low, rel=2 * BIN_WIDTH, abs=1e-30)
    assert found.high == pytest.approx(high, rel=2 * BIN_WIDTH, abs=1e-30)


@pytest.mark.parametrize("count", [1, 10, 999])
def test_with_few_values_no_percentile_leaves_any_out(count: int) -> None:
    values = normal(count)

    assert by_percentile(histogram(values), observed(values), 99.9) == observed(values)


@pytest.mark.parametrize(
    "values, symmetric",
    [
        pytest.param(normal(20_000), False, id="normal"),
        pytest.param(np.maximum(normal(20_000), 0), False, id="after-relu"),
        pytest.param(np.concatenate([normal(20_000), np.float32([40.0])]), False, id="outlier-above"),
        pytest.param(np.concatenate([normal(20_000), np.float32([-40.0])]), False, id="outlier-below"),
        pytest.param(np.exp(normal(20_000)), False, id="long-tail"),
        pytest.param(np.concatenate([normal(20_000), np.float32([40.0])]), True, id="symmetric"),
    ],
)
def test_the_range_of_least_error_is_found(values: Array, symmetric: bool) -> None:
    levels = 254 if symmetric else 255
    wide = observed(values)

    found = by_mse(histogram(values), wide, levels, symmetric)

    error = quantization_error(values, *ends_of(found, symmetric), levels)
    ends = [(a, b) for a in np.linspace(0, min(wide.low, 0), 25) for b in np.linspace(0, wide.high, 25) if a < b]
    if symmetric:
        ends = [(-b, b) for b in np.linspace(0.1, wide.high, 200)]
    best = min(quantization_error(values, a, b, levels) for a, b in ends)
    # The search knows bins, 64 steps on either side, and a uniform rounding error.
    assert error <= 1.1 * best
    assert error <= quantization_error(values, *ends_of(wide, symmetric), levels) * 1.001


def test_a_rare_outlier_is_clipped_where_that_pays_and_a_uniform_range_is_kept() -> None:
    uniform = np.random.default_rng(0).uniform(-1, 1, 20_000).astype(np.float32)
    # Keeping 100 costs (101/255)²/12 a value, clipping it by 99 costs 99² once.
    counts = histogram(np.concatenate([uniform, np.float32([100.0])]))
    many = histogram(uniform) * 100 + histogram(np.float32([100.0]))
    wide = Range(low=-1.0, high=100.0)

    assert by_mse(histogram(uniform), observed(uniform), 255, False).high == pytest.approx(1.0, rel=0.01)
    assert by_mse(counts, wide, 255, False).high == 100.0
    assert by_mse(many, wide, 255, False).high < 60.0


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.zeros(10, np.float32), id="zeros"),
        pytest.param(np.full(10, 0.5, np.float32), id="one-value"),
        pytest.param(np.full(10, -0.5, np.float32), id="one-negative-value"),
        pytest.param(np.float32([1e-40, 2e-40]), id="denormal"),
        pytest.param(np.float32([3e38, -3e38]), id="huge"),
    ],
)
@pytest.mark.parametrize("symmetric", [False, True])
def test_odd_values_stay_within_what_was_seen(values: Array, symmetric: bool) -> None:
    wide = observed(values)

    for found in (by_mse(histogram(values), wide, 255, symmetric), by_percentile(histogram(values), wide)):
        assert wide.low <= found.low or found.low == pytest.approx(wide.low)
        assert found.high <= wide.high or found.high == pytest.approx(wide.high)
        assert np.isfinite([found.low, found.high]).all()
