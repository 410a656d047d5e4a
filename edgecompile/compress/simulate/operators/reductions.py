"""Many elements to one, along axes that are known."""

from __future__ import annotations

from collections.abc import Callable

from edgecompile.compress.simulate.call import Call, Value


def _reduce(name: str) -> Callable[[Call], Value]:
    def operator(call: Call) -> Value:
        axes = [call.axis(axis, call.rank(0)) for axis in call.ints(1)]
        compute = getattr(call.tf, name)
        return compute(call.values[0], axis=axes, keepdims=bool(call.option("keep_dims"))) if axes else call.values[0]

    return operator


def _arg(name: str) -> Callable[[Call], Value]:
    def operator(call: Call) -> Value:
        axis = call.axis(call.ints(1)[0], call.rank(0))
        dtype = getattr(call.tf, call.outputs[0].dtype)
        return getattr(call.tf, name)(call.values[0], axis=axis, output_type=dtype)

    return operator


def cumsum(call: Call) -> Value:
    """Running sums along one axis."""
    axis = call.axis(call.ints(1)[0], call.rank(0))
    exclusive, reverse = bool(call.option("exclusive")), bool(call.option("reverse"))
    return call.tf.cumsum(call.values[0], axis, exclusive=exclusive, reverse=reverse)


IMPLEMENTED = {
    "MEAN": _reduce("reduce_mean"),
    "SUM": _reduce("reduce_sum"),
    "REDUCE_MAX": _reduce("reduce_max"),
    "REDUCE_MIN": _reduce("reduce_min"),
    "REDUCE_PROD": _reduce("reduce_prod"),
    "REDUCE_ANY": _reduce("reduce_any"),
    "REDUCE_ALL": _reduce("reduce_all"),
    "ARG_MAX": _arg("argmax"),
    "ARG_MIN": _arg("argmin"),
    "CUMSUM": cumsum,
}
