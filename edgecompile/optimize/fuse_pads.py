"""Let a convolution pad for itself: ``conv_valid(pad(x)) = conv_same(x)`` where the amounts agree."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.ir.network import Network, Operator, Tensor
from edgecompile.optimize._draft import Draft, rewrite, same_form

ORDER = 50
SUMMARY = "pads taken into the operator behind"

_PLAIN_WEIGHTS = {"float32": ("float32",), "int8": ("int8", "int4"), "uint8": ("uint8",), "int16": ("int8",)}


def run(network: Network) -> tuple[Network, list[str]]:
    """``conv(pad(x, p), VALID) = conv(x, SAME)`` for CONV_2D, DEPTHWISE_CONV_2D and, conditionally, MAX_POOL_2D.

    SAME on an axis of ``n`` with window ``k`` (dilated) and stride ``s`` pads ``t = max((⌈n/s⌉ - 1)·s + k - n, 0)``,
    ``⌊t/2⌋`` of it before; both must equal PAD's amounts. The value padded must be the zero of the convolution's
    input (0.0, or its zero point), which adds nothing to any sum. A maximum takes it only where it is the
    lowest value there is (an integer type whose zero point is its minimum); an average never,
    because it divides by the number of elements that are not padding.

    Refused when anybody else reads the padded tensor, when batch or channels are padded, and for float inputs with
    integer weights.
    """
    return rewrite(network, _step)


def _step(draft: Draft) -> list[str]:
    words = []
    for index, operator in draft.alive():
        pad = _pad_before(draft, operator)
        if pad is None:
            continue
        options = {**operator.options, "padding": "SAME"}
        draft.put(index, replace(operator, inputs=(pad[1].inputs[0], *operator.inputs[1:]), options=options))
        draft.put(pad[0], None)
        words.append(f"{pad[1].label} into {operator.label}")
    return words


def _pad_before(draft: Draft, operator: Operator) -> tuple[int, Operator] | None:
    window = _window(draft, operator)
    if window is None or operator.options.get("padding") != "VALID":
        return None
    pad = draft.writer(operator.inputs[0])
    if pad is None or pad[1].name not in ("PAD", "PADV2"):
        return None
    padded = operator.inputs[0]
    if padded in draft.kept or len(draft.readers(padded)) != 1:
        return None
    source, result = draft.tensors[pad[1].inputs[0]], draft.tensors[operator.outputs[0]]
    fits = _pads_zero(draft, pad[1]) and _allows_padding(draft, operator, source)
    return pad if fits and _amounts_agree(draft, pad[1], operator, source, result, window) else None


def _window(draft: Draft, operator: Operator) -> tuple[int, int] | None:
    """Height and width of the window, dilation included."""
    if operator.name == "MAX_POOL_2D":
        return operator.options.get("filter_height", 0), operator.options.get("filter_width", 0)
    if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return None
    weights = draft.input(operator, 1)
    if weights is None or len(weights.shape) != 4:
        return None
    height, width = weights.shape[1:3]
    dilations = (operator.options.get("dilation_h_factor", 1), operator.options.get("dilation_w_factor", 1))
    return (height - 1) * dilations[0] + 1, (width - 1) * dilations[1] + 1


def _pads_zero(draft: Draft, pad: Operator) -> bool:
    """PAD fills with the output's zero point; PADV2 with a scalar, which must equal it."""
    source, padded = draft.tensors[pad.inputs[0]], draft.tensors[pad.outputs[0]]
    if not same_form(source, padded):
        return False
    if pad.name == "PAD":
        return True
    value = draft.constant(pad, 2)
    return value is not None and value.size == 1 and value.reshape(-1)[0] == _zero(source)


def _zero(tensor: Tensor) -> int:
    """The stored value of real zero."""
    quantized = tensor.dtype != "float32" and tensor.quantization is not None and tensor.quantization.zero_points
    return tensor.quantization.zero_points[0] if quantized and tensor.quantization else 0


def _allows_padding(draft: Draft, operator: Operator, source: Tensor) -> bool:
    if operator.name == "MAX_POOL_2D":
        lowest = {"int8": -128, "uint8": 0}.get(source.dtype)
        return source.quantization is not None and _zero(source) == lowest
    weights = draft.input(operator, 1)
    return weights is not None and weights.dtype in _PLAIN_WEIGHTS.get(source.dtype, ())


def _amounts_agree(
    draft: Draft, pad: Operator, operator: Operator, source: Tensor, result: Tensor, window: tuple[int, int]
) -> bool:
    found = draft.constant(pad, 1)
    if found is None or found.shape != (4, 2) or len(source.shape) != 4 or len(result.shape) != 4:
        return False
    strides = (operator.options.get("stride_h", 0), operator.options.get("stride_w", 0))
    wanted = [(0, 0)]
    for size, length, stride, after in zip(source.shape[1:3], window, strides, result.shape[1:3], strict=True):
        if stride < 1 or after != -(-size // stride):
            return False
        total = max((after - 1) * stride + length - size, 0)
        wanted.append((total // 2, total - total // 2))
    return [tuple(int(n) for n in row) for row in found] == [*wanted, (0, 0)]
