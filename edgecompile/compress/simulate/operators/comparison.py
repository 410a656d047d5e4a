"""Comparisons, logic, and a choice between two values. Gradients flow through what is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgecompile.compress.simulate.call import Call, Value
from edgecompile.compress.simulate.ranks import aligned, widened


def _two(name: str) -> Callable[[Call], Value]:
    def operator(call: Call) -> Value:
        compute: Any = getattr(call.tf, name)
        return compute(*aligned(call, 0, 1))

    return operator


def select(call: Call) -> Value:
    """By element; a condition of one axis chooses whole rows (SELECT, not SELECT_V2)."""
    condition, a, b = call.values
    if call.operator.name == "SELECT" and len(condition.shape) == 2 and len(a.shape) > 2:
        condition = call.tf.reshape(condition, [*call.tf.unstack(call.tf.shape(condition)), *[1] * (len(a.shape) - 2)])
        return call.tf.where(condition, a, b)
    rank = max(len(value.shape) for value in call.values)
    return call.tf.where(*(widened(call, value, rank) for value in (condition, a, b)))


IMPLEMENTED = {
    "LESS": _two("less"),
    "LESS_EQUAL": _two("less_equal"),
    "GREATER": _two("greater"),
    "GREATER_EQUAL": _two("greater_equal"),
    "EQUAL": _two("equal"),
    "NOT_EQUAL": _two("not_equal"),
    "LOGICAL_AND": _two("logical_and"),
    "LOGICAL_OR": _two("logical_or"),
    "LOGICAL_NOT": lambda call: call.tf.logical_not(call.values[0]),
    "SELECT": select,
    "SELECT_V2": select,
}
