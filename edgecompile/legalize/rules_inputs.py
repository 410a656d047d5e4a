"""Rules on which inputs there are, and on the constants among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgecompile.core.units import counted
from edgecompile.ir.network import Tensor
from edgecompile.legalize.context import Context

INT32 = np.iinfo(np.int32)


def input_counts(context: Context, limit: Sequence[int]) -> str | None:
    """it has {limit} inputs

    give the layer the inputs it lacks (a bias, for example), or leave out what is too much
    """
    count = len(context.operator.inputs)
    return None if count in limit else str(count)


def constant_inputs(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} are constants

    build the model so that weights, sizes and axes are fixed when it is converted
    """
    present = (position for position in limit if context.input(position) is not None)
    return next((f"input {position} is computed" for position in present if not context.is_constant(position)), None)


def fits_int32(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} are int32, or constants of int64 that int32 can hold

    cast them to int32 in the model
    """
    for position in limit:
        tensor, stored = context.input(position), context.values(position)
        if tensor is None or tensor.dtype == "int32":
            continue
        small = stored is not None and np.all(stored >= INT32.min) and np.all(stored <= INT32.max)
        if tensor.dtype != "int64" or not small:
            return f"input {position} is {tensor.dtype}" + ("" if stored is None else ", too large for int32")
    return None


def zero_inputs(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} are all zero

    choose sizes that divide evenly, so that nothing is cropped
    """
    for position in limit:
        stored = context.values(position)
        if stored is not None and bool(np.any(stored)):
            return f"input {position} is {stored.tolist()}"
    return None


def nonzero_inputs(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} hold no zero

    leave out the empty part
    """
    for position in limit:
        stored = context.values(position)
        if stored is not None and not bool(np.all(stored)):
            return f"input {position} is {stored.tolist()}"
    return None


def nonempty_inputs(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} have elements

    give the output at least one dimension
    """
    tensors = ((position, context.input(position)) for position in limit)
    return next((f"input {i} is {tensor}" for i, tensor in tensors if tensor is not None and 0 in tensor.shape), None)


def scalars_constant(context: Context, limit: bool) -> str | None:
    """an operand without dimensions is a constant

    give the operand a dimension, for example with `tf.reshape(x, [1])`
    """
    for position, tensor in enumerate(context.inputs):
        if tensor is not None and tensor.shape == () and not context.is_constant(position):
            return f"input {position} is a computed {tensor}"
    return None


def zero_constants(context: Context, limit: bool) -> str | None:
    """with a constant among its inputs, it has two inputs and the constant is all zero

    pad instead of joining with a constant
    """
    constants = [tensor for tensor in context.inputs if tensor is not None and tensor.is_constant]
    if not constants:
        return None
    if len(context.operator.inputs) != 2:
        return f"{counted(len(context.operator.inputs), 'input')}, {len(constants)} of them constant"
    return None if _is_zero(constants[0]) else "a constant that is not zero"


def intermediates(context: Context, limit: int) -> str | None:
    """it has {limit} intermediate tensors with scales

    convert the LSTM anew with `--numerics int8`
    """
    found = getattr(context.operator.raw, "intermediates", None)
    count = 0 if found is None else len(found)
    return None if count == limit else str(count)


def _is_zero(tensor: Tensor) -> bool:
    """All elements stand for the real number 0."""
    stored = tensor.array
    zero = tensor.quantization.zero_points[0] if tensor.quantization and tensor.quantization.zero_points else 0
    return stored is not None and bool(np.all(stored == zero))
