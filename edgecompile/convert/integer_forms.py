"""Operators that have no integer form in TensorFlow Lite, as others that have one; equal but for the order of sums.

    SQUARE(x)              ->  MUL(x, x)
    ELU(x)                 ->  max(x, 0) + (exp(min(x, 0)) - 1)
    CAST(bool to float32)  ->  SELECT_V2(x, 1, 0)
    CONV_3D(x, w)          ->  CONV_2D over planes: each output plane sees its k input planes as k times the channels

They are float32 networks on their way to the quantizer, which would leave such operators in float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgecompile.ir.build import settings
from edgecompile.ir.compact import drop_unused
from edgecompile.ir.network import Buffer, Network, Operator, Tensor
from edgecompile.ir.rewrite import replace_subgraph
from edgecompile.ir.versions import version_of

Array = np.ndarray[Any, Any]


def with_integer_forms(network: Network) -> Network:
    """The network with such operators of its main subgraph replaced; the very network where there are none."""
    main = network.main
    if not any(operator.name in _FORMS for operator in main.operators):
        return network
    work = _Work(tensors=list(main.tensors))
    for operator in main.operators:
        form = _FORMS.get(operator.name, _as_it_is)
        form(work, operator)
    if list(main.operators) == work.operators:
        return network
    changed = replace(main, tensors=tuple(work.tensors), operators=tuple(work.operators))
    return drop_unused(replace_subgraph(network, changed))


@dataclass(kw_only=True)
class _Work:
    """The subgraph as it grows."""

    tensors: list[Tensor]
    operators: list[Operator] = field(default_factory=list)

    def tensor(self, name: str, shape: tuple[int, ...]) -> int:
        """A float32 value that an operator computes."""
        self.tensors.append(Tensor(name=name, shape=shape, dtype="float32"))
        return len(self.tensors) - 1

    def constant(self, name: str, array: Array) -> int:
        """A constant."""
        data = Buffer(np.ascontiguousarray(array).tobytes())
        self.tensors.append(Tensor(name=name, shape=array.shape, dtype=array.dtype.name, buffer=data))
        return len(self.tensors) - 1

    def op(self, name: str, inputs: list[int], outputs: list[int], **options: Any) -> None:
        """An operator that computes in float32."""
        self.operators.append(
            Operator(
                name=name,
                inputs=tuple(inputs),
                outputs=tuple(outputs),
                options=settings(name, options),
                version=version_of(name, "float32"),
            )
        )


def _as_it_is(work: _Work, operator: Operator) -> None:
    work.operators.append(operator)


def _elu(work: _Work, operator: Operator) -> None:
    x, y = operator.inputs[0], operator.outputs[0]
    name, shape = work.tensors[y].name, work.tensors[y].shape
    below, grown, less, above = (work.tensor(f"{name}/{word}", shape) for word in ("below", "exp", "less", "above"))
    work.op("MINIMUM", [x, work.constant(f"{name}/zero", np.zeros((), np.float32))], [below])
    work.op("EXP", [below], [grown])
    work.op("SUB", [grown, work.constant(f"{name}/one", np.ones((), np.float32))], [less])
    work.op("RELU", [x], [above])
    work.op("ADD", [above, less], [y], fused_activation_function="NONE")


def _cast(work: _Work, operator: Operator) -> None:
    given, made = work.tensors[operator.inputs[0]], work.tensors[operator.outputs[0]]
    if (given.dtype, made.dtype) != ("bool", "float32"):
        work.operators.append(operator)
        return
    one = work.constant(f"{made.name}/one", np.ones((), np.float32))
    zero = work.constant(f"{made.name}/zero", np.zeros((), np.float32))
    work.op("SELECT_V2", [operator.inputs[0], one, zero], list(operator.outputs))


def _square(work: _Work, operator: Operator) -> None:
    x = operator.inputs[0]
    work.op("MUL", [x, x], list(operator.outputs), fused_activation_function="NONE")


def _conv_3d(work: _Work, operator: Operator) -> None:
    """TFLite's CONV_3D: x [1, d, h, w, i], w [kd, kh, kw, i, o], y [1, od, oh, ow, o]."""
    given, stored, made = (work.tensors[i] for i in (*operator.inputs[:2], operator.outputs[0]))
    weights = stored.array
    options = operator.options
    if weights is None or given.shape[0] != 1:
        work.operators.append(operator)
        return
    name, (_, deep, high, wide, channels), planes = made.name, given.shape, made.shape[1]
    flat = work.tensor(f"{name}/flat", (deep, high, wide, channels))
    work.op(
        "RESHAPE", [operator.inputs[0], work.constant(f"{name}/flat_shape", _ints(deep, high, wide, channels))], [flat]
    )
    padded, deep = _padded(work, name, flat, deep, planes, weights.shape[0], options)
    seen = [_plane(work, name, padded, number, planes, deep, options) for number in range(weights.shape[0])]
    joined = work.tensor(f"{name}/joined", (planes, high, wide, channels * len(seen)))
    work.op("CONCATENATION", seen, [joined], axis=3, fused_activation_function="NONE")
    # [kd, kh, kw, i, o] -> [o, kh, kw, kd * i], in the order of the joined channels.
    kernel = np.transpose(weights, (4, 1, 2, 0, 3)).reshape(weights.shape[4], *weights.shape[1:3], -1)
    bias = operator.inputs[2] if len(operator.inputs) > 2 else -1
    if bias < 0:  # the quantizer wants one
        bias = work.constant(f"{name}/bias", np.zeros(weights.shape[4], np.float32))
    result = work.tensor(f"{name}/planes", (planes, *made.shape[2:]))
    work.op(
        "CONV_2D",
        [joined, work.constant(f"{name}/weights", kernel), bias],
        [result],
        padding=options["padding"],
        stride_h=options["stride_h"],
        stride_w=options["stride_w"],
        dilation_h_factor=options["dilation_h_factor"],
        dilation_w_factor=options["dilation_w_factor"],
        fused_activation_function=options["fused_activation_function"],
    )
    work.op("RESHAPE", [result, work.constant(f"{name}/shape", _ints(*made.shape))], list(operator.outputs))


