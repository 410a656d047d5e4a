"""Configs of old and foreign Keras files are mended, and nothing else in them changes; no TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.frontend.bridge.arguments import decode, encode
from edgecompile.frontend.repair import repair


def layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}


POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
CASES: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "batch-shape": (
        2,
        layer("InputLayer", batch_shape=[None, 4], name="i", optional=False),
        layer("InputLayer", batch_input_shape=[None, 4], name="i"),
    ),
    "batch-input-shape": (
        3,
        layer("InputLayer", batch_input_shape=[None, 4]),
        layer("InputLayer", batch_shape=[None, 4]),
    ),
    "dtype-policy": (2, layer("Dense", units=3, dtype=POLICY), layer("Dense", units=3, dtype="float32")),
    "depthwise-keys-of-conv": (
        2,
        layer("DepthwiseConv2D", groups=1, kernel_size=[3, 3], kernel_initializer="zeros"),
        layer("DepthwiseConv2D", kernel_size=[3, 3], depthwise_initializer="zeros"),
    ),
    "depthwise-groups-in-keras-3": (
        3,
        layer("DepthwiseConv2D", groups=1, depthwise_initializer="ones", kernel_initializer="zeros"),
        layer("DepthwiseConv2D", depthwise_initializer="ones"),
    ),
    "function": (
        2,
        layer("Dense", activation={"class_name": "function", "config": "square", "module": "builtins"}),
        layer("Dense", activation="square"),
    ),
    "nothing-to-do": (2, layer("Dense", name="a/b", units=3), layer("Dense", name="a/b", units=3)),
    "nested": (
        2,
        layer("Model", layers=[layer("Model", layers=[layer("Dense", dtype=POLICY)])]),
        layer("Model", layers=[layer("Model", layers=[layer("Dense", dtype="float32")])]),
    ),
}


@pytest.mark.parametrize(("generation", "before", "after"), CASES.values(), ids=CASES)
def test_a_config_is_mended_and_the_mending_told(generation: int, before: Any, after: Any) -> None:
    mended, said = repair(before, generation)

    assert mended == after
    assert bool(said) == (before != after)
    assert repair(mended, generation) == (after, ())


def test_the_given_config_is_left_alone() -> None:
    given = layer("InputLayer", batch_shape=[None, 4])

    repair(given, 2)

    assert given == layer("InputLayer", batch_shape=[None, 4])


class Tensor:
    """Stands for a tensor of the graph."""


A, B = Tensor(), Tensor()
ARGUMENTS: dict[str, Any] = {
    "numbers": [1, 2.5, True, None, "text", 1j],
    "tensors": [A, [B, A]],
    "tuples-and-lists": [(1, (2, [3])), [A, (B,)]],
    "dict": {"a": A, 3: (1,)},
    "slices": (slice(None, 2), Ellipsis, slice(A, None, -1), None),
}


@pytest.mark.parametrize("value", ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments_survive_the_config(value: Any) -> None:
    import json

    tensors: list[Any] = []
    plain = encode(value, lambda item: isinstance(item, Tensor), tensors)

    assert decode(json.loads(json.dumps(plain)), tensors) == value


@pytest.mark.parametrize("array", [np.arange(6, dtype=np.int8).reshape(2, 3), np.float32(0.1), np.zeros((0, 3))])
def test_arrays_survive_the_config_exactly(array: Any) -> None:
    back = decode(encode(array, lambda item: False, []), [])

    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


def test_data_types_become_their_names() -> None:
    assert encode([np.dtype("int8"), np.float32], lambda item: False, []) == ["int8", "float32"]


def test_a_value_that_no_config_can_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="Tensor"):
        encode(Tensor(), lambda item: False, [])
