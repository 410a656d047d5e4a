"""How outputs move with weights: random projections of the outputs, differentiated by the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.compress.structure.importance import IN, readers
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_LEAST_PROBABILITY = 1e-6


def contributions(
    network: Network, x: Sequence[Array], *, rows: int = 128, batch: int = 32, seed: int = 0
) -> dict[str, Array]:
    """By site key ``[rows, i]``: how a random projection of the outputs moves when input channel i is cut off there.

    Each row draws ``batch`` samples and for each output value a sign r; the quantity is the sum of r · f(y), so that
    the mean square over rows estimates the mean over samples of |J δ|², the Gauss-Newton form, without labels. f gives
    the logits of probabilities (of a sure answer the probabilities hardly move, however much is cut off), else y over
    its deviation. To first order the change is the sum over the weights w of channel i of w · ∂/∂w.
    """
    from edgecompile.compress.simulate.simulation import Simulation
    from edgecompile.libs.keras import tensorflow

    tf = tensorflow()
    simulation = Simulation(network)
    sites = readers(network)
    variables = [simulation.weights[site.key] for site in sites]
    kinds = _kinds(network)
    generator = np.random.default_rng(seed)
    first = [part[: 4 * batch] for part in x]
    scales = [float(1.0 / (np.std(y.numpy()) or 1.0)) for y in simulation([tf.constant(part) for part in first])[0]]

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def gradients(parts: Any, signs: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs, _ = simulation(parts)
            projected = [
                tf.reduce_sum(_spread(tf, y, kind, scale) * sign)
                for y, kind, scale, sign in zip(outputs, kinds, scales, signs, strict=True)
            ]
            quantity = tf.add_n(projected)
        found = tape.gradient(quantity, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [gradient * variable for gradient, variable in zip(found, variables, strict=True)]

    collected: list[list[Array]] = [[] for _ in sites]
    for _ in range(rows):
        places = generator.choice(len(x[0]), min(batch, len(x[0])), replace=False)
        shapes = [network.main.tensors[index].shape[1:] for index in network.main.outputs]
        signs = [
            tf.constant(generator.choice(np.array([-1, 1], np.float32), (len(places), *shape))) for shape in shapes
        ]
        products = gradients([tf.constant(part[places]) for part in x], signs)
        for kept, site, product in zip(collected, sites, products, strict=True):
            axes = [axis for axis in range(len(product.shape)) if axis != IN[site.operator]]
            kept.append(tf.reduce_sum(product, axes).numpy() / np.sqrt(len(places)))
    return {site.key: np.array(kept) for site, kept in zip(sites, collected, strict=True)}


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
