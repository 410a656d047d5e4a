"""UNIDIRECTIONAL_SEQUENCE_LSTM int8 and float32: twin of ``lstm_s8.h`` and ``lstm_f32.h``."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from edgecompile.ir.network import Tensor
from edgecompile.ir.reader import ints_of
from edgecompile.kernels.pairs import fold
from edgecompile.kernels.quantities import is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Array, Call, Routine, Setting, Site
from edgecompile.kernels.sigmoid_s16 import table

OPERATORS = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)
# Places among the 24 inputs of the forget, input, cell and output gate: micro/kernels/lstm_shared.h.
_INPUT_WEIGHTS, _HIDDEN_WEIGHTS, _BIAS = (2, 1, 3, 4), (6, 5, 7, 8), (13, 12, 14, 15)
_HIDDEN, _CELL = 18, 19
_HIDDEN_VALUE = 4  # among the intermediate tensors
TWO_ANSWERS = "a state with other numbers than the hidden value: TensorFlow Lite and its Micro kernels differ on it"
_ABSENT = {9: "peepholes", 10: "peepholes", 11: "peepholes", 16: "a projection", 17: "a projection"}
_ABSENT |= {place: "layer normalization" for place in (20, 21, 22, 23)}
# Q3.12 before a gate's function, Q0.15 behind it.
_BEFORE, _BEHIND = 2.0**-12, 2.0**-15


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    for place, what in _ABSENT.items():
        if site.input(place) is not None:
            return what
    if any(site.input(place) is None for place in (*_INPUT_WEIGHTS, *_HIDDEN_WEIGHTS, *_BIAS)):
        return "coupled gates"
    if site.operator.options.get("fused_activation_function") != "TANH":
        return f"fused activation {site.operator.options.get('fused_activation_function', 'NONE')}"
    hidden, cell = site.given(_HIDDEN), site.given(_CELL)
    if not hidden.is_variable or not cell.is_variable:
        return "states that are no variables"
    if site.output.dtype == "float32":
        return _refuse_types(site, "float32", "float32", "float32")
    return _refuse_types(site, "int8", "int16", "int32") or _refuse_scales(site)


def _refuse_types(site: Site, dtype: str, cell: str, bias: str) -> str | None:
    places = (*_INPUT_WEIGHTS, *_HIDDEN_WEIGHTS)
    of_dtype = (site.given(0), site.output, site.given(_HIDDEN), *(site.given(place) for place in places))
    if any(tensor.dtype != dtype for tensor in of_dtype) or site.given(_CELL).dtype != cell:
        return "element types other than int8 with an int16 cell, and float32"
    constants = [site.given(place) for place in (*places, *_BIAS)]
    if any(tensor.array is None for tensor in constants) or any(site.given(place).dtype != bias for place in _BIAS):
        return f"weights or biases that are not constant {dtype} and {bias}"
    return None


def _refuse_scales(site: Site) -> str | None:
    quantized = (site.given(0), site.output, site.given(_HIDDEN), *(site.given(p) for p in _all_weights()))
    if not all(is_quantized(tensor, "int8") for tensor in quantized) or not is_quantized(site.given(_CELL), "int16"):
        return "tensors without one scale"
    if any(zero_point_of(site.given(place)) for place in _all_weights()):
        return "weights with a zero point"
    power = math.log2(scale_of(site.given(_CELL)))
    return _refuse_hidden(site) if power == round(power) else "a cell scale that is no power of two"


def _refuse_hidden(site: Site) -> str | None:
    """TensorFlow Lite writes the state by the scale and zero point of the hidden value, the fifth intermediate tensor
    (``effective_hidden_scale`` and ``hidden_zp`` in ``unidirectional_sequence_lstm.cc``); its Micro kernels, which this
    one equals, by the state's own (``PrepareGateParametersInteger``). A file on which they differ has no right answer.
    """
    inner = ints_of(getattr(site.operator.raw, "intermediates", None))
    value = site.subgraph.tensor(inner[_HIDDEN_VALUE]) if len(inner) > _HIDDEN_VALUE else None
    if value is None or value.quantization is None or not value.quantization.scales:
        return None
    state = site.given(_HIDDEN)
    same = (scale_of(value), zero_point_of(value)) == (scale_of(state), zero_point_of(state))
    return None if same else TWO_ANSWERS


def _all_weights() -> tuple[int, ...]:
    return (*_INPUT_WEIGHTS, *_HIDDEN_WEIGHTS)


def routine(site: Site) -> Routine:
    """One call; it changes both states."""
    whole = site.output.dtype == "int8"
    settings, constants = (_whole if whole else _real)(site)
    units = site.given(_CELL).shape[-1]
    call = Call(
        kernel="lstm_s8",
        settings={**_sizes(site), **settings},
        constants={
            "input_weights": _stacked(site, _INPUT_WEIGHTS),
            "hidden_weights": _stacked(site, _HIDDEN_WEIGHTS),
            **constants,
        },
        inputs=site.operator.inputs[:1],
        outputs=(site.operator.inputs[_HIDDEN], site.operator.inputs[_CELL], site.operator.outputs[0]),
        scratch=True,
    )
    if not whole:
        call = replace(call, kernel="lstm_f32")
    return Routine(calls=(call,), scratch_bytes=4 * units * (2 if whole else 4))


def _sizes(site: Site) -> dict[str, Setting]:
    outer, inner, inputs = site.given(0).shape
    major = bool(site.operator.options.get("time_major"))
    steps, batches = (outer, inner) if major else (inner, outer)
    return {
        "batches": batches,
        "steps": steps,
        "inputs": inputs,
        "units": site.given(_CELL).shape[-1],
        "step_stride": batches if major else 1,
        "batch_stride": 1 if major else steps,
    }


def _stacked(site: Site, places: tuple[int, ...]) -> Array:
    return np.ascontiguousarray(np.stack([_values(site.given(place)) for place in places]))


def _values(tensor: Tensor) -> Array:
    assert tensor.array is not None
    return tensor.array


def _real(site: Site) -> tuple[dict[str, Setting], dict[str, Array]]:
    return {"cell_clip": float(site.operator.options.get("cell_clip", 0.0))}, {"bias": _stacked(site, _BIAS)}


def _whole(site: Site) -> tuple[dict[str, Setting], dict[str, Array]]:
    """PrepareGateParametersInteger of micro/kernels/lstm_eval_common.cc."""
    source, hidden, cell = site.given(0), site.given(_HIDDEN), site.given(_CELL)
    pairs = [_gate(source, site.given(place)) for place in _INPUT_WEIGHTS]
    pairs += [_gate(hidden, site.given(place)) for place in _HIDDEN_WEIGHTS]
    folded = [_folded(source, site.given(w), site.given(b)) for w, b in zip(_INPUT_WEIGHTS, _BIAS, strict=True)]
    settings: dict[str, Setting] = {
        "output_zero_point": zero_point_of(hidden),
        "cell_clip": _clip(site),
        "rounding": int(site.rounding == "once"),
    }
    for name, real in (
        ("forget", _BEHIND * scale_of(cell) / scale_of(cell)),
        ("new", _BEHIND * _BEHIND / scale_of(cell)),
        ("output", _BEHIND * _BEHIND / scale_of(hidden)),
    ):
        settings[f"{name}_multiplier"], settings[f"{name}_shift"] = quantize_multiplier(real)
    # The argument of tanh has 12 fraction bits; a cell of fewer is shifted to the left.
    left = 12 + round(math.log2(scale_of(cell)))
    settings["cell_multiplier"], settings["cell_shift"] = (3 << left, 0) if left >= 0 else (3, -left)
    constants = {
        "input_bias": np.concatenate(folded),
        "hidden_bias": np.concatenate([_folded(hidden, site.given(place), None) for place in _HIDDEN_WEIGHTS]),
        "multipliers": np.array([multiplier for multiplier, _ in pairs], np.int32),
        "shifts": np.array([shift for _, shift in pairs], np.int8),
        "table": table(),
    }
    return settings, constants


def _gate(source: Tensor, weights: Tensor) -> tuple[int, int]:
    return quantize_multiplier(scale_of(source) * scale_of(weights) / _BEFORE)


def _folded(source: Tensor, weights: Tensor, bias: Tensor | None) -> Array:
    values = _values(weights)
    given = np.zeros(len(values), np.int64) if bias is None else _values(bias).reshape(-1).astype(np.int64)
    wrapped = fold(values, given, zero_point_of(source))
    return np.asarray(((wrapped + (1 << 31)) % (1 << 32) - (1 << 31)).astype(np.int32))


def _clip(site: Site) -> int:
    clip = float(np.float32(site.operator.options.get("cell_clip", 0.0)))
    return int(min(max(clip / scale_of(site.given(_CELL)), -32768.0), 32767.0))
