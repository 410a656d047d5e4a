"""How outputs move with a layer's channels: random projections of the outputs, differentiated by weights and biases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgecompile.compress.structure.importance import IN, Contribution, readers
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_LEAST_PROBABILITY = 1e-6


def contributions(
    network: Network, x: Sequence[Array], *, rows: int = 128, batch: int = 32, seed: int = 0
) -> dict[str, Contribution]:
    """By site key: how random projections of the outputs, one a row, move with its channels.

    Each row draws ``batch`` samples and for each output value a sign r; the quantity is the sum of r · f(y), so that
    the mean square over rows estimates the mean over samples of |J δ|², the Gauss-Newton form, without labels. f gives
    the logits of probabilities (of a sure answer the probabilities hardly move, however much is cut off), else y over
    its deviation. To first order the change is the sum over the weights w of channel i of w · ∂/∂w.
    """
    from edgecompile.compress.simulate.simulation import Simulation

    simulation = Simulation(network)
    sites = readers(network)
    weights = [simulation.weights[site.key] for site in sites]
    biases = [simulation.biases[site.key] for site in sites if site.bias is not None]
    gradients = _gradients(network, simulation, [part[: 4 * batch] for part in x], [*weights, *biases])
    generator = np.random.default_rng(seed)
    collected: dict[str, list[Array]] = {}
    for _ in range(rows):
        places = generator.choice(len(x[0]), min(batch, len(x[0])), replace=False)
        found = iter(gradients([part[places] for part in x], generator))
        for site, variable in zip(sites, weights, strict=True):
            product = next(found) * variable.numpy()
            axes = tuple(axis for axis in range(product.ndim) if axis != IN[site.operator])
            collected.setdefault(f"i {site.key}", []).append(product.sum(axes) / np.sqrt(len(places)))
        for site in (site for site in sites if site.bias is not None):
            collected.setdefault(f"o {site.key}", []).append(next(found) / np.sqrt(len(places)))
    arrays = {name: np.array(several) for name, several in collected.items()}
    return {
        site.key: Contribution(inputs=arrays[f"i {site.key}"], outputs=arrays.get(f"o {site.key}")) for site in sites
    }


def _gradients(
    network: Network, simulation: Any, first: Sequence[Array], variables: Sequence[Any]
) -> Callable[[Sequence[Array], np.random.Generator], list[Array]]:
    """A function of samples that gives the gradients of their outputs, with signs drawn, by the variables."""
    from edgecompile.libs.keras import tensorflow

    tf = tensorflow()
    kinds = _kinds(network)
    scales = [float(1.0 / (np.std(y.numpy()) or 1.0)) for y in simulation([tf.constant(part) for part in first])[0]]
    shapes = [network.main.tensors[index].shape[1:] for index in network.main.outputs]

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def by(parts: Any, signs: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs, _ = simulation(parts)
            projected = [
                tf.reduce_sum(_spread(tf, y, kind, scale) * sign)
                for y, kind, scale, sign in zip(outputs, kinds, scales, signs, strict=True)
            ]
            quantity = tf.add_n(projected)
        return tape.gradient(quantity, list(variables), unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def drawn(parts: Sequence[Array], generator: np.random.Generator) -> list[Array]:
        size = len(parts[0])
        signs = [tf.constant(generator.choice(np.array([-1, 1], np.float32), (size, *shape))) for shape in shapes]
        return [tf.convert_to_tensor(found).numpy() for found in by([tf.constant(part) for part in parts], signs)]

    return drawn


def _kinds(network: Network) -> list[str]:
    """What makes each output: probabilities are told apart from values."""
    makers = {tensor: operator.name for operator in network.main.operators for tensor in operator.outputs}
    return [makers.get(index, "") for index in network.main.outputs]


def _spread(tf: Any, y: Any, kind: str, scale: float) -> Any:
    if kind == "SOFTMAX":
        logits = tf.math.log(tf.maximum(y, _LEAST_PROBABILITY))
        return logits - tf.reduce_mean(logits, axis=-1, keepdims=True)
    if kind == "LOGISTIC":
        bounded = tf.clip_by_value(y, _LEAST_PROBABILITY, 1.0 - _LEAST_PROBABILITY)
        return tf.math.log(bounded) - tf.math.log(1.0 - bounded)
    return y * scale
