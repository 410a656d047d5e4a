"""Borders around a value."""

from __future__ import annotations

from edgecompile.compress.simulate.call import Call, Value


def _widths(call: Call) -> list[list[int]]:
    return [[0, 0], *([int(low), int(high)] for low, high in call.known(1).reshape(-1, 2))]


def pad(call: Call) -> Value:
    """With zeros; real zeros where the value is quantized."""
    return call.tf.pad(call.values[0], _widths(call))


def pad_v2(call: Call) -> Value:
    """With the number given."""
    return call.tf.pad(call.values[0], _widths(call), constant_values=call.known(2).reshape(-1)[0])


def mirror_pad(call: Call) -> Value:
    """With what lies inside, mirrored."""
    return call.tf.pad(call.values[0], _widths(call), mode=call.option("mode"))


IMPLEMENTED = {"PAD": pad, "PADV2": pad_v2, "MIRROR_PAD": mirror_pad}
MOVES = frozenset({"PAD", "MIRROR_PAD"})
