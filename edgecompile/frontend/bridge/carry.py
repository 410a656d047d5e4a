"""Walk a Keras 3 model's graph with tf_keras tensors, layer by layer, nested models laid flat."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edgecompile.frontend.bridge.op_layer import apply_op
from edgecompile.frontend.bridge.twin_config import NoTwin
from edgecompile.frontend.bridge.twins import Twin, call_twin, host, make_twin
from edgecompile.frontend.wording import first_line
from edgecompile.libs.keras import keras3, tf_keras

_GRAPH_CALLS = ("Functional.call", "Sequential.call")

Call = Callable[[str, Any, tuple[Any, ...], dict[str, Any]], Any]


@dataclass
class Step:
    """One call of the walk: ``label`` names the layer with the nested models around it."""

    label: str
    operation: Any
    inputs: Any
    outputs: list[Any]


@dataclass
class Carried:
    """The tf_keras model, each step's tensors in it, and the twins by the source layer's identity."""

    model: Any
    steps: list[Step]
    twins: dict[int, Twin] = field(default_factory=dict)


class Uncarried(Exception):
    """A layer that cannot be carried over: its label, its class and why."""

    def __init__(self, label: str, kind: str, why: str) -> None:
        super().__init__(f"{label}: {why}")
        self.label, self.kind, self.why = label, kind, why


def walk(model: Any, inputs: list[Any], call: Call, around: str = "") -> Any:
    """Run ``call(label, operation, args, kwargs)`` for each node in order; the model's outputs in their structure.

    Functional and Sequential models inside the model are walked in turn, so that ``call`` sees layers only.
    """
    graph = getattr(model, "_functional", None) or model

    def visit(operation: Any) -> Callable[..., Any]:
        label = f"{around}{operation.name}"

        def run(*args: Any, **kwargs: Any) -> Any:
            if is_graph(operation):
                nested = args[0] if args else kwargs["inputs"]
                return walk(operation, keras3().tree.flatten(nested), call, f"{label}/")
            return call(label, operation, args, kwargs)

        return run

    return graph._run_through_graph(inputs, operation_fn=visit)


def is_graph(operation: Any) -> bool:
    """A model whose layers can be seen: functional, or Sequential and built; not a subclass with a call of its own."""
    if not isinstance(operation, keras3().Model):
        return False
    # A subclass of Model with layers of its own kind of wiring has a `call` of its own too.
    own = type(operation).call
    has_graph = getattr(operation, "_functional", None) is not None or hasattr(operation, "_nodes_by_depth")
    return has_graph and own.__module__.startswith("keras.src.models") and own.__qualname__ in _GRAPH_CALLS


def carry(model: Any) -> Carried:
    """A tf_keras functional model with a list of inputs and outputs. Raises Uncarried."""
    keras = tf_keras()
    inputs = [
        keras.Input(
            batch_shape=tuple(tensor.shape), dtype=tensor.dtype, name=safe_name(tensor._keras_history.operation.name)
        )
        for tensor in model.inputs
    ]
    names = _Names({tensor.node.layer.name for tensor in inputs})
    carried = Carried(model=None, steps=[])

    def call(label: str, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            outputs = _call(carried, names, label, operation, args, kwargs)
        except Uncarried:
            raise
        except Exception as reason:
            raise Uncarried(
                label, type(operation).__name__, f"{type(reason).__name__}: {first_line(reason)}"
            ) from reason
        carried.steps.append(Step(label, operation, (args, kwargs), keras3().tree.flatten(outputs)))
        return outputs

    outputs = keras3().tree.flatten(walk(model, inputs, call))
    carried.model = keras.Model(inputs=inputs, outputs=outputs, name=safe_name(model.name))
    return carried


def output_names(model: Any) -> list[str]:
    """Keys where a Keras 3 model's outputs are a dict, else the names of the layers that make them."""
    graph = getattr(model, "_functional", None) or model
    structure = graph._outputs_struct
    if isinstance(structure, dict):
        return sorted(structure)
    return [tensor._keras_history.operation.name for tensor in graph.outputs]


def _call(
    carried: Carried, names: _Names, label: str, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if not isinstance(operation, keras3().layers.Layer):
        kind = type(operation)
        options = {key: value for key, value in operation.get_config().items() if key != "name"}
        return apply_op(f"{kind.__module__}.{kind.__name__}", options, args, kwargs, names.new(operation.name))
    twin = carried.twins.get(id(operation))
    if twin is None:
        twin = make_twin(operation, names.new(operation.name))
    try:
        outputs = call_twin(twin, args, kwargs)
    except (NoTwin, TypeError, ValueError):
        if twin.kind == "hosted":
            raise
        twin = host(operation, names.new(operation.name))
        outputs = call_twin(twin, args, kwargs)
    for layer in twin.layers[:1]:
        layer.trainable = operation.trainable
    carried.twins[id(operation)] = twin
    return outputs


def safe_name(name: str) -> str:
    """A layer name that TensorFlow takes as a scope: Keras 3 allows blanks and more."""
    cleaned = re.sub(r"[^A-Za-z0-9_.\-]", "_", name)
    return cleaned if re.match(r"[A-Za-z0-9.]", cleaned) else f"x{cleaned}"


class _Names:
    """Unique layer names: those of nested models may collide once the models are laid flat."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken

    def new(self, wanted: str) -> str:
        name, count = safe_name(wanted), 1
        while name in self._taken:
            name, count = f"{safe_name(wanted)}_{count}", count + 1
        self._taken.add(name)
        return name
