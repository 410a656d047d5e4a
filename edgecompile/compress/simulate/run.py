"""A network's answers to samples, in batches: what scoring and calibration read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.compress.simulate.quantizers import is_quantized
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.subject import Held
from edgecompile.ir.network import Network
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]


def reals(network: Network, x: Sequence[Array]) -> tuple[Array, ...]:
    """Samples as a simulation takes them: real numbers, also where an input holds integers of their very type.

    Pixels in uint8 are values to a uint8 input with a scale, not the integers that it stores.
    """
    tensors = (network.main.tensors[index] for index in network.main.inputs)
    pairs = zip(x, tensors, strict=True)
    return tuple(array.astype(np.float32) if is_quantized(tensor) else array for array, tensor in pairs)


def run(
    network: Network,
    x: Sequence[Array],
    batch: int = 64,
    watch: Sequence[int] = (),
    held: Mapping[str, Held] | None = None,
) -> tuple[tuple[Array, ...], dict[int, Array]]:
    """Outputs in the network's order and watched tensors, real numbers, samples first; see :class:`Simulation`."""
    return run_simulation(Simulation(network, held=held), x, batch=batch, watch=watch)


def run_simulation(
    simulation: Simulation, x: Sequence[Array], batch: int = 64, watch: Sequence[int] = ()
) -> tuple[tuple[Array, ...], dict[int, Array]]:
    """The same for a simulation under training, with the weights it has now."""
    tf = tensorflow()
    infer = tf.function(lambda *parts: simulation(parts, watch=watch), autograph=False, reduce_retracing=True)
    pieces = []
    for start in range(0, len(x[0]), batch):
        outputs, watched = infer(*(tf.constant(array[start : start + batch]) for array in x))
        pieces.append(([y.numpy() for y in outputs], {i: value.numpy() for i, value in watched.items()}))
    joined = tuple(np.concatenate([piece[0][i] for piece in pieces]) for i in range(len(pieces[0][0])))
    return joined, {index: np.concatenate([piece[1][index] for piece in pieces]) for index in watch}
