"""Remove channels that are constant, or that nobody weighs: ``Σ w · x + b`` without them, their share in ``b``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from edgecompile.ir.network import Buffer, Network, Operator, Quantization, Tensor
from edgecompile.kernels.quantities import zero_point_of
from edgecompile.optimize._channel_roles import Sum, is_separate, mixer
from edgecompile.optimize._constant_channels import Known, constant_channels
from edgecompile.optimize._draft import Array, Draft, rewrite

ORDER = 55
SUMMARY = "constant and unused channels"

_INT32 = np.iinfo(np.int32)


def run(network: Network) -> tuple[Network, list[str]]:
    """``Σ_i w_i · (x_i - z) + b = Σ_{i≠c} w_i · (x_i - z) + (b + w_c · (x_c - z))`` for constant channel ``c``.

    Of int8 CONV_2D and FULLY_CONNECTED; behind them channels stay apart through DEPTHWISE_CONV_2D, RELU, pools,
    MEAN and RESHAPE until other such sums read them. A channel goes where each of these sums has no weight for it,
    or where it is constant (all weights 0, or clamped everywhere) and adds the same to all sums of a plane: under a
    SAME padding only if it is the zero point, or the window is one pixel. One channel is always left.

    Refused when anybody else reads the channels (ADD, CONCATENATION, ...), when they are a graph output, when a
    bias would leave int32, and when a share cannot be added because there is no bias.
    """
    return rewrite(network, _step)


@dataclass(kw_only=True)
class _Group:
    """Values with the same channels: what a sum writes, and what is made of it channel by channel."""

    writer: int
    tensors: list[int] = field(default_factory=list)
    between: list[int] = field(default_factory=list)
    readers: list[int] = field(default_factory=list)


def _step(draft: Draft) -> list[str]:
    words: list[str] = []
    found = True
    while found:
        known, found = constant_channels(draft), False
        for index, operator in draft.alive():
            group = _group(draft, index) if mixer(draft, operator) is not None else None
            dropped = _drop(draft, group, known) if group is not None else 0
            words += [f"{operator.label} channel"] * dropped
            found = found or dropped > 0
    return words


def _group(draft: Draft, writer: int) -> _Group | None:
    """Everything that sees the channels of a sum's output, None where something in it needs them all."""
    group = _Group(writer=writer)
    waiting = [_operator(draft, writer).outputs[0]]
    while waiting:
        tensor = waiting.pop()
        group.tensors.append(tensor)
        if tensor in draft.kept:
            return None
        for index in draft.readers(tensor):
            reader = _operator(draft, index)
            if reader.inputs[0] != tensor or reader.inputs.count(tensor) > 1:
                return None
            if mixer(draft, reader) is not None:
                group.readers.append(index)
            elif is_separate(draft, reader):
                group.between.append(index)
                waiting.append(reader.outputs[0])
            else:
                return None
    return group if group.readers else None


def _drop(draft: Draft, group: _Group, known: Known) -> int:
    """Take the channels out that can go; how many."""
    count = draft.tensors[group.tensors[0]].shape[-1]
    sums = {index: found for index in group.readers if (found := mixer(draft, _operator(draft, index))) is not None}
    biases = {index: summed.bias for index, summed in sums.items()}
    gone: list[int] = []
    for channel in range(count):
        shares = {index: _share(draft, index, summed, channel, known) for index, summed in sums.items()}
        if len(gone) == count - 1 or not all(_fits(biases[index], share) for index, share in shares.items()):
            continue
        biases = {index: _added(biases[index], share) for index, share in shares.items()}
        gone.append(channel)
    if gone:
        _cut(draft, group, np.setdiff1d(np.arange(count), gone), biases)
    return len(gone)


def _share(draft: Draft, index: int, summed: Sum, channel: int, known: Known) -> Array | None:
    """What a channel adds to each output of a sum, int64[o]; None where that is not one number each."""
    source = _operator(draft, index).inputs[0]
    zero, value = zero_point_of(draft.tensors[source]), known.get(source, {}).get(channel)
    if not summed.weights[..., channel].any() or value == zero:
        return np.zeros(len(summed.weights), np.int64)
    if value is None:
        return None
    added = ((value - zero) * summed.seen(channel)).reshape(-1, len(summed.weights))
    return np.asarray(added[0]) if (added == added[0]).all() else None


