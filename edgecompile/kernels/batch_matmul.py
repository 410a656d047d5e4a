"""BATCH_MATMUL int8, int16 and float32: twin of ``batch_matmul.h``."""

from __future__ import annotations

from math import prod

import numpy as np

from edgecompile.kernels.elements import NUMBERS, of_one_type
from edgecompile.kernels.quantities import scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Array, Call, Routine, Setting, Site

OPERATORS = ("BATCH_MATMUL",)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int8", "int16", "float32"), site.input(0), site.input(1), site.output)
    if reason is not None:
        return reason
    return "a factor that is no matrix" if min(len(site.given(i).shape) for i in (0, 1)) < 2 else None


def routine(site: Site) -> Routine:
    """One call; ``adj_x`` and ``adj_y`` swap the last two axes of a factor, which is a matter of strides."""
    first, second, output = site.given(0), site.given(1), site.output
    batches = output.shape[:-2]
    rows, columns = output.shape[-2:]
    adjoint_x, adjoint_y = bool(site.operator.options.get("adj_x")), bool(site.operator.options.get("adj_y"))
    depth = first.shape[-2] if adjoint_x else first.shape[-1]
    settings: dict[str, Setting] = {
        "batches": prod(batches),
        "rows": rows,
        "columns": columns,
        "depth": depth,
        "type": NUMBERS[output.dtype],
        "first_row": 1 if adjoint_x else depth,
        "first_depth": rows if adjoint_x else 1,
        "second_depth": 1 if adjoint_y else columns,
        "second_column": depth if adjoint_y else 1,
    }
    if output.dtype != "float32":
        real = scale_of(first) * scale_of(second) / scale_of(output)
        settings["multiplier"], settings["shift"] = quantize_multiplier(real)
        settings |= {
            "first_zero_point": zero_point_of(first),
            "second_zero_point": zero_point_of(second),
            "output_zero_point": zero_point_of(output),
            "rounding": int(site.rounding == "once"),
        }
    call = Call(
        kernel="batch_matmul",
        settings=settings,
        constants={
            "first_offsets": _offsets(first.shape, batches),
            "second_offsets": _offsets(second.shape, batches),
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))


def _offsets(shape: tuple[int, ...], batches: tuple[int, ...]) -> Array:
    """Where the matrix of each output batch begins, in elements."""
    own = np.arange(prod(shape[:-2])).reshape(shape[:-2]) * (shape[-2] * shape[-1])
    return np.ascontiguousarray(np.broadcast_to(own, batches)).reshape(-1).astype(np.int32)
