"""Integer networks beside TFLite's reference kernels: each operator fed with the interpreter's inputs, and whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.compress.simulate.quantizers import is_quantized, real
from edgecompile.compress.simulate.run import run
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network, Tensor
from edgecompile.ir.reader import read
from edgecompile.ir.rewrite import replace_subgraph
from edgecompile.ir.writer import write
from edgecompile.libs import litert

pytestmark = pytest.mark.tensorflow
Array = np.ndarray[Any, Any]
_SAMPLES = 4
# The share of elements that must lie within one step; ties are rounded differently, requantization has 31 bits.
_SHARE = 0.99
_ONE_STEP = 1.01


def _small() -> Network:
    """What integer kernels round in ways of their own: pooling, adding two scales, softmax, mean, activations."""
    random = np.random.default_rng(1)
    build = NetworkBuilder()

    def made(name: str, shape: tuple[int, ...], scale: float, zero: int) -> int:
        return build.tensor(name, shape, "int8", scale=scale, zero_point=zero)

    x = build.input("x", (1, 8, 8, 3), "int8", scale=0.05, zero_point=-5)
    scales = random.uniform(0.002, 0.01, 8).astype(np.float32)
    w = build.constant("w", random.integers(-127, 128, (8, 3, 3, 3)).astype(np.int8), scale=scales)
    b = build.constant("b", random.integers(-2000, 2000, 8).astype(np.int32), scale=scales * np.float32(0.05))
    conv = build.op(
        "CONV_2D", [x, w, b], [made("conv", (1, 8, 8, 8), 0.06, -128)], padding="SAME", fused_activation_function="RELU"
    )
    swish = build.op("HARD_SWISH", [conv], [made("swish", (1, 8, 8, 8), 0.055, -120)])
    both = build.op("ADD", [conv, swish], [made("both", (1, 8, 8, 8), 0.11, -128)])
    times = build.op("MUL", [both, swish], [made("times", (1, 8, 8, 8), 0.5, -120)])
    pool = {"padding": "VALID", "stride_h": 2, "stride_w": 2, "filter_height": 2, "filter_width": 2}
    pooled = build.op("AVERAGE_POOL_2D", [times], [made("pooled", (1, 4, 4, 8), 0.5, -120)], **pool)
    gate = build.op("LOGISTIC", [pooled], [made("gate", (1, 4, 4, 8), 1 / 256, -128)])
    axes = build.constant("axes", np.array([1, 2], np.int32))
    mean = build.op("MEAN", [gate, axes], [made("mean", (1, 8), 1 / 256, -128)], keep_dims=False)
    dense = build.constant("dense", random.integers(-127, 128, (4, 8)).astype(np.int8), scale=0.02)
    logits = build.op("FULLY_CONNECTED", [mean, dense, -1], [made("logits", (1, 4), 0.1, 2)])
    return build.output(build.op("SOFTMAX", [logits], [made("y", (1, 4), 1 / 256, -128)], beta=1.0)).build()


def _inputs(network: Network) -> list[Array]:
    random = np.random.default_rng(0)
    found = []
    for tensor in map(network.main.tensors.__getitem__, network.main.inputs):
        shape = (_SAMPLES, *tensor.shape)
        if is_quantized(tensor):
            limits = np.iinfo(tensor.dtype)
            found.append(random.integers(limits.min, limits.max + 1, shape).astype(tensor.dtype))
        else:
            found.append(random.normal(size=shape).astype(np.float32))
    return found


def _interpreted(network: Network, simulation: Simulation, x: list[Array]) -> dict[int, Array]:
    """Real values of every tensor that the interpreter makes: the network with all of them as outputs."""
    main = network.main
    made = tuple(dict.fromkeys(index for step in simulation.steps for index in main.operators[step].outputs))
    shown = replace(replace_subgraph(network, replace(main, outputs=made)), signatures=())
    arrays = litert.invoke(write(shown), x, runtime=litert.choose("tflite"), resolver="reference", workers=1).arrays
    every = {**dict(zip(main.inputs, x, strict=True)), **dict(zip(made, arrays, strict=True))}
    return {i: real(main.tensors[i], a).reshape(-1, *main.tensors[i].shape) for i, a in every.items()}


def _step(tensor: Tensor) -> float:
    """One step of the integers; for a float tensor (behind DEQUANTIZE) a difference that only rounding makes."""
    return tensor.quantization.scales[0] if is_quantized(tensor) and tensor.quantization else 1e-5


def _check(network: Network) -> None:
    simulation, main = Simulation(network), network.main
    values = _interpreted(network, simulation, _inputs(network))
    for step in simulation.steps:
        operator = main.operators[step]
        outputs = simulation.operator(step, {index: values[index] for index in operator.inputs if index in values})
        for index, output in zip(operator.outputs, outputs, strict=True):
            steps = np.abs(output.numpy() - values[index]) / _step(main.tensors[index])
            assert np.mean(steps <= _ONE_STEP) >= _SHARE, (step, operator.name, steps.max())


def test_each_integer_operator_is_within_a_step_of_the_reference_kernel() -> None:
    _check(_small())


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    ["mlcommons__tiny__aeea4368__kws_ref_model", "google-coral__test_data__ac718e4b__keras_lstm_mnist_ptq"],
)
def test_each_operator_of_a_real_network_is_within_a_step(name: str, data: Path) -> None:
    _check(read((data / "tflite" / f"{name}.tflite").read_bytes()))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [
        "mlcommons__tiny__3c002613__pretrainedResnet_quant",
        "mlcommons__tiny__597a384c__vww_96_int8",
        "mlcommons__tiny__3af85508__str_ww_ref_model",
        "google-coral__test_data__cb273c23__mobilenet_v1_0.25_128_quant",
        "MohamedElhadidy0019__stm32ai-modelzoo__f9732f21__yamnet_256_64x96_tl_int8",
    ],
)
def test_each_operator_of_a_larger_network_is_within_a_step(name: str, data: Path) -> None:
    _check(read((data / "tflite" / f"{name}.tflite").read_bytes()))


def test_a_whole_integer_network_answers_as_the_interpreter_does() -> None:
    network = _small()
    (x,) = _inputs(network)

    (simulated,), _ = run(network, [x])
    interpreted = litert.invoke(
        write(network), [x], runtime=litert.choose("tflite"), resolver="reference", workers=1
    ).real()[0]

    # A step of each layer may become a few of the last.
    assert np.abs(simulated - interpreted).max() <= 3 / 256


def test_integers_and_the_real_numbers_they_stand_for_are_the_same_input() -> None:
    network = _small()
    (codes,) = _inputs(network)

    (one,), _ = run(network, [codes])
    (other,), _ = run(network, [real(network.main.tensors[network.main.inputs[0]], codes)])

    np.testing.assert_array_equal(one, other)


def test_batches_do_not_change_answers_and_watched_tensors_come_along() -> None:
    network = _small()
    x = _inputs(network)
    pooled = next(i for i, tensor in enumerate(network.main.tensors) if tensor.name == "pooled")

    (whole,), watched = run(network, x, batch=_SAMPLES, watch=[pooled])
    (parts,), _ = run(network, x, batch=3)

    np.testing.assert_array_equal(whole, parts)
    assert watched[pooled].shape == (_SAMPLES, 4, 4, 8)
