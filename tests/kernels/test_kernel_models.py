"""Whole public models as C, optimized by the compiler, against TensorFlow Lite Micro in every tensor."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kernel_run import write_c

from edgecompile.ir.reader import read
from edgecompile.libs import litert
from edgecompile.optimize.apply import apply
from edgecompile.verify.c_library import verify_c

MODELS = {
    "ad01": "cortexm/ad01_int8.tflite",
    "hello world": "cortexm/hello_world_int8.tflite",
    "keywords": "cortexm/kws_ref_model.tflite",
    "micro speech": "cortexm/micro_speech_quantized.tflite",
    "person detection": "cortexm/person_detect.tflite",
    "resnet": "cortexm/pretrainedResnet_quant.tflite",
    "visual wake words": "cortexm/vww_96_int8.tflite",
}
# Bytes of the arena, measured; a plan that needs more is a step back.
ARENAS = {
    "ad01": 768,
    "hello world": 32,
    "keywords": 8_512,
    "micro speech": 2_464,
    "person detection": 37_548,
    "resnet": 34_448,
    "visual wake words": 37_548,
}

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        shutil.which("gcc") is None or not litert.choose(litert.MICRO).available,
        reason="gcc or tflite-micro is not installed",
    ),
]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_equals_the_reference_in_every_tensor(model: str, data: Path, tmp_path: Path) -> None:
    network = apply(read((data / MODELS[model]).read_bytes(), model)).network
    program = write_c("m", network, tmp_path)
    tensor = network.main.tensors[network.main.inputs[0]]
    assert tensor.quantization is not None
    draw = np.random.default_rng(7).integers(-128, 128, (3, *tensor.shape))
    x = (draw - tensor.quantization.zero_points[0]) * np.float32(tensor.quantization.scales[0])

    found = verify_c(tmp_path, "m", network, program, [x], model)

    assert found.status == "verified", [d.render() for d in found.diagnostics]
    assert found.tensors == sum(not routine.unstored for routine in program.routines)
    header = (tmp_path / "m.h").read_text()
    arena = next(int(line.split()[-1]) for line in header.splitlines() if line.startswith("#define M_ARENA_BYTES"))
    assert arena <= ARENAS[model]


def test_an_lstm_rounds_as_the_reference_where_the_last_bit_of_a_multiplier_counts(data: Path, tmp_path: Path) -> None:
    model = next((data / "tflite").glob("*keras_lstm_mnist_ptq.tflite"))
    network = apply(read(model.read_bytes(), model.name)).network
    program = write_c("m", network, tmp_path)
    digit = np.load(data / "datasets" / "mnist.npz")["x_test"][52:53].astype(np.float32) / 255

    found = verify_c(tmp_path, "m", network, program, [digit], model.name)

    assert found.status == "verified", [d.render() for d in found.diagnostics]
