"""Do the two models compute the same? Run both on seeded random inputs and compare layer by layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.frontend.bridge.carry import Carried, Step, walk
from edgecompile.libs.keras import keras3, tf_keras

# Float32 sums in another order differ by a few units in the last place (6e-8); a wrong layer by far more than this.
LIMIT = 1e-5
SEED = 20
SAMPLES = 2
INTEGERS_BELOW = 10


@dataclass(frozen=True)
class Comparison:
    """``difference``: of the outputs, relative to the largest, before a last softmax. ``first``: the first step in
    order of computation that differs by more than LIMIT, with its difference; None: none does."""

    difference: float
    first: tuple[str, str, float] | None


def compare(model: Any, carried: Carried) -> Comparison:
    """Run the Keras 3 model and its twin on the same inputs."""
    values = random_inputs(model)
    with _without_last_softmax(model, carried):
        theirs = _run_source(model, values)
        ours = _run_twin(carried, values)
    first, by_step = None, []
    for step, mine in zip(theirs, ours, strict=True):
        by_step.append([relative_difference(a, b) for a, b in zip(step.outputs, mine, strict=True)])
        worst = max(by_step[-1], default=0.0)
        if worst > LIMIT and first is None:
            first = (step.label, type(step.operation).__name__, worst)
    return Comparison(difference=_of_outputs(carried, by_step), first=first)


def relative_difference(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """max |a - b| / max |a| over the elements finite in either; infinite when shapes or non-finite elements differ."""
    if a.shape != b.shape:
        return float("inf")
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(a)
    if not np.array_equal(finite, np.isfinite(b)):
        return float("inf")
    if not finite.any():
        return float("inf")  # nothing can be compared, so nothing was shown
    difference = float(np.max(np.abs(a[finite] - b[finite])))
    largest = float(np.max(np.abs(a[finite])))
    return difference / largest if largest else difference


def random_inputs(model: Any) -> list[np.ndarray[Any, Any]]:
    """Seeded inputs of the model's shapes: normal floats; integers below the smallest table that may look them up."""
    generator = np.random.default_rng(SEED)
    below = min([INTEGERS_BELOW, *_table_sizes(model)])
    return [_random(generator, tuple(tensor.shape), tensor.dtype, below) for tensor in model.inputs]


def _random(
    generator: np.random.Generator, shape: tuple[int | None, ...], dtype: str, below: int
) -> np.ndarray[Any, Any]:
    sizes = [SAMPLES if size is None else size for size in shape]
    if dtype == "bool":
        return generator.integers(0, 2, sizes).astype(bool)
    if dtype.startswith(("int", "uint")):
        return generator.integers(0, below, sizes).astype(dtype)
    return generator.normal(size=sizes).astype(dtype)


def _table_sizes(model: Any) -> list[int]:
    """Integers at or beyond an embedding's size have no row."""
    sizes = []
    for layer in model._flatten_layers():
        size = getattr(layer, "input_dim", None)
        if type(layer).__name__.endswith("Embedding") and isinstance(size, int):
            sizes.append(size)
    return sizes


def _run_source(model: Any, values: list[np.ndarray[Any, Any]]) -> list[Step]:
    steps: list[Step] = []

    def call(label: str, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = {key: value for key, value in kwargs.items() if key != "training"}
        if getattr(operation, "_call_has_training_arg", False):
            given["training"] = False
        outputs = operation(*args, **given)
        flat = [np.asarray(output) for output in keras3().tree.flatten(outputs)]
        steps.append(Step(label, operation, None, flat))
        return outputs

    walk(model, [keras3().ops.convert_to_tensor(value) for value in values], call)
    _reset_states(model)
    return steps


def _run_twin(carried: Carried, values: list[np.ndarray[Any, Any]]) -> list[list[np.ndarray[Any, Any]]]:
    """Every step's outputs, in one run of a model that gives all of them."""
    tensors = [tensor for step in carried.steps for tensor in step.outputs]
    probe = tf_keras().Model(inputs=carried.model.inputs, outputs=tensors)
    flat = iter([np.asarray(value) for value in _as_list(probe(values, training=False))])
    _reset_states(carried.model)
    return [[next(flat) for _ in step.outputs] for step in carried.steps]


def _as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _reset_states(model: Any) -> None:
    """Stateful layers remember the comparison otherwise."""
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_states"):
            layer.reset_states()
        elif getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
            layer.reset_state()


def _of_outputs(carried: Carried, by_step: list[list[float]]) -> float:
    """The worst difference among the steps that make the model's outputs; a softmax operation's input stands for it."""
    made_by = {id(tensor): (i, j) for i, step in enumerate(carried.steps) for j, tensor in enumerate(step.outputs)}
    worst = 0.0
    for output in carried.model.outputs:
        place = made_by.get(id(output))
        if place is not None and is_softmax(carried.steps[place[0]].operation):
            before = keras3().tree.flatten(carried.steps[place[0]].inputs)
            place = next((made_by[id(tensor)] for tensor in before if id(tensor) in made_by), place)
        if place is not None:
            worst = max(worst, by_step[place[0]][place[1]])
    return worst


def is_softmax(operation: Any) -> bool:
    """A step that does nothing but softmax."""
    return type(operation).__name__ == "Softmax" or (
        type(operation).__name__ == "Activation" and getattr(operation.activation, "__name__", "") == "softmax"
    )


@contextlib.contextmanager
def _without_last_softmax(model: Any, carried: Carried) -> Iterator[None]:
    """Layers that give an output through a softmax of their own are linear while this is open, on both sides."""
    made_by = {id(tensor): step.operation for step in carried.steps for tensor in step.outputs}
    pairs: list[tuple[Any, Any]] = []
    for output in carried.model.outputs:
        operation = made_by.get(id(output))
        twin = carried.twins.get(id(operation))
        if twin is None or twin.kind != "twin" or is_softmax(operation) or not twin.layers:
            continue
        if getattr(getattr(operation, "activation", None), "__name__", "") == "softmax":
            pairs.append((operation, twin.layers[0]))
    before = [(source.activation, twin.activation) for source, twin in pairs]
    try:
        for source, twin in pairs:
            source.activation, twin.activation = keras3().activations.linear, tf_keras().activations.linear
        yield
    finally:
        for (source, twin), (theirs, ours) in zip(pairs, before, strict=True):
            source.activation, twin.activation = theirs, ours
