from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import image_model, interpreter, many_ends, noise, of_layers, run, run_integers

from edgecompile.convert.convert import convert
from edgecompile.convert.flatbuffer import name_of, operator_name, parse
from edgecompile.core.recipe import Scheme
from edgecompile.libs.keras import tensorflow, tf_keras

pytestmark = pytest.mark.tensorflow

INT8 = Scheme(numerics="int8", io_dtype="int8")
FLOAT = Scheme(numerics="float32", io_dtype="float32")
CHECKOUT = Path(__file__).resolve().parents[2]


def by_hand(model: Any, samples: list[np.ndarray[Any, Any]], dense_per_tensor: bool = False) -> bytes:
    """What anyone would write with TensorFlow alone."""
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel_quantization_for_dense_layers = dense_per_tensor
    return bytes(converter.convert())


def plain(content: bytes) -> list[Any]:
    """All that a runtime reads, without names: tensors with their constants, operators, ends."""
    model = parse(content)
    tensors, operators = [], []
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            data, quantization = model.buffers[tensor.buffer].data, tensor.quantization
            ranges = None if quantization is None or quantization.scale is None else quantization
            tensors.append(
                (
                    tensor.type,
                    tuple(tensor.shape),
                    None if data is None else bytes(data),
                    None
                    if ranges is None
                    else (tuple(ranges.scale), tuple(ranges.zeroPoint), ranges.quantizedDimension),
                )
            )
        for operator in subgraph.operators:
            options = None if operator.builtinOptions is None else sorted(vars(operator.builtinOptions).items())
            version = model.operatorCodes[operator.opcodeIndex].version
            ends = (tuple(operator.inputs), tuple(operator.outputs))
            operators.append((operator_name(model, operator), version, ends, str(options)))
    return [tensors, operators, list(model.subgraphs[0].inputs), list(model.subgraphs[0].outputs)]


@pytest.mark.parametrize("dense_per_tensor", [False, True])
def test_int8_is_what_a_hand_written_script_gives(dense_per_tensor: bool) -> None:
    model, samples = image_model(), noise(20, 8, 8, 3)
    scheme = Scheme(numerics="int8", io_dtype="int8", per_tensor_dense=dense_per_tensor)

    ours = convert(model, scheme, (samples,), 0)
    theirs = by_hand(model, list(samples), dense_per_tensor)

    assert plain(ours) == plain(theirs)
    for sample in noise(20, 1, 8, 8, 3, seed=1):
        (a,), (b,) = run_integers(ours, [sample]), run_integers(theirs, [sample])
        assert (a == b).all()


@pytest.mark.parametrize("dense_per_tensor, scales", [(False, 5), (True, 1)])
def test_dense_weights_have_one_scale_where_the_scheme_says_so(dense_per_tensor: bool, scales: int) -> None:
    scheme = Scheme(numerics="int8", io_dtype="int8", per_tensor_dense=dense_per_tensor)

    model = parse(convert(image_model(), scheme, (noise(5, 8, 8, 3),), 0))

    (dense,) = [o for o in model.subgraphs[0].operators if operator_name(model, o) == "FULLY_CONNECTED"]
    assert len(model.subgraphs[0].tensors[dense.inputs[1]].quantization.scale) == scales


@pytest.mark.parametrize(
    "numerics, io_dtype, tolerance",
    [
        pytest.param("int8", "int8", 0.02, id="int8"),
        pytest.param("int8", "uint8", 0.02, id="int8-uint8"),
        pytest.param("int8", "float32", 0.02, id="int8-float"),
        pytest.param("int16x8", "int16", 0.01, id="int16x8"),
        pytest.param("int16x8", "float32", 0.01, id="int16x8-float"),
        pytest.param("float16", "float32", 0.001, id="float16"),
        pytest.param("dynamic", "float32", 0.01, id="dynamic"),
        pytest.param("float32", "float32", 1e-6, id="float32"),
    ],
)
def test_every_scheme_agrees_with_keras_and_has_its_ends(numerics: str, io_dtype: str, tolerance: float) -> None:
    model, samples = image_model(), noise(50, 8, 8, 3)

    content = convert(model, Scheme(numerics=numerics, io_dtype=io_dtype), (samples,), 0)

    runner = interpreter(content)
    (given,), (result,) = runner.get_input_details(), runner.get_output_details()
    assert [np.dtype(detail["dtype"]).name for detail in (given, result)] == [io_dtype, io_dtype]
    assert [list(detail["shape"]) for detail in (given, result)] == [[1, 8, 8, 3], [1, 5]]
    # A probability is off by a few steps of its scale: 1/256 in int8, none to speak of in float32.
    for sample in samples[:10, None]:
        assert np.abs(run(content, [sample])[0] - np.asarray(model(sample))).max() < tolerance


