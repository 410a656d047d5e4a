from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_models import image_model, interpreter, noise, of_layers, run

from edgecompile.convert.convert import convert
from edgecompile.convert.flatbuffer import parse, serialize
from edgecompile.convert.interface import drop_unused_buffers, restore
from edgecompile.convert.schemes import configure
from edgecompile.convert.trace import trace
from edgecompile.core.recipe import Scheme
from edgecompile.libs.keras import tensorflow, tf_keras

pytestmark = pytest.mark.tensorflow

ENDS = {"int8": "int8", "int16x8": "int16"}


def scheme(numerics: str, calibration: str) -> Scheme:
    return Scheme(numerics=numerics, io_dtype=ENDS[numerics], calibration=calibration)


def dense_model() -> Any:
    """Two layers with a wide hidden one, to `y` [4]."""
    layers = tf_keras().layers
    return of_layers((16,), layers.Dense(64, activation="relu", name="hidden"), layers.Dense(4, name="y"))


def with_outlier(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One sample 60 times as large as all others, as a sensor's glitch is."""
    samples = samples.copy()
    samples[7] *= 60
    return samples


def mean_squared_error(content: bytes, model: Any, samples: np.ndarray[Any, Any]) -> float:
    expected = np.asarray(model(samples))
    found = np.concatenate([run(content, [sample[None]])[0] for sample in samples])
    return float(np.mean((found - expected) ** 2))


@pytest.mark.parametrize("numerics", ["int8", "int16x8"])
def test_minmax_gives_the_bytes_of_the_untouched_converter(numerics: str) -> None:
    model, samples = image_model(), noise(20, 8, 8, 3)
    traced = trace(model)
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.function], traced.holder)
    configure(tf, converter, scheme(numerics, "minmax"))
    converter.representative_dataset = lambda: ({"input_0": sample[None]} for sample in samples)

    untouched = parse(converter.convert())

    restore(untouched, ["image"], ["scores"])
    drop_unused_buffers(untouched)
    assert convert(model, scheme(numerics, "minmax"), (samples,), 0) == serialize(untouched)


@pytest.mark.parametrize(
    "method, share",
    [
        # Measured on TF 2.20: min-max 0.0287, percentile 0.0039, least squares 0.0205, of which one glitch in 5 000
        # samples weighs as much as all others: it clips only what pays. The bounds leave room for other versions.
        pytest.param("percentile", 0.2, id="percentile"),
        pytest.param("mse", 0.8, id="mse"),
    ],
)
def test_an_outlier_in_the_calibration_data_costs_less_accuracy(method: str, share: float) -> None:
    model = dense_model()
    calibration = with_outlier(noise(5000, 16))
    held_out = noise(200, 16, seed=9)

    contents = {m: convert(model, scheme("int8", m), (calibration,), 0) for m in ("minmax", method)}

    errors = {m: mean_squared_error(content, model, held_out) for m, content in contents.items()}
    assert errors[method] < share * errors["minmax"]


def test_least_squares_lowers_the_error_on_long_tails_themselves() -> None:
    model = dense_model()
    samples = np.random.default_rng(0).standard_t(2, (1000, 16)).astype(np.float32)

    contents = {m: convert(model, scheme("int8", m), (samples,), 0) for m in ("minmax", "mse")}

    errors = {m: mean_squared_error(content, model, samples[:300]) for m, content in contents.items()}
    assert errors["mse"] < 0.95 * errors["minmax"]


def test_int16_ranges_follow_the_percentile_and_least_squares_has_nothing_to_clip() -> None:
    model = dense_model()
    calibration = with_outlier(noise(5000, 16))

    scales = {}
    for method in ("minmax", "percentile", "mse"):
        (given,) = interpreter(convert(model, scheme("int16x8", method), (calibration,), 0)).get_input_details()
        scales[method] = given["quantization"][0]

    assert scales["percentile"] < scales["minmax"] / 10
    # 65 535 steps are so fine that clipping anything costs more than it gains.
    assert scales["mse"] == scales["minmax"]


