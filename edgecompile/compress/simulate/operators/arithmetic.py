"""Element by element, one value or two, broadcast from the back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgecompile.compress.simulate.activation import activate
from edgecompile.compress.simulate.call import Call, Value
from edgecompile.compress.simulate.ranks import aligned

_Binary = Callable[[Any, Value, Value], Value]
_Unary = Callable[[Any, Value], Value]


def _two(compute: _Binary) -> Callable[[Call], Value]:
    def operator(call: Call) -> Value:
        a, b = aligned(call, 0, 1)
        return activate(call, compute(call.tf, a, b))

    return operator


def _one(compute: _Unary) -> Callable[[Call], Value]:
    return lambda call: compute(call.tf, call.values[0])


def add_n(call: Call) -> Value:
    """The sum of all inputs."""
    return call.tf.add_n(call.full(*range(len(call.values))))


def _divide(tf: Any, a: Value, b: Value) -> Value:
    # TFLite's whole-number division cuts towards zero.
    return a / b if a.dtype.is_floating else tf.truncatediv(a, b)


IMPLEMENTED = {
    "ADD": _two(lambda tf, a, b: a + b),
    "SUB": _two(lambda tf, a, b: a - b),
    "MUL": _two(lambda tf, a, b: a * b),
    "DIV": _two(_divide),
    "POW": _two(lambda tf, a, b: tf.pow(a, b)),
    "MINIMUM": _two(lambda tf, a, b: tf.minimum(a, b)),
    "MAXIMUM": _two(lambda tf, a, b: tf.maximum(a, b)),
    "SQUARED_DIFFERENCE": _two(lambda tf, a, b: tf.math.squared_difference(a, b)),
    "FLOOR_DIV": _two(lambda tf, a, b: tf.math.floordiv(a, b)),
    "FLOOR_MOD": _two(lambda tf, a, b: tf.math.floormod(a, b)),
    "ATAN2": _two(lambda tf, a, b: tf.math.atan2(a, b)),
    "ADD_N": add_n,
    "ABS": _one(lambda tf, x: tf.abs(x)),
    "NEG": _one(lambda tf, x: -x),
    "SQUARE": _one(lambda tf, x: tf.square(x)),
    "SQRT": _one(lambda tf, x: tf.sqrt(x)),
    "RSQRT": _one(lambda tf, x: tf.math.rsqrt(x)),
    "EXP": _one(lambda tf, x: tf.exp(x)),
    "LOG": _one(lambda tf, x: tf.math.log(x)),
    "SIN": _one(lambda tf, x: tf.sin(x)),
    "COS": _one(lambda tf, x: tf.cos(x)),
    "SIGN": _one(lambda tf, x: tf.sign(x)),
    "FLOOR": _one(lambda tf, x: tf.floor(x)),
    "CEIL": _one(lambda tf, x: tf.math.ceil(x)),
    "ROUND": _one(lambda tf, x: tf.round(x)),
    "ZEROS_LIKE": _one(lambda tf, x: tf.zeros_like(x)),
}
