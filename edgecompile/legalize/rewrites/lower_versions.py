"""Operators that say they need a newer version than their settings do, with the version that they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator
from edgecompile.ir.runtimes import NEWEST, last_version
from edgecompile.ir.versions import version_of
from edgecompile.legalize.rewrites._site import EIGHT_BITS, Site, affine, rewrite

SUMMARY = "versions of operators lowered to the one that their settings need"
KEEPS = "every bit of the outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """The version is what a reader must know, not what it computes; newer converters often state more than is used.

    For operators of 8 bits that the target refuses, where a lower version has all that they use.
    Source: tensorflow/lite/tools/versioning/op_version.cc.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    needed = least_version(site)
    if needed is None or needed >= site.operator.version or not site.refused:
        return None
    return (replace(site.operator, version=needed),)


def least_version(site: Site) -> int | None:
    """The lowest version that has all that the operator uses; None where that is not known.

    Of a version that no release is known to have brought nobody can say what it means.
    """
    operator = site.operator
    least = _LEAST.get(operator.name)
    return least(site) if least is not None and operator.version <= last_version(operator.name, NEWEST) else None


def _quantize(site: Site) -> int | None:
    """1 for results of 8 bits with one scale; 2 brought int16, 3 scales per channel, 4 int4."""
    x = site.input(0)
    if x is None or affine(site.result) is None:
        return None
    return 1 if x.dtype == "float32" or affine(x) is not None else None


def _dense(site: Site) -> int | None:
    """4 for int8; 5 brought ``keep_num_dims`` and biases left out, later ones int16, scales per channel and int4."""
    x, weights, bias = site.input(0), site.input(1), site.input(2)
    plain = site.operator.options.get("weights_format", "DEFAULT") == "DEFAULT"
    if affine(x) is None or affine(weights) is None or affine(site.result) is None or not plain or x is None:
        return None
    if site.operator.options.get("keep_num_dims") or bias is None:
        return 5
    return version_of("FULLY_CONNECTED", x.dtype)


def _resize(site: Site) -> int | None:
    """3 for ``half_pixel_centers``, and for ``align_corners`` of the nearest neighbour; 2 for int8."""
    options, bilinear = site.operator.options, site.operator.name == "RESIZE_BILINEAR"
    if options.get("half_pixel_centers") or (options.get("align_corners") and not bilinear):
        return 3
    return version_of(site.operator.name, site.result.dtype) if site.result.dtype in EIGHT_BITS else None


def _plain(site: Site) -> int | None:
    """2 for int8, 1 for uint8, with one scale each."""
    tensors = [site.tensors[i] for i in (*site.operator.inputs[:1], *site.operator.outputs)]
    if any(affine(tensor) is None or len(tensor.shape) > 4 for tensor in tensors):
        return None
    return version_of(site.operator.name, tensors[0].dtype)


def _elementwise(site: Site) -> int | None:
    """2 for int8, 1 for uint8, of one type and at most four dimensions throughout."""
    tensors = [site.tensors[i] for i in (*site.operator.inputs, *site.operator.outputs)]
    if any(affine(tensor) is None or len(tensor.shape) > 4 for tensor in tensors):
        return None
    alike = len({tensor.dtype for tensor in tensors}) == 1
    return version_of(site.operator.name, tensors[0].dtype) if alike else None


def _convolution(site: Site) -> int | None:
    """3 for int8, 1 for uint8; 2 brought dilation depth by depth, later ones int16, mixed types, groups and int4."""
    x, weights, bias = site.input(0), site.input(1), site.input(2)
    if x is None or weights is None or affine(x) is None or affine(site.result) is None:
        return None
    if not x.dtype == weights.dtype == site.result.dtype or (bias is not None and bias.dtype != "int32"):
        return None
    depthwise = site.operator.name == "DEPTHWISE_CONV_2D"
    if len(x.shape) != 4 or len(weights.shape) != 4 or (not depthwise and weights.shape[3] != x.shape[3]):
        return None
    wide = [site.operator.options.get(f"dilation_{axis}_factor", 1) for axis in "wh"] != [1, 1]
    return max(version_of(site.operator.name, x.dtype), 2 if depthwise and wide else 1)


_LEAST: Mapping[str, Callable[[Site], int | None]] = {
    "QUANTIZE": _quantize,
    "FULLY_CONNECTED": _dense,
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D"), _convolution),
    **dict.fromkeys(("ADD", "MAXIMUM", "MINIMUM", "RELU", "RELU6", "SUB"), _elementwise),
    **dict.fromkeys(("CONCATENATION", "MAX_POOL_2D", "AVERAGE_POOL_2D", "SOFTMAX", "LOGISTIC", "TANH"), _plain),
}