@pytest.mark.parametrize(
    "method, factor",
    [
        # Clipping a thousandth of the values on either side is felt where nothing is gained: 3.5 times, measured.
        pytest.param("percentile", 5.0, id="percentile"),
        pytest.param("mse", 1.2, id="mse"),
    ],
)
def test_data_without_outliers_loses_little(method: str, factor: float) -> None:
    model, samples = dense_model(), np.random.default_rng(0).uniform(-1, 1, (300, 16)).astype(np.float32)

    errors = {
        m: mean_squared_error(convert(model, scheme("int8", m), (samples,), 0), model, samples)
        for m in ("minmax", method)
    }

    assert errors[method] < factor * errors["minmax"]


def test_percentile_keeps_the_whole_range_of_an_output() -> None:
    model = dense_model()
    calibration = with_outlier(noise(5000, 16))

    ranges = {}
    for method in ("minmax", "percentile"):
        (result,) = interpreter(convert(model, scheme("int8", method), (calibration,), 0)).get_output_details()
        ranges[method] = result["quantization"]

    assert ranges["percentile"] == ranges["minmax"]


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
@pytest.mark.parametrize(
    "activation, expected",
    [
        pytest.param("softmax", (1 / 256, -128), id="softmax"),
        pytest.param("sigmoid", (1 / 256, -128), id="sigmoid"),
        pytest.param("tanh", (1 / 128, 0), id="tanh"),
    ],
)
def test_fixed_ranges_stay_fixed(activation: str, expected: tuple[float, int], method: str) -> None:
    # TFLite's int8 quantization specification fixes these scales and zero points.
    layers = tf_keras().layers
    model = of_layers((16,), layers.Dense(4), layers.Activation(activation))

    content = convert(model, scheme("int8", method), (with_outlier(noise(50, 16)),), 0)

    (result,) = interpreter(content).get_output_details()
    assert result["quantization"] == expected


@pytest.mark.parametrize("method", ["percentile", "mse"])
def test_operators_that_keep_values_keep_one_scale(method: str) -> None:
    layers = tf_keras().layers
    model = of_layers((4, 4, 2), layers.Reshape((8, 4)), layers.MaxPool1D(2), layers.Flatten())

    content = convert(model, scheme("int8", method), (with_outlier(noise(50, 4, 4, 2)),), 0)

    scales = {tuple(tensor.quantization.scale) for tensor in parse(content).subgraphs[0].tensors if tensor.type == 9}
    assert len(scales) == 1


@pytest.mark.parametrize("method", ["percentile", "mse"])
def test_a_fused_lstm_can_be_calibrated_so(method: str) -> None:
    model, samples = of_layers((5, 4), tf_keras().layers.LSTM(3)), noise(30, 5, 4)

    content = convert(model, scheme("int8", method), (samples,), 0)

    error = np.abs(run(content, [samples[:1]])[0] - np.asarray(model(samples[:1]))).max()
    # Outputs lie in -1 to 1; an LSTM in int8 rounds at every step.
    assert error < 0.1


def test_auto_takes_what_is_nearest_on_samples_left_out() -> None:
    model = dense_model()
    # Moved by one, so that the outlier calibrates rather than judges.
    calibration, taken = np.roll(with_outlier(noise(2000, 16)), 1, axis=0), list[str]()

    content = convert(model, scheme("int8", "auto"), (calibration,), 0, taken.append)

    assert taken == ["percentile"]
    assert content == convert(model, scheme("int8", "percentile"), (calibration,), 0)


def test_auto_keeps_min_and_max_where_no_sample_can_be_spared() -> None:
    model, samples, taken = dense_model(), noise(3, 16), list[str]()

    content = convert(model, scheme("int16x8", "auto"), (samples,), 0, taken.append)

    assert taken == ["minmax"]
    assert content == convert(model, scheme("int16x8", "minmax"), (samples,), 0)
