"""Whether a simulated network gives what the device's arithmetic gives: the same integers, or the next ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.simulate.run import run
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.ir.network import Network, Tensor
from edgecompile.ir.writer import write
from edgecompile.libs import litert

Array = np.ndarray[Any, Any]
LEAST_AGREEING = 0.99
_SAMPLES = 200
# LiteRT first: it rounds once, as later devices' kernels and the simulation do; those of TFLite to 2.19 round twice.
_RUNTIMES = ("ai-edge-litert", "tensorflow", "tflite-runtime")


def agreement(network: Network, samples: Samples, within: float = 1.0) -> tuple[float, str] | None:
    """The share of output elements that are at most ``within`` steps apart, and what ran them; None without a runtime.

    Float outputs are compared in steps of the scale that their DEQUANTIZE reads.
    """
    usable = {found.name: found for found in litert.runtimes() if found.available}
    runtime = next((usable[name] for name in _RUNTIMES if name in usable), None)
    if runtime is None:
        return None
    some = samples.take(slice(0, _SAMPLES))
    answer = litert.invoke(write(network), list(some.x), runtime=runtime, real=True)
    simulated, _ = run(network, some.x)
    apart = [
        _steps_apart(real, mine, _scale(network, index))
        for real, mine, index in zip(answer.real(), simulated, network.main.outputs, strict=True)
    ]
    flat = np.concatenate(apart)
    return float(np.mean(flat <= within)), answer.described


def diagnose(share: float, by: str) -> Diagnostic:
    """EC342: the figure, a warning where it is below 99 %."""
    low = share < LEAST_AGREEING
    return Diagnostic(
        code="EC342",
        message=f"{100 * share:.2f} % of outputs are within one step of what was trained",
        severity=Severity.WARNING if low else Severity.NOTE,
        notes=(f"the emitted integers run by {by}, on calibration samples", f"at least {100 * LEAST_AGREEING:.0f} %"),
        help=("compare the accuracy of the artifact, which the report has, with the one in training",) if low else (),
    )


def _steps_apart(real: Array, simulated: Array, scale: float) -> Array:
    if scale == 0.0:
        return np.where(real == simulated.reshape(real.shape), 0.0, np.inf).reshape(-1)
    # Halves of a step are noise of float32, not another integer.
    steps: Array = np.floor(np.abs(real - simulated.reshape(real.shape)).reshape(-1) / scale + 0.25)
    return steps


def _scale(network: Network, index: int) -> float:
    """The step of an output: its own scale, or that of what is dequantized into it; 0: it is no quantized number."""
    main = network.main
    if scale := _own(main.tensors[index]):
        return scale
    maker = next((operator for operator in main.operators if index in operator.outputs), None)
    return _own(main.tensors[maker.inputs[0]]) if maker is not None and maker.name == "DEQUANTIZE" else 0.0


def _own(tensor: Tensor) -> float:
    return tensor.quantization.scales[0] if tensor.quantization is not None and tensor.quantization.scales else 0.0
