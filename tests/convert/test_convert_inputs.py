from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.convert.inputs import Input, checked_calibration, sample_shape
from edgecompile.convert.random_calibration import INTEGER_RANGE, RANGE, random_inputs
from edgecompile.convert.schemes import IO_DTYPES, check
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.recipe import NUMERICS, Scheme

IMAGE = Input(name="image", shape=(None, 4, 4, 1), dtype="float32")
IDS = Input(name="ids", shape=(None, 3), dtype="int32")


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    return np.zeros(shape, dtype)


def with_nan() -> np.ndarray[Any, Any]:
    array = zeros(5, 4, 4, 1)
    array[3, 0, 0, 0] = np.nan
    return array


def test_the_shape_of_a_sample_has_no_batch() -> None:
    assert sample_shape(IMAGE) == (4, 4, 1)
    assert sample_shape(Input(name="x", shape=(32, 7), dtype="uint8")) == (7,)


@pytest.mark.parametrize(
    "port, code, note",
    [
        pytest.param(
            Input(name="x", shape=(None, None, 3), dtype="float32"), "EC405", "[None, None, 3]", id="unknown-size"
        ),
        pytest.param(Input(name="x", shape=(None, 1), dtype="string"), "EC412", "found string", id="text"),
        pytest.param(Input(name="x", shape=(None, 1), dtype="complex64"), "EC412", "found complex64", id="complex"),
    ],
)
def test_inputs_that_no_device_can_take_are_named(port: Input, code: str, note: str) -> None:
    with pytest.raises(EdgecompileError) as raised:
        sample_shape(port)

    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, raised.value.exit_code) == (code, 1)
    assert note in diagnostic.notes[0]
    assert str(diagnostic.location) == "layer `x`"


def test_calibration_takes_the_dtype_of_the_input() -> None:
    image, ids = checked_calibration([IMAGE, IDS], [zeros(2, 4, 4, 1, dtype="float64"), zeros(2, 3)], "int8")

    assert image.dtype == np.float32
    assert ids.dtype == np.int32


@pytest.mark.parametrize(
    "arrays, code, found",
    [
        pytest.param(None, "EC402", "", id="none"),
        pytest.param((), "EC402", "", id="no-arrays"),
        pytest.param((zeros(0, 4, 4, 1), zeros(0, 3)), "EC402", "", id="no-samples"),
        pytest.param(
            (zeros(2, 4, 4, 1),), "EC403", "takes 2 inputs, the calibration data has 1", id="one-array-missing"
        ),
        pytest.param(
            (zeros(2, 16), zeros(2, 3)), "EC403", "takes [2, 4, 4, 1], the calibration data is [2, 16]", id="flat"
        ),
        pytest.param(
            (zeros(2, 4, 4, 1), zeros(1, 3)), "EC403", "takes [2, 3], the calibration data is [1, 3]", id="uneven"
        ),
        pytest.param(
            (zeros(2, 4, 4, 1), np.full((2, 3), "a")), "EC403", "takes int32, the calibration data is <U1", id="text"
        ),
        pytest.param((with_nan(), zeros(5, 3)), "EC404", "1 of 5 samples, the first is sample 3", id="nan"),
    ],
)
def test_calibration_that_does_not_fit_is_told(arrays: Any, code: str, found: str) -> None:
    with pytest.raises(EdgecompileError) as raised:
        checked_calibration([IMAGE, IDS], arrays, "int8")

    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, raised.value.exit_code) == (code, 2)
    assert found in diagnostic.notes[0]
    assert diagnostic.help


@pytest.mark.parametrize("numerics", NUMERICS)
def test_every_numerics_has_its_input_dtypes(numerics: str) -> None:
    for io_dtype in IO_DTYPES[numerics]:
        check(Scheme(numerics=numerics, io_dtype=io_dtype))


@pytest.mark.parametrize(
    "scheme, limit, help",
    [
        pytest.param(
            Scheme(numerics="int9", io_dtype="int8"), "int8, int16x8", ("did you mean `int8`?",), id="numerics"
        ),
        pytest.param(
            Scheme(numerics="int16x8", io_dtype="int8"), "int16, float32", ("did you mean `int16`?",), id="io"
        ),
        pytest.param(
            Scheme(numerics="float32", io_dtype="int8"), "possible: float32", ("choose `float32`",), id="float-io"
        ),
        pytest.param(
            Scheme(numerics="int8", io_dtype="int8", calibration="percentil"),
            "minmax, percentile, mse",
            ("did you mean `percentile`?",),
            id="calibration",
        ),
    ],
)
def test_a_scheme_that_cannot_be_is_ec401(scheme: Scheme, limit: str, help: tuple[str, ...]) -> None:
    with pytest.raises(EdgecompileError) as raised:
        check(scheme)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "EC401"
    assert limit in diagnostic.notes[0]
    assert diagnostic.help == help


def test_random_inputs_have_the_inputs_shapes_types_and_ranges() -> None:
    image, ids = random_inputs([IMAGE, IDS], 500, seed=3)

    assert (image.shape, image.dtype) == ((500, 4, 4, 1), np.float32)
    assert (ids.shape, ids.dtype) == ((500, 3), np.int32)
    assert RANGE[0] <= image.min() < -0.99
    assert 0.99 < image.max() <= RANGE[1]
    assert (ids.min(), ids.max()) == INTEGER_RANGE


def test_a_range_can_be_stated_for_an_input() -> None:
    image, ids = random_inputs([IMAGE, IDS], 500, 3, {"image": (0.0, 255.0), "ids": (5, 9)})

    assert 0 <= image.min() < 1
    assert 254 < image.max() <= 255
    assert set(np.unique(ids)) == {5, 6, 7, 8, 9}


def test_the_same_seed_gives_the_same_inputs_and_another_seed_others() -> None:
    first, again, other = (random_inputs([IMAGE, IDS], 5, seed) for seed in (1, 1, 2))

    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert not (first[0] == other[0]).all()
    assert (random_inputs([IMAGE], 5, 1)[0] == first[0]).all()


def test_inputs_differ_from_one_another() -> None:
    first, second = random_inputs([IMAGE, IMAGE], 5, 1)

    assert not (first == second).all()
