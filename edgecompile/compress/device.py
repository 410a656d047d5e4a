"""Whether a simulated network gives what a device's arithmetic gives: the same integers, or the next ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.simulate.quantizers import is_quantized, real
from edgecompile.compress.simulate.run import reals, run_simulation
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import EdgecompileError
from edgecompile.ir.network import Network, Tensor
from edgecompile.ir.rewrite import replace_subgraph
from edgecompile.ir.writer import write
from edgecompile.libs import litert
from edgecompile.libs.affine import Port, dequantize, quantize

Array = np.ndarray[Any, Any]
LEAST_AGREEING = 0.99
_SAMPLES = 200
_MOST_ELEMENTS = 10_000_000  # of all tensors and samples together
# The first that is there runs. LiteRT's optimized kernels round once, as those of phones do;
# the reference kernels of old, which microcontrollers run, round twice where they multiply by a scale.
_KERNELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("default", ("ai-edge-litert", "tensorflow", "tflite-runtime")),
    ("reference", ("tflite-runtime", "ai-edge-litert", "tensorflow")),
)
_TWICE = frozenset({("tflite-runtime", "reference")})


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Shares of elements that are close enough, over the integers of all tensors that operators make.

    ``each``: every operator given what the interpreter gave it; ``whole``: the network as a whole, in which a step in
    an early layer may become several. ``worst`` is the operator that agrees least by itself, and its share. ``twice``:
    simulated with two roundings, as these kernels do it.
    """

    by: str
    resolver: str
    twice: bool
    each: float
    whole: float
    worst: tuple[str, float]
    samples: int


def agreement(network: Network, samples: Samples, within: float = 1.0) -> tuple[Agreement, ...]:
    """For each kind of kernels that there is a runtime for: how many elements are at most ``within`` steps apart."""
    usable = {found.name: found for found in litert.runtimes() if found.available}
    found = []
    for resolver, names in _KERNELS:
        for runtime in (usable[name] for name in names if name in usable):
            if (runtime.name, resolver) in _TWICE and _has_deep_dense(network):
                continue
            try:
                found.append(_compared(network, samples, within, runtime, resolver))
            except EdgecompileError:
                # An old interpreter may lack an operator's version, or die with all tensors kept: another is asked.
                continue
            break
    return tuple(found)


def _has_deep_dense(network: Network) -> bool:
    """Whether a dense layer with a scale a channel makes more than two axes.

    The reference kernel that rounds twice takes the second axis for the channels there and leaves results unwritten
    (seen with tflite-runtime 2.14: 12 of 16 channels of each [12, 16]); its optimized kernel does not.
    """
    main = network.main
    return any(
        operator.name == "FULLY_CONNECTED"
        and len(main.tensors[operator.outputs[0]].shape) > 2
        and (given := main.tensors[operator.inputs[1]].quantization) is not None
        and len(given.scales) > 1
        for operator in main.operators
    )


def diagnose(found: Sequence[Agreement]) -> Diagnostic:
    """EC342: the figures, a warning where fewer than 99 % of the integers of all tensors agree, or none ran."""
    if not found:
        return Diagnostic(
            code="EC342",
            severity=Severity.WARNING,
            message="what was trained was not compared with the integers of a device",
            notes=("no interpreter is installed that runs the trained network",),
            help=("`edgecompile doctor` tells what is missing", "the report's own verification says if the file runs"),
        )
    least = min(one.whole for one in found)
    low = least < LEAST_AGREEING
    return Diagnostic(
        code="EC342",
        message=f"{100 * least:.2f} % of the integers of all tensors are within one step of what was trained",
        severity=Severity.WARNING if low else Severity.NOTE,
        notes=(*map(_described, found), f"at least {100 * LEAST_AGREEING:.0f} %, end to end"),
        help=("compare the accuracy of the artifact, which the report has, with the one in training",) if low else (),
    )


