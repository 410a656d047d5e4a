"""Recurrent layers without loops: the quantizer takes none, and training walks through a network once."""

from __future__ import annotations

from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.units import counted
from edgecompile.libs.keras import tf_keras

# Every step becomes some ten operators of its own.
MOST_STEPS = 128


def unroll(model: Any) -> tuple[Diagnostic, ...]:
    """Let recurrent layers of a ``tf_keras.Model`` compute step by step, without a loop, from the next call on.

    An LSTM in its usual form is left: the converter makes one operator of it. So is a layer whose number of steps is
    not known or above ``MOST_STEPS``. Gives a note EC415 for each layer changed; outputs stay the same.
    """
    keras = tf_keras()
    found = []
    for layer in model._flatten_layers():
        steps = _steps(layer) if isinstance(layer, keras.layers.RNN) else None
        if steps is None or layer.unroll or _is_one_operator(layer):
            continue
        if steps <= MOST_STEPS:
            layer.unroll = True
            layer._could_use_gpu_kernel = False
            found.append(_note(layer.name, steps))
    return tuple(found)


def _is_one_operator(layer: Any) -> bool:
    """Whether the converter knows the layer as UNIDIRECTIONAL_SEQUENCE_LSTM: the form that a GPU knows too."""
    return isinstance(layer, tf_keras().layers.LSTM) and bool(getattr(layer, "_could_use_gpu_kernel", False))


def _steps(layer: Any) -> int | None:
    try:
        # Of its last call: the first may have left sizes open.
        shape = layer.get_input_shape_at(-1)
    except (AttributeError, RuntimeError):
        shape = getattr(layer, "_build_input_shape", None)
    first = shape[0] if isinstance(shape, list) else shape
    if not first or len(first) < 3:
        return None
    steps = first[0] if getattr(layer, "time_major", False) else first[1]
    return int(steps) if steps is not None else None


def _note(name: str, steps: int) -> Diagnostic:
    return Diagnostic(
        code="EC415",
        severity=Severity.NOTE,
        message=f"recurrent layer `{name}` was unrolled over its {counted(steps, 'step')}",
        location=Location(layer=name),
        notes=("integers and training have no loops; the outputs are the same",),
        help=("an LSTM in its usual form stays one operator and is smaller",),
    )
