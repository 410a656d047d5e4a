"""QUANTIZE, DEQUANTIZE and CAST between element types: twin of ``convert.h``."""

from __future__ import annotations

from edgecompile.kernels.elements import NUMBERS, element_by_element, one_of
from edgecompile.kernels.quantities import is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Setting, Site

OPERATORS = ("QUANTIZE", "DEQUANTIZE", "CAST")
# Between 8 bits a table is shorter (table_s8).
RANK = 1
_RESCALE, _QUANTIZE, _DEQUANTIZE, _CAST = range(4)
# What EvalQuantizeReference of micro/kernels/quantize_common.cc takes.
_PAIRS = {
    "float32": ("int8", "int16"),
    "int8": ("int8", "uint8", "int16", "int32"),
    "int16": ("int8", "int16", "int32"),
    "int32": ("int8", "int16"),
    "uint8": ("int8",),
}
_CASTS = tuple(NUMBERS)
_LIMITS = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-32768, 32767),
    "uint16": (0, 65535),
    "int32": (-(1 << 31), (1 << 31) - 1),
    "int64": (-(1 << 31), (1 << 31) - 1),
    "uint32": (0, (1 << 31) - 1),
}


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    source, output = site.given(0), site.output
    if site.operator.name == "CAST":
        bad = next((t.dtype for t in (source, output) if t.dtype not in _CASTS), None)
        return None if bad is None else f"element type {bad}"
    if site.operator.name == "DEQUANTIZE":
        if output.dtype == "float32" and is_quantized(source, "int8", "uint8", "int16"):
            return None
        return "element types other than int8, uint8 and int16 to float32"
    if source.dtype not in _PAIRS or output.dtype not in _PAIRS[source.dtype]:
        return f"{source.dtype} to {output.dtype}"
    quantized = [output] if source.dtype == "float32" else [source, output]
    if not all(is_quantized(tensor, tensor.dtype) for tensor in quantized):
        return f"{one_of(tuple(tensor.dtype for tensor in quantized))} without one scale"
    return None


def routine(site: Site) -> Routine:
    """One call; may be in place where the output's elements are not wider."""
    source, output = site.given(0), site.output
    settings: dict[str, Setting] = {
        "count": output.elements,
        "from": NUMBERS[source.dtype],
        "to": NUMBERS[output.dtype],
        "rounding": int(site.rounding == "once"),
    }
    if output.dtype in _LIMITS:
        settings["lowest"], settings["highest"] = _LIMITS[output.dtype]
    if site.operator.name == "CAST":
        settings["how"] = _CAST
    elif site.operator.name == "DEQUANTIZE":
        settings |= {"how": _DEQUANTIZE, "scale": scale_of(source), "input_zero_point": zero_point_of(source)}
    elif source.dtype == "float32":
        settings |= {"how": _QUANTIZE, "scale": scale_of(output), "output_zero_point": zero_point_of(output)}
    else:
        multiplier, shift = quantize_multiplier(scale_of(source) / scale_of(output))
        settings |= {
            "how": _RESCALE,
            "multiplier": multiplier,
            "shift": shift,
            "input_zero_point": zero_point_of(source),
            "output_zero_point": zero_point_of(output),
        }
    call = Call(kernel="convert", settings=settings, inputs=site.operator.inputs[:1], outputs=site.operator.outputs)
    return Routine(calls=(call,), overlaps=element_by_element(site))