def _fits(bias: Array | None, share: Array | None) -> bool:
    if share is None or bias is None:
        return share is not None and not share.any()
    added = bias + share
    return bool(added.min() >= _INT32.min and added.max() <= _INT32.max)


def _added(bias: Array | None, share: Array | None) -> Array | None:
    return bias + share if bias is not None and share is not None else bias


def _cut(draft: Draft, group: _Group, left: Array, biases: dict[int, Array | None]) -> None:
    for tensor in group.tensors:
        draft.tensors[tensor] = _shaped(draft.tensors[tensor], len(left))
    for position in (1, 2):
        _take(draft, group.writer, position, 0, left)
    for index in group.between:
        _cut_between(draft, index, left)
    for index in group.readers:
        _take(draft, index, 1, -1, left)
        before, bias = draft.constant(_operator(draft, index), 2), biases[index]
        if before is not None and bias is not None and not np.array_equal(bias, before):
            _put(draft, index, 2, bias.astype(np.int32), draft.tensors[_operator(draft, index).inputs[2]].quantization)


def _cut_between(draft: Draft, index: int, left: Array) -> None:
    operator = _operator(draft, index)
    if operator.name == "DEPTHWISE_CONV_2D":
        _take(draft, index, 1, 3, left)
        _take(draft, index, 2, 0, left)
    if operator.name != "RESHAPE":
        return
    shape = draft.constant(operator, 1)
    if shape is not None and shape.reshape(-1)[-1] != -1:
        changed = shape.copy()
        changed.reshape(-1)[-1] = len(left)
        _put(draft, index, 1, changed, draft.tensors[operator.inputs[1]].quantization)
    stated = operator.options.get("new_shape")
    if stated is not None and len(stated) > 0 and stated[-1] != -1:
        operator = _operator(draft, index)
        draft.put(index, replace(operator, options={**operator.options, "new_shape": (*stated[:-1], len(left))}))


def _take(draft: Draft, index: int, position: int, axis: int, left: Array) -> None:
    """Keep these slices of a constant, and of the scales that go with them."""
    operator = _operator(draft, index)
    tensor, array = draft.input(operator, position), draft.constant(operator, position)
    if tensor is None or array is None:
        return
    form = tensor.quantization
    if form is not None and form.per_channel and form.axis == axis % array.ndim:
        # raw holds the old channels' minima and maxima
        zero_points = form.zero_points if len(form.zero_points) < 2 else tuple(form.zero_points[i] for i in left)
        form = Quantization(scales=tuple(form.scales[i] for i in left), zero_points=zero_points, axis=form.axis)
    _put(draft, index, position, np.take(array, left, axis=axis), form)


def _put(draft: Draft, index: int, position: int, values: Array, form: Quantization | None) -> None:
    """Give an operator another constant; one that others read too stays theirs."""
    operator = _operator(draft, index)
    before = operator.inputs[position]
    made = replace(
        draft.tensors[before],
        shape=values.shape,
        shape_signature=values.shape if draft.tensors[before].shape_signature else (),
        buffer=Buffer(np.ascontiguousarray(values).tobytes()),
        quantization=form,
    )
    if len(draft.readers(before)) == 1 and before not in draft.kept and operator.inputs.count(before) == 1:
        draft.tensors[before] = made
        return
    draft.tensors.append(made)
    inputs = (*operator.inputs[:position], len(draft.tensors) - 1, *operator.inputs[position + 1 :])
    draft.put(index, replace(operator, inputs=inputs))


def _shaped(tensor: Tensor, channels: int) -> Tensor:
    signature = (*tensor.shape_signature[:-1], channels) if tensor.shape_signature else ()
    return replace(tensor, shape=(*tensor.shape[:-1], channels), shape_signature=signature)


def _operator(draft: Draft, index: int) -> Operator:
    operator = draft.operators[index]
    assert operator is not None
    return operator
