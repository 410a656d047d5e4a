"""What cannot be converted, found in the flatbuffer: loops, state between calls, operators left in float."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from edgecompile.convert.flatbuffer import dtype_of, layer_of_operator, name_of, operator_name
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, RejectedError, rejected
from edgecompile.ir.layer_names import layer_of

_LOOPS = ("WHILE", "IF")
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
_VARIABLES = ("VAR_HANDLE",)
_LISTED = 8


def state(model: Any, model_name: str) -> None:
    """Raise EC409 when the model keeps resource variables between calls."""
    found = named(model, model_name, _VARIABLES)
    if found:
        raise _listed(
            found,
            rejected(
                "EC409",
                "the model keeps state between calls in variables",
                _place(found),
                help=["make the layer stateless (`stateful=False`), and pass the state in and out as tensors"],
            ),
        )


def loops(model: Any, model_name: str, numerics: str, recurrent: Sequence[str]) -> None:
    """Raise EC408 when a loop is left, which the quantizer cannot handle (it ends the process, TF 2.20).

    ``recurrent``: Keras layers that loop, named where the flatbuffer does not tell.
    """
    found = named(model, model_name, _LOOPS)
    if found:
        layer = found[0][1] or (recurrent[0] if recurrent else None)
        raise _listed(
            found,
            rejected(
                "EC408",
                f"a loop cannot be quantized to `{numerics}`",
                Location(layer=layer),
                notes=[f"recurrent layers that loop: {', '.join(recurrent)}"] if recurrent else [],
                help=[
                    "unroll it: `unroll=True` in the layer, and a fixed number of time steps in the input",
                    "LSTM layers without unrolling become one operator and need no loop",
                ],
            ),
        )


def idle_inputs(model: Any, numerics: str) -> None:
    """Raise EC414 for an input that nothing reads: it has no range, so it cannot be quantized."""
    main = model.subgraphs[0]
    read = {int(index) for operator in main.operators for index in operator.inputs} | set(map(int, main.outputs))
    for index in main.inputs:
        if index not in read and dtype_of(main.tensors[index]).startswith("float"):
            name = name_of(main.tensors[index])
            raise rejected(
                "EC414",
                f"input `{name}` has no effect on the outputs, so it cannot be quantized to `{numerics}`",
                Location(layer=name),
                notes=["no operator reads it, and without values it has no range"],
                help=["remove the input from the model, or connect it"],
            )


def computed_in_float(quantized: Any, float_model: Any, model_name: str, numerics: str) -> None:
    """Raise EC407 when operators of ``quantized`` compute in float.

    Layers that the quantizer's own tensors hide are looked up in the float model it came from.
    """
    found = []
    for name, layer in computing_in_float(quantized, model_name):
        others = {other for _, other in named(float_model, model_name, (name,)) if other}
        found.append((name, layer or (others.pop() if len(others) == 1 else None)))
    if found:
        raise left_in_float(found, numerics)


def converted_inside(model: Any, model_name: str, numerics: str, io_dtype: str) -> None:
    """Raise EC407 for a QUANTIZE or DEQUANTIZE that is not at the ends of a model with ``io_dtype`` float32."""
    found = [
        (operator_name(model, operator), layer_of_operator(subgraph, operator, model_name))
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if _touches_float(subgraph, operator) and not (io_dtype == "float32" and _at_an_end(subgraph, operator))
    ]
    if found:
        raise left_in_float(found, numerics)


def endless_scales(model: Any, model_name: str) -> None:
    """Raise EC413 when a scale is infinite or no number: the float model overflows on its way."""
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            scales = tensor.quantization.scale if tensor.quantization else None
            if scales is not None and not all(math.isfinite(scale) for scale in scales):
                raise not_finite(name_of(tensor), model_name)


def not_finite(tensor_name: str, model_name: str) -> EdgecompileError:
    """EC413 for an activation that is not a finite number; to be raised by the caller."""
    layer = layer_of(tensor_name, model_name)
    return rejected(
        "EC413",
        "an activation is NaN or infinite on calibration data",
        Location(layer=layer) if layer else Location(detail=f"tensor `{tensor_name}`"),
        notes=["no range of integers can stand for it"],
        help=["look at what this layer gives for the calibration samples: a division by zero, an overflow?"],
    )


def left_in_float(found: Sequence[tuple[str, str | None]], numerics: str) -> EdgecompileError:
    """EC407 for operators (and their layers) that would stay in float; to be raised by the caller."""
    hint = "replace the layer by one that can be quantized, or choose other numerics (`float32`, `float16`)"
    if "RANDOM" in found[0][0]:
        hint = "the layer draws random numbers when it runs, as dropout does with `training=True`: call it without"
    return _listed(
        found,
        rejected(
            "EC407",
            f"`{found[0][0]}` cannot be quantized to `{numerics}`",
            _place(found),
            notes=["every operator has to compute in integers; TensorFlow has no integer form of these"],
            help=[hint],
        ),
    )


def computing_in_float(model: Any, model_name: str) -> list[tuple[str, str | None]]:
    """Operators (and layers) with a float input or output, QUANTIZE and DEQUANTIZE aside."""
    return [
        (operator_name(model, operator), layer_of_operator(subgraph, operator, model_name))
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if _touches_float(subgraph, operator) and operator_name(model, operator) not in _CONVERSIONS
    ]


def _touches_float(subgraph: Any, operator: Any) -> bool:
    ends = [int(index) for index in [*operator.inputs, *operator.outputs] if index >= 0]
    return any(dtype_of(subgraph.tensors[index]) in ("float32", "float16") for index in ends)


def _at_an_end(subgraph: Any, operator: Any) -> bool:
    return operator.inputs[0] in subgraph.inputs or operator.outputs[0] in subgraph.outputs


def named(
    model: Any, model_name: str, names: Sequence[str], recurrent: Sequence[str] = ()
) -> list[tuple[str, str | None]]:
    """The operators of these names, with their layers, in order.

    Tensors of fused LSTM layers bear no layer's name: a single layer of ``recurrent`` must be the one.
    """
    found = []
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            name = operator_name(model, operator)
            layer = layer_of_operator(subgraph, operator, model_name)
            if layer is None and "SEQUENCE" in name and len(recurrent) == 1:
                layer = recurrent[0]
            if name in names:
                found.append((name, layer))
    return found


def _place(found: Sequence[tuple[str, str | None]]) -> Location | None:
    layer = next((layer for _, layer in found if layer), None)
    return Location(layer=layer) if layer else None


def _listed(found: Sequence[tuple[str, str | None]], error: EdgecompileError) -> EdgecompileError:
    """The error with the operators as notes, the ones past the eighth counted."""
    texts = list(dict.fromkeys(f"`{name}`" + (f" of layer `{layer}`" if layer else "") for name, layer in found))
    notes = texts[:_LISTED] + ([f"and {len(texts) - _LISTED} more"] if len(texts) > _LISTED else [])
    diagnostic = error.diagnostics[0]
    return RejectedError(replace(diagnostic, notes=(*diagnostic.notes, *notes), consequences=max(len(found) - 1, 0)))