def _described(one: Agreement) -> str:
    operator, share = one.worst
    rounding = "two roundings" if one.twice else "one rounding"
    return (
        f"{one.by} ({rounding}): {100 * one.whole:.2f} % end to end, {100 * one.each:.2f} % each operator given the "
        f"same inputs (least: {operator} with {100 * share:.2f} %), on {one.samples} calibration samples"
    )


def _compared(
    network: Network, samples: Samples, within: float, runtime: litert.RuntimeInfo, resolver: str
) -> Agreement:
    twice = (runtime.name, resolver) in _TWICE
    main, simulation = network.main, Simulation(network, rounding="twice" if twice else "once")
    made = [i for step in simulation.steps for i in main.operators[step].outputs if is_quantized(main.tensors[i])]
    elements = sum(main.tensors[i].elements for i in made)
    some = samples.take(slice(0, max(1, min(_SAMPLES, _MOST_ELEMENTS // max(1, elements)))))
    values, by = _interpreted(network, simulation, some, runtime, resolver)
    entered = [values[index] for index in main.inputs]
    _, whole = run_simulation(simulation, reals(network, entered), watch=made)
    close = [_close(whole[i], values[i], main.tensors[i], within) for i in made]
    each, alone = [], dict[str, list[Array]]()
    for step in simulation.steps:
        operator = main.operators[step]
        if not any(i in made for i in operator.outputs):
            continue
        outputs = simulation.operator(step, {i: values[i] for i in operator.inputs if i in values})
        for index, output in zip(operator.outputs, outputs, strict=True):
            if is_quantized(main.tensors[index]):
                each.append(_close(np.asarray(output), values[index], main.tensors[index], within))
                alone.setdefault(operator.label, []).append(each[-1])
    shares = {name: float(np.concatenate(parts).mean()) for name, parts in alone.items()}
    return Agreement(
        by=by,
        resolver=resolver,
        twice=twice,
        each=_mean(each),
        whole=_mean(close),
        worst=min(shares.items(), key=lambda item: (item[1], item[0]), default=("none", 1.0)),
        samples=len(some),
    )


def _interpreted(
    network: Network, simulation: Simulation, samples: Samples, runtime: litert.RuntimeInfo, resolver: str
) -> tuple[Mapping[int, Array], str]:
    """Real values of inputs and of every tensor that the interpreter makes, ``[n, *shape]``, and what ran."""
    main = network.main
    made = tuple(dict.fromkeys(i for step in simulation.steps for i in main.operators[step].outputs))
    shown = replace(replace_subgraph(network, replace(main, outputs=made)), signatures=())
    answer = litert.invoke(write(shown), list(samples.x), runtime=runtime, resolver=resolver, real=True)
    values = {i: _entered(x, main.tensors[i]) for i, x in zip(main.inputs, samples.x, strict=True)}
    values.update({i: real(main.tensors[i], array) for i, array in zip(made, answer.arrays, strict=True)})
    return {i: array.reshape(-1, *main.tensors[i].shape) for i, array in values.items()}, answer.described


def _entered(x: Array, tensor: Tensor) -> Array:
    """The samples as the input can hold them."""
    if not is_quantized(tensor) or tensor.quantization is None:
        return np.asarray(x)
    scale, zero = tensor.quantization.scales[0], tensor.quantization.zero_points[0]
    port = Port(name=tensor.name, shape=tensor.shape, dtype=tensor.dtype, scale=scale, zero_point=zero)
    return dequantize(quantize(x, port), port)


def _close(simulated: Array, interpreted: Array, tensor: Tensor, within: float) -> Array:
    assert tensor.quantization is not None
    apart = np.abs(simulated.reshape(-1).astype(np.float64) - interpreted.reshape(-1)) / tensor.quantization.scales[0]
    # A quarter of a step is noise of float32, not another integer.
    close: Array = apart <= within + 0.25
    return close


def _mean(parts: Sequence[Array]) -> float:
    return float(np.concatenate(parts).mean()) if parts else 1.0
