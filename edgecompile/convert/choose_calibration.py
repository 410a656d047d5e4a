"""Which ranges of activations suit a model: every method tried on some samples, and judged on the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.convert.flatbuffer import parse
from edgecompile.core.recipe import AUTO, CALIBRATIONS
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]
Sample = Mapping[str, Array]
METHODS = tuple(method for method in CALIBRATIONS if method != AUTO)
# Every fourth sample judges: spread, since data may be sorted by class.
_EVERY = 4


def choose(float_model: bytes, samples: Sequence[Sample], quantize: Callable[[str, Sequence[Sample]], bytes]) -> str:
    """The method whose integer model is nearest to the float one on samples that it was not calibrated with.

    ``quantize`` gives the integer model of a method and samples. Nearest is the least squared difference of the
    outputs, each relative to how much it varies. The first method where samples are too few to spare any, or methods
    do as well as each other.
    """
    judges = samples[_EVERY - 1 :: _EVERY]
    if not judges:
        return METHODS[0]
    others = [sample for place, sample in enumerate(samples) if place % _EVERY != _EVERY - 1]
    wanted = _answers(float_model, judges)
    errors = [_error(_answers(quantize(method, others), judges), wanted) for method in METHODS]
    return METHODS[int(np.argmin(errors))]


def _error(found: Sequence[Array], wanted: Sequence[Array]) -> float:
    """The mean squared difference over the variance, summed over outputs."""
    return sum(
        float(np.square(one - other).mean() / max(float(other.var()), 1e-12))
        for one, other in zip(found, wanted, strict=True)
    )


def _answers(content: bytes, samples: Sequence[Sample]) -> list[Array]:
    """Real-valued outputs, samples first, in the order of the model's signature."""
    lite = tensorflow().lite
    interpreter = lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    details = {one["index"]: one for one in interpreter.get_tensor_details()}
    signature = parse(content).signatureDefs[0]
    inputs = {_text(port.name): details[int(port.tensorIndex)] for port in signature.inputs}
    outputs = [details[int(port.tensorIndex)] for port in sorted(signature.outputs, key=lambda port: _text(port.name))]
    rows: list[list[Array]] = []
    for sample in samples:
        interpreter.reset_all_variables()
        for name, array in sample.items():
            interpreter.set_tensor(inputs[name]["index"], _stored(array, inputs[name]))
        interpreter.invoke()
        rows.append([_real(interpreter.get_tensor(one["index"]), one) for one in outputs])
    return [np.stack(several) for several in zip(*rows, strict=True)]


def _stored(array: Array, port: Mapping[str, Any]) -> Array:
    """Real values as an input of integers stores them; anything else as it is."""
    scale, zero_point = port["quantization"]
    if scale == 0 or array.dtype.kind != "f" or np.dtype(port["dtype"]).kind == "f":
        return array
    limits = np.iinfo(port["dtype"])
    stored: Array = np.clip(np.round(array / scale) + zero_point, limits.min, limits.max).astype(port["dtype"])
    return stored


def _real(array: Array, port: Mapping[str, Any]) -> Array:
    scale, zero_point = port["quantization"]
    return array.astype(np.float64) if scale == 0 else (array.astype(np.float64) - zero_point) * scale


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