@pytest.mark.parametrize("numerics, io_dtype", [("int8", "int8"), ("int16x8", "int16"), ("float32", "float32")])
def test_inputs_and_outputs_keep_the_models_order_and_names(numerics: str, io_dtype: str) -> None:
    model = many_ends()
    # Ranges a hundred times apart: an input fed with another's samples would be far off.
    samples = (noise(40, 3), noise(40, 3, seed=1) * 100, noise(40, 2, seed=2) * 0.01)

    content = convert(model, Scheme(numerics=numerics, io_dtype=io_dtype), samples, 0)

    runner = interpreter(content)
    assert [detail["name"] for detail in runner.get_input_details()] == ["zebra", "apple", "mango"]
    assert [detail["name"] for detail in runner.get_output_details()] == ["y", "b", "x"]
    signature = runner.get_signature_list()["serving_default"]
    assert sorted(signature["inputs"]) == ["apple", "mango", "zebra"]
    assert sorted(signature["outputs"]) == ["b", "x", "y"]
    given = [array[:1] for array in samples]
    scale = max(float(np.abs(part).max()) for part in model(given))
    for ours, keras in zip(run(content, given), model(given), strict=True):
        # Two layers in steps of 1/255 of their range; one input in another's place is off by all of it.
        assert np.abs(ours - np.asarray(keras)).max() < 0.05 * scale
    if numerics == "int8":
        scales = [detail["quantization"][0] for detail in runner.get_input_details()]
        widths = [float(array.max() - array.min()) / 255 for array in samples]
        assert scales == pytest.approx(widths, rel=0.05)


def test_the_signature_maps_names_to_the_right_tensors() -> None:
    model = many_ends()
    content = convert(model, FLOAT, None, 0)
    given = [noise(1, 3), noise(1, 3, seed=1), noise(1, 2, seed=2)]

    lite = tensorflow().lite
    runner = lite.Interpreter(model_content=content).get_signature_runner()
    named = runner(**dict(zip(["zebra", "apple", "mango"], given, strict=True)))

    for name, expected in zip(["y", "b", "x"], model(given), strict=True):
        assert np.abs(named[name] - np.asarray(expected)).max() < 1e-6


def test_one_tensor_given_twice_and_an_input_passed_through_stay_in_place() -> None:
    keras = tf_keras()
    given = keras.Input((4,), name="x")
    dense = keras.layers.Dense(3, name="d")(given)
    model = keras.Model(given, [dense, given, dense], name="model")

    content = convert(model, FLOAT, None, 0)

    sample = noise(1, 4)
    results = run(content, [sample])
    assert [list(result.shape) for result in results] == [[1, 3], [1, 4], [1, 3]]
    assert (results[1] == sample).all()


def test_integer_inputs_are_calibrated_with_integers() -> None:
    layers = tf_keras().layers
    model = of_layers((8,), layers.Embedding(10, 4), layers.Flatten(), layers.Dense(2), dtype="int32")
    ids = np.random.default_rng(0).integers(0, 10, (20, 8))

    content = convert(model, INT8, (ids,), 0)

    (given,) = interpreter(content).get_input_details()
    assert given["dtype"] == np.int32
    error = np.abs(run(content, [ids[:1].astype(np.int32)])[0] - np.asarray(model(ids[:1]))).max()
    assert error < 0.02 * np.abs(np.asarray(model(ids))).max()


