"""A Keras model as a TensorFlow function of one sample, with names of our own at its ends.

The batch is fixed to 1: shapes are static then, and LSTM layers become one operator. Arguments
and results are numbered, since the converter sorts them by name; ``interface.py`` puts the model's
own names and order back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgecompile.convert.inputs import Input, sample_shape
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import rejected
from edgecompile.libs.keras import tensorflow, tf_keras


@dataclass(frozen=True, kw_only=True)
class Traced:
    """``function`` takes ``input_0...`` and gives ``output_0...``, in the order of ``inputs`` and ``output_names``.

    ``holder`` keeps the variables alive and is what the converter saves along with the function.
    """

    function: Any
    holder: Any
    name: str
    inputs: tuple[Input, ...]
    output_names: tuple[str, ...]
    recurrent: tuple[str, ...]


def trace(model: Any) -> Traced:
    """Trace a built ``tf_keras.Model`` for inference.

    Raises EC405 and EC412 for inputs that cannot be, EC410 when the model does not take a single sample.
    """
    tf = tensorflow()
    inputs = tuple(
        Input(name=name, shape=tuple(tensor.shape), dtype=tensor.dtype.name)
        for name, tensor in zip(model.input_names, model.inputs, strict=True)
    )
    specs = {
        f"input_{index}": tf.TensorSpec([1, *sample_shape(port)], port.dtype, name=f"input_{index}")
        for index, port in enumerate(inputs)
    }
    keys: list[str] = []

    def one_sample(**samples: Any) -> dict[str, Any]:
        ordered = [samples[name] for name in specs]
        given = ordered[0] if len(ordered) == 1 else ordered
        named = _named(model, model(given, training=False))
        keys[:] = [name for name, _ in named]
        return {f"output_{index}": tensor for index, (_, tensor) in enumerate(named)}

    try:
        function = tf.function(one_sample, autograph=False).get_concrete_function(**specs)
    except Exception as error:
        raise rejected(
            "EC410",
            "the model cannot be run on a single sample",
            Location(layer=model.name),
            notes=[f"{type(error).__name__}: {_first_line(error)}"],
            help=["devices take one sample at a time: build the model with a free batch size, or with batch size 1"],
        ) from error
    return Traced(
        function=function,
        holder=_holder(tf, model, function),
        name=model.name,
        inputs=inputs,
        output_names=tuple(keys),
        recurrent=tuple(layer.name for layer in _loops(model)),
    )


def _holder(tf: Any, model: Any, function: Any) -> Any:
    """All variables and nothing else: saving the Keras model itself would trace its layers anew, 20 s for an LSTM."""
    holder = tf.Module()
    holder.held = [*model.variables, *function.graph.variables]
    return holder


def _named(model: Any, outputs: Any) -> list[tuple[str, Any]]:
    if isinstance(outputs, dict):
        return [(str(name), tensor) for name, tensor in outputs.items()]
    tensors = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    return list(zip(model.output_names, tensors, strict=True))


def _loops(model: Any) -> list[Any]:
    """Recurrent layers that are not unrolled, wherever they are nested."""
    rnn = tf_keras().layers.RNN
    return [layer for layer in model._flatten_layers() if isinstance(layer, rnn) and not layer.unroll]


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [""])[0][:300]
