"""SVDF int8 with a state of int8 or int16: twin of ``svdf.h``."""

from __future__ import annotations

from edgecompile.ir.network import Tensor
from edgecompile.kernels.quantities import is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Array, Call, Routine, Site

OPERATORS = ("SVDF",)
_WEIGHTS, _TIME, _BIAS, _STATE = 1, 2, 3, 4


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if not is_quantized(site.input(0), "int8") or not is_quantized(site.output, "int8"):
        return "element types other than int8"
    state, time, weights = site.given(_STATE), site.given(_TIME), site.given(_WEIGHTS)
    if not state.is_variable or not is_quantized(state, "int8", "int16"):
        return "a state that is no variable of int8 or int16"
    if not is_quantized(time, state.dtype) or time.array is None:
        return "weights of time that are not constant and of the state's type"
    if not is_quantized(weights, "int8") or weights.array is None:
        return "weights that are not constant int8"
    bias = site.input(_BIAS)
    if bias is None or bias.dtype != "int32" or bias.array is None:
        return "a bias that is not constant int32"
    if site.operator.options.get("fused_activation_function") != "RELU":
        # The reference asks for it, and leaves the rest to the output's range.
        return f"fused activation {site.operator.options.get('fused_activation_function', 'NONE')}"
    return None


def routine(site: Site) -> Routine:
    """One call; it changes the state."""
    source, state, output = site.given(0), site.given(_STATE), site.output
    weights, time = site.given(_WEIGHTS), site.given(_TIME)
    rank, filters = site.operator.options["rank"], weights.shape[0]
    to_state = quantize_multiplier(_quotient(source, weights, state))
    to_output = quantize_multiplier(_quotient(state, time, output))
    call = Call(
        kernel="svdf",
        settings={
            "batches": source.shape[0],
            "inputs": source.shape[1],
            "units": filters // rank,
            "rank": rank,
            "memory": time.shape[1],
            "state_type": 0 if state.dtype == "int8" else 2,
            "state_bytes": state.size_bytes,
            "input_zero_point": zero_point_of(source),
            "state_zero_point": zero_point_of(state),
            "output_zero_point": zero_point_of(output),
            "state_multiplier": to_state[0],
            "state_shift": to_state[1],
            "output_multiplier": to_output[0],
            "output_shift": to_output[1],
            "rounding": int(site.rounding == "once"),
        },
        constants={
            "weights": _values(weights),
            "time_weights": _values(time),
            "bias": _values(site.given(_BIAS)),
        },
        inputs=site.operator.inputs[:1],
        outputs=(site.operator.inputs[_STATE], site.operator.outputs[0]),
    )
    return Routine(calls=(call,))


def _quotient(first: Tensor, second: Tensor, output: Tensor) -> float:
    return scale_of(first) * scale_of(second) / scale_of(output)


def _values(tensor: Tensor) -> Array:
    assert tensor.array is not None
    return tensor.array.reshape(-1)
