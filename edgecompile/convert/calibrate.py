"""Ranges of activations other than the smallest and largest value seen: percentile and least squared error.

TensorFlow's converter measures min and max of every float tensor, writes them into the float
flatbuffer, and quantizes from there. Here they are replaced in between: the float model runs over
the samples once more, every activation goes into a histogram, and a range is chosen from it. All
else (weights per channel, fixed ranges of SOFTMAX and LOGISTIC, equal scales across
a reshape) stays with TensorFlow's quantizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.convert.flatbuffer import dtype_of, name_of, parse, serialize
from edgecompile.convert.ranges import BINS, Range, by_mse, by_percentile, histogram, is_finite
from edgecompile.convert.refuse import not_finite
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]
_LEVELS = {"int8": 255, "int16x8": 65534}


def measure(float_model: bytes, samples: Sequence[Mapping[str, Array]]) -> bytes:
    """The float flatbuffer with min and max of every tensor over the samples, as TensorFlow measures them.

    A sample is one array (batch included) for each name in the signature.
    """
    from tensorflow.lite.python.optimize import calibrator

    content = calibrator.add_intermediate_tensors(float_model)
    measured = calibrator.Calibrator(content).calibrate(lambda: iter(samples))
    return bytes(measured)


def refine(
    measured: bytes, samples: Sequence[Mapping[str, Array]], method: str, numerics: str, model_name: str
) -> bytes:
    """The measured flatbuffer with ranges of ``method`` (``percentile``, ``mse``) in place of min and max.

    Raises EC413 when an activation is NaN or infinite for some sample.
    """
    model = parse(measured)
    main = model.subgraphs[0]
    chosen = _measured_tensors(model)
    if method == "percentile":
        # Nothing after an output makes up for what it clips.
        chosen = [index for index in chosen if index not in main.outputs]
    for index, counts in _histograms(measured, samples, chosen).items():
        tensor = main.tensors[index]
        if not is_finite(counts):
            raise not_finite(name_of(tensor), model_name)
        observed = Range(low=float(tensor.quantization.min[0]), high=float(tensor.quantization.max[0]))
        found = _choose(counts, observed, method, numerics)
        tensor.quantization.min = np.array([found.low], np.float32)
        tensor.quantization.max = np.array([found.high], np.float32)
    return serialize(model)


def check_finite(measured: bytes, model_name: str) -> None:
    """Raise EC413 when a measured range is NaN or infinite."""
    for subgraph in parse(measured).subgraphs:
        for tensor in subgraph.tensors:
            ends = [tensor.quantization.min, tensor.quantization.max] if tensor.quantization else []
            if any(end is not None and not np.isfinite(end).all() for end in ends):
                raise not_finite(name_of(tensor), model_name)


def _choose(counts: Array, observed: Range, method: str, numerics: str) -> Range:
    if method == "percentile":
        return by_percentile(counts, observed)
    return by_mse(counts, observed, _LEVELS[numerics], symmetric=numerics == "int16x8")


def _measured_tensors(model: Any) -> list[int]:
    """Float tensors of the main subgraph that have a range and are computed (or fed)."""
    main = model.subgraphs[0]
    computed = {int(index) for operator in main.operators for index in operator.outputs} | set(map(int, main.inputs))
    return [
        index
        for index in sorted(computed)
        if dtype_of(main.tensors[index]) == "float32" and _has_range(main.tensors[index].quantization)
    ]


def _has_range(quantization: Any) -> bool:
    if quantization is None or quantization.min is None or quantization.max is None:
        return False
    return len(quantization.min) == 1 and len(quantization.max) == 1


def _histograms(model: bytes, samples: Sequence[Mapping[str, Array]], tensors: Sequence[int]) -> dict[int, Array]:
    lite = tensorflow().lite
    interpreter = lite.Interpreter(
        model_content=model,
        experimental_preserve_all_tensors=True,
        # Delegates would swallow the tensors between the operators that they fuse.
        experimental_op_resolver_type=lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    places = {name_of(port): int(port.tensorIndex) for port in parse(model).signatureDefs[0].inputs}
    interpreter.allocate_tensors()
    counts = {index: np.zeros(BINS, np.int64) for index in tensors}
    for sample in samples:
        interpreter.reset_all_variables()
        for name, array in sample.items():
            interpreter.set_tensor(places[name], array)
        interpreter.invoke()
        for index in tensors:
            counts[index] += histogram(interpreter.get_tensor(index))
    return counts
