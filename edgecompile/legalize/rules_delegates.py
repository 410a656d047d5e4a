"""Rules of delegates on what an operator computes with at run time, and on how many of it there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edgecompile.legalize.context import Context

# Settings that count elements or steps; where an operator has them, they are above 0.
_STEPS = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor", "filter_height", "filter_width")


def runtime_inputs(context: Context, limit: Sequence[int]) -> str | None:
    """of its inputs {limit} are computed at run time

    build the model so that weights, sizes and axes are fixed when it is converted, and constants are folded
    """
    given = [position for position, index in enumerate(context.operator.inputs) if index >= 0]
    count = sum(not context.is_constant(position) for position in given)
    return None if count in limit else f"{count} of {len(given)} inputs"


def runtime_dtypes(context: Context, limit: Sequence[str]) -> str | None:
    """its inputs that are computed at run time are of type {limit}

    cast them in the model, or keep the integer arithmetic out of it
    """
    for position, tensor in enumerate(context.inputs):
        if tensor is not None and not context.is_constant(position) and tensor.dtype not in limit:
            return f"input {position} is {tensor.dtype}"
    return None


def computes_in(context: Context, limit: Sequence[str]) -> str | None:
    """everything that it reads or writes at run time is of type {limit}

    compute it in one of these types, or move it to the beginning or end of the model, where it cuts nothing off
    """
    return next((tensor.dtype for tensor in context.activations if tensor.dtype not in limit), None)


def output_counts(context: Context, limit: Sequence[int]) -> str | None:
    """it has {limit} outputs

    split in several steps
    """
    count = len(context.operator.outputs)
    return None if count in limit else str(count)


def given_inputs(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} are not left out

    give the layer a bias: `use_bias=True`
    """
    return next((f"input {position} is left out" for position in limit if context.input(position) is None), None)


def input_ranks(context: Context, limit: Mapping[str, Sequence[int]]) -> str | None:
    """the numbers of dimensions of its inputs are {limit}

    reshape the inputs
    """
    for position, allowed in limit.items():
        tensor = context.input(int(position))
        if tensor is not None and len(tensor.shape) not in allowed:
            return f"input {position} is {tensor}"
    return None


def output_ranks(context: Context, limit: Sequence[int]) -> str | None:
    """its output has {limit} dimensions

    reshape before the layer and back after it
    """
    return next((str(tensor) for tensor in context.outputs if len(tensor.shape) not in limit), None)


def max_ranks(context: Context, limit: int) -> str | None:
    """nothing that it reads or writes has more than {limit} dimensions

    reshape to fewer dimensions before the layer and back after it
    """
    tensors = (*context.inputs, *context.outputs)
    return next((str(tensor) for tensor in tensors if tensor is not None and len(tensor.shape) > limit), None)


def positive_steps(context: Context, limit: bool) -> str | None:
    """strides, dilations and windows are above 0

    convert the model anew: the file is damaged
    """
    found = ((name, context.option(name)) for name in _STEPS)
    return next((f"`{name}` is {value}" for name, value in found if value is not None and value <= 0), None)


def positive_values(context: Context, limit: Sequence[int]) -> str | None:
    """the numbers in its constant inputs {limit} are above 0

    write sizes in full instead of -1 for the rest
    """
    return _first_below(context, limit, 1)


def non_negative_values(context: Context, limit: Sequence[int]) -> str | None:
    """the numbers in its constant inputs {limit} are not below 0

    crop with a slice instead of a negative padding
    """
    return _first_below(context, limit, 0)


def folded_with_readers(context: Context, limit: bool) -> str | None:
    """a constant is unpacked where all operators that read it run on the accelerator

    replace the operators that do not run there, or keep their weights in float32
    """
    from edgecompile.legalize.judge import judge  # it judges by these very rules

    for index, operator in enumerate(context.subgraph.operators):
        if not set(context.operator.outputs) & set(operator.inputs):
            continue
        reader = Context(
            network=context.network,
            subgraph=context.subgraph,
            index=index,
            target=context.target,
            producers=context.producers,
        )
        if not judge(reader).accepted:
            return f"operator {index}, `{operator.label}`, reads it"
    return None


def _first_below(context: Context, positions: Sequence[int], least: int) -> str | None:
    for position in positions:
        stored = context.values(position)
        if stored is not None and bool(np.any(stored < least)):
            return f"input {position} is {stored.tolist()}"
    return None