@pytest.mark.parametrize("numerics, io_dtype", [("int8", "int8"), ("int16x8", "int16"), ("dynamic", "float32")])
@pytest.mark.parametrize("calibration", ["minmax", "mse"])
def test_the_same_conversion_gives_the_same_bytes(numerics: str, io_dtype: str, calibration: str) -> None:
    scheme = Scheme(numerics=numerics, io_dtype=io_dtype, calibration=calibration)
    model, samples = many_ends(), (noise(9, 3), noise(9, 3), noise(9, 2))

    assert convert(model, scheme, samples, 0) == convert(model, scheme, samples, 0)


@pytest.mark.parametrize("layer", ["LSTM", "GRU-unrolled", "LSTM-unrolled", "Bidirectional"])
def test_recurrent_layers_are_integer_and_the_same_every_time(layer: str) -> None:
    # The quantizer leaves a SPLIT of an unrolled layer in float about every other time; LSTM left stray bytes.
    layers = tf_keras().layers
    made = {
        "LSTM": lambda: layers.LSTM(3),
        "GRU-unrolled": lambda: layers.GRU(3, unroll=True),
        "LSTM-unrolled": lambda: layers.LSTM(3, unroll=True),
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(3)),
    }[layer]()
    model, samples = of_layers((3, 4), made), (noise(8, 3, 4),)

    contents = {convert(model, INT8, samples, 0) for _ in range(6)}

    assert len(contents) == 1
    sample = samples[0][:1]
    # Recurrent kernels round at every step; outputs lie in -1 to 1.
    assert np.abs(run(contents.pop(), [sample])[0] - np.asarray(model(sample))).max() < 0.1


def test_state_hidden_value_and_output_of_a_recurrent_layer_are_in_the_same_numbers() -> None:
    model = of_layers((3, 4), tf_keras().layers.Bidirectional(tf_keras().layers.LSTM(3)))

    converted = parse(convert(model, INT8, (noise(8, 3, 4),), 0))

    tensors = converted.subgraphs[0].tensors
    found = [
        [tensors[index] for index in (one.outputs[0], one.inputs[18], one.intermediates[4])]
        for one in converted.subgraphs[0].operators
        if operator_name(converted, one) == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    ]
    # The quantizer gave outputs alone the numbers of the concatenation behind the two directions.
    assert len(found) == 2
    for each in found:
        numbers = [(tensor.quantization.scale.tolist(), tensor.quantization.zeroPoint.tolist()) for tensor in each]
        assert numbers[1:] == [numbers[0], numbers[0]]


@pytest.mark.slow
def test_another_process_another_folder_and_other_hashes_give_the_same_bytes(tmp_path: Path) -> None:
    script = (
        "import sys, hashlib; sys.path[:0] = sys.argv[1:]\n"
        "from small_models import image_model, noise\n"
        "from edgecompile.convert.convert import convert\n"
        "from edgecompile.core.recipe import Scheme\n"
        "content = convert(image_model(), Scheme(numerics='int8', io_dtype='int8'), (noise(9, 8, 8, 3),), 0)\n"
        "print(hashlib.sha256(content).hexdigest())\n"
    )
    hashes = set()
    for number in range(2):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "TMPDIR": str(folder)}
        argv = [sys.executable, "-c", script, str(CHECKOUT), str(Path(__file__).parent)]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=folder, env=environment, check=True)
        hashes.add(done.stdout.strip())

    assert len(hashes) == 1


def test_no_buffer_that_nothing_uses_keeps_bytes() -> None:
    model = parse(convert(of_layers((3, 4), tf_keras().layers.LSTM(3)), INT8, (noise(8, 3, 4),), 0))

    used = {tensor.buffer for tensor in model.subgraphs[0].tensors} | {entry.buffer for entry in model.metadata}
    assert all(buffer.data is None for index, buffer in enumerate(model.buffers) if index not in used)


def test_tensors_inside_bear_their_layers_names() -> None:
    model = parse(convert(image_model("some_name"), INT8, (noise(5, 8, 8, 3),), 0))

    names = [name_of(tensor) for tensor in model.subgraphs[0].tensors]
    assert any(name.startswith("some_name/conv/") for name in names)
    assert any("some_name/depthwise/" in name for name in names)
