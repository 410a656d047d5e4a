"""Arguments of an operation as JSON types, with its tensors replaced by their number, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def encode(value: Any, is_tensor: Callable[[Any], bool], tensors: list[Any]) -> Any:
    """JSON types for ``value``; each tensor met is appended to ``tensors`` (once) and becomes its index.

    Raises TypeError for a value that no config can hold.
    """
    if is_tensor(value):
        index = next((i for i, seen in enumerate(tensors) if seen is value), len(tensors))
        if index == len(tensors):
            tensors.append(value)
        return {"tensor": index}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, (list, tuple)):
        items = [encode(item, is_tensor, tensors) for item in value]
        return items if type(value) is list else {"tuple": items}
    if isinstance(value, dict):
        return {"dict": [[key, encode(item, is_tensor, tensors)] for key, item in value.items()]}
    if isinstance(value, slice):
        return {"slice": [encode(part, is_tensor, tensors) for part in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    return _encode_data(value)


def decode(plain: Any, tensors: Sequence[Any]) -> Any:
    """The inverse of :func:`encode`."""
    if isinstance(plain, (list, tuple)):
        return [decode(item, tensors) for item in plain]
    if not isinstance(plain, dict):
        return plain
    (kind, content), *_ = plain.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(decode(item, tensors) for item in content)
    if kind == "dict":
        return {key: decode(item, tensors) for key, item in content}
    if kind == "slice":
        return slice(*(decode(part, tensors) for part in content))
    if kind == "ellipsis":
        return Ellipsis
    if kind == "complex":
        return complex(*content)
    return np.array(content["values"], dtype=content["dtype"]).reshape(content["shape"])


def _encode_data(value: Any) -> Any:
    """Data types by name; NumPy scalars and arrays, tensors with a value and variables as nested lists."""
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if hasattr(value, "as_numpy_dtype"):  # tf.DType
        return str(value.name)
    if hasattr(value, "as_list") and hasattr(value, "rank"):  # tf.TensorShape
        return {"tuple": list(value.as_list())}
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "fiub":
            return {
                "array": {"values": array.reshape(-1).tolist(), "dtype": array.dtype.name, "shape": list(array.shape)}
            }
    raise TypeError(f"a value of type `{type(value).__name__}` has no place in a layer's config")
