"""One type into another. Integers that stand for real numbers are real numbers here, so QUANTIZE changes nothing."""

from __future__ import annotations

from edgecompile.compress.simulate.call import Call, Value


def same(call: Call) -> Value:
    """The value; the fake quantization of the output does the rest."""
    return call.values[0]


def cast(call: Call) -> Value:
    """To the output's type; a whole number cuts the fraction off."""
    dtype = call.outputs[0].dtype
    return call.tf.cast(call.values[0], getattr(call.tf, "float32" if dtype == "float16" else dtype))


IMPLEMENTED = {"QUANTIZE": same, "DEQUANTIZE": same, "CAST": cast}