def _padded(
    work: _Work, name: str, flat: int, deep: int, planes: int, kernel: int, options: Mapping[str, Any]
) -> tuple[int, int]:
    """The planes with zeros before and behind as SAME asks for, and how many there are then."""
    span = (kernel - 1) * options["dilation_d_factor"] + 1
    lacking = max((planes - 1) * options["stride_d"] + span - deep, 0)
    if options["padding"] != "SAME" or lacking == 0:
        return flat, deep
    shape = work.tensors[flat].shape
    padded = work.tensor(f"{name}/padded", (deep + lacking, *shape[1:]))
    margins = np.array([[lacking // 2, lacking - lacking // 2], [0, 0], [0, 0], [0, 0]], np.int32)
    work.op("PAD", [flat, work.constant(f"{name}/margins", margins)], [padded])
    return padded, deep + lacking


def _plane(work: _Work, name: str, padded: int, number: int, planes: int, deep: int, options: Mapping[str, Any]) -> int:
    """For every output plane, the input plane that lies under plane ``number`` of its kernel."""
    shape = work.tensors[padded].shape
    first = number * options["dilation_d_factor"]
    last = first + (planes - 1) * options["stride_d"] + 1
    part = work.tensor(f"{name}/plane_{number}", (planes, *shape[1:]))
    ends = [
        work.constant(f"{name}/plane_{number}_{word}", _ints(*values))
        for word, values in (
            ("begin", (first, 0, 0, 0)),
            ("end", (min(last, deep), *shape[1:])),
            ("strides", (options["stride_d"], 1, 1, 1)),
        )
    ]
    work.op("STRIDED_SLICE", [padded, *ends], [part])
    return part


def _ints(*values: int) -> Array:
    return np.array(values, np.int32)


_FORMS: Mapping[str, Callable[[_Work, Operator], None]] = {
    "SQUARE": _square,
    "ELU": _elu,
    "CAST": _cast,
    "CONV_3D": _conv_3d,
}
