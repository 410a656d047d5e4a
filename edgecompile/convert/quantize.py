"""Steps between TensorFlow's converter and its quantizer: refuse what cannot be, choose ranges, quantize."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from edgecompile.convert import refuse
from edgecompile.convert.calibrate import check_finite, measure, refine
from edgecompile.convert.choose_calibration import choose
from edgecompile.convert.flatbuffer import parse
from edgecompile.convert.integer_forms import with_integer_forms
from edgecompile.convert.interface import restore
from edgecompile.core.port import Port
from edgecompile.core.recipe import AUTO, Scheme
from edgecompile.ir import reader, writer
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]
# The chance to leave such an operator in float was below one half in every model tried.
_ATTEMPTS = 32
# What the older quantizer says of an operator that has no int16 form.
_NOT_YET = re.compile(r"not yet supported for op: '?(\w+)'?")


class Model(Protocol):
    """What is quantized, by the names that messages and files use; signatures number its ends instead."""

    @property
    def name(self) -> str:
        """The model's name, which opens the names of tensors."""

    @property
    def inputs(self) -> Sequence[Port]:
        """In order."""

    @property
    def output_names(self) -> Sequence[str]:
        """In order."""

    @property
    def recurrent(self) -> Sequence[str]:
        """Layers that loop."""


def step_in(
    converter: Any,
    traced: Model,
    scheme: Scheme,
    samples: Sequence[Mapping[str, Array]],
    float_outputs: Sequence[str] = (),
    told: Callable[[str], None] = lambda method: None,
    lenient: bool = False,
) -> None:
    """Calibrate and quantize here what the converter would calibrate and quantize.

    ``_quantize`` is where TensorFlow 2.18 to 2.20 does both; nothing public stands between. With ``minmax``
    the result is what the untouched converter gives. The converter then raises EC407 to EC409 and EC413.
    ``float_outputs`` are names of tensors whose operators shall stay in float32 (``int8`` only). ``told`` hears which
    method ``auto`` took. ``lenient``: what has no integer form stays in float without a word.
    """

    def calibrate_and_quantize(float_model: bytes, *arguments: Any) -> bytes:
        float_model = _in_integer_forms(float_model)
        parsed = parse(float_model)
        restore(parsed, [port.name for port in traced.inputs], traced.output_names)
        refuse.state(parsed, traced.name)
        refuse.loops(parsed, traced.name, scheme.numerics, traced.recurrent)

        def quantize(method: str, some: Sequence[Mapping[str, Array]]) -> bytes:
            measured = measure(float_model, some)
            check_finite(measured, traced.name)
            if method != "minmax":
                measured = refine(measured, some, method, scheme.numerics, traced.name)
            return _steadily(converter, measured, arguments, float_outputs)

        method = scheme.calibration
        try:
            if method == AUTO:
                method = choose(float_model, samples, quantize)
                told(method)
            quantized = quantize(method, samples)
        except RuntimeError as error:
            lacking = refuse.named(parsed, traced.name, _NOT_YET.findall(str(error)), traced.recurrent)
            if not lacking:
                raise
            raise refuse.left_in_float(lacking, scheme.numerics) from None
        if not float_outputs and not lenient:
            refuse.computed_in_float(parse(quantized), parsed, traced.name, scheme.numerics)
        return quantized

    converter._quantize = calibrate_and_quantize


def _in_integer_forms(content: bytes) -> bytes:
    network = reader.read(content)
    changed = with_integer_forms(network)
    return content if changed is network else writer.write(changed)


def _steadily(converter: Any, measured: bytes, arguments: Sequence[Any], float_outputs: Sequence[str]) -> bytes:
    """The quantized model that is integer throughout, if any attempt gives it.

    From the same input, the quantizer of TF 2.20 at times leaves a SPLIT in float of which one
    result is unused (the first step of an unrolled GRU or LSTM), at times not: it walks through
    its operators in the order of their addresses. The integer result is always the same.
    """
    for _ in range(_ATTEMPTS):
        quantized = _quantize(converter, measured, arguments, float_outputs)
        left = {name for name, _ in refuse.computing_in_float(parse(quantized), "")}
        if not left or not left <= {"SPLIT", "SPLIT_V"}:
            break
    return quantized


def _quantize(converter: Any, measured: bytes, arguments: Sequence[Any], float_outputs: Sequence[str]) -> bytes:
    """What the converter does with a measured flatbuffer; its older quantizer still makes int16x8."""
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize import calibrator

    input_type, output_type, activations, bias, allow_float, variables, debug = arguments
    per_tensor_dense = converter._experimental_disable_per_channel_quantization_for_dense_layers
    if activations != tensorflow().int16:
        return bytes(
            mlir_quantize(
                measured,
                input_data_type=input_type,
                output_data_type=output_type,
                denylisted_nodes=set(float_outputs) or None,
                enable_variable_quantization=variables,
                disable_per_channel_for_dense_layers=per_tensor_dense,
                debug_options_str=debug.SerializeToString(),
            )
        )
    of_input, of_output, of_activations, of_bias = (
        np.dtype(kind.as_numpy_dtype()).num for kind in (input_type, output_type, activations, bias)
    )
    # Fed with nothing, this quantizer keeps the ranges that the flatbuffer brings.
    unfed = calibrator.Calibrator(measured)._calibrator
    return bytes(
        unfed.QuantizeModel(of_input, of_output, allow_float, of_activations, of_bias, False, per_tensor_dense)
    )
