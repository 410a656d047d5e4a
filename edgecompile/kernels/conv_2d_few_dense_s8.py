"""CONV_2D int8 of few input channels whose rows go into a dense layer's sums: twin of ``conv_2d_few_dense_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.convolution import scaling
from edgecompile.kernels.routine import Call, Routine, Site

# What makes the rows, and the dense layers, of weights one by one, that this takes over.
ROWS, WHOLE, TOGETHER = "conv_2d_few_s8", "fully_connected_s8", "conv_2d_few_dense_s8"


def routine(convolution: Site, rows: Routine, dense: Site, whole: Routine) -> Routine | None:
    """One call in place of those of ``rows`` and ``whole``; None where it cannot be, or would not need fewer bytes."""
    if [[call.kernel for call in routine.calls] for routine in (rows, whole)] != [[ROWS], [WHOLE]]:
        return None
    weights, result = dense.given(1).array, convolution.output
    assert weights is not None
    _, out_h, out_w, out_c = result.shape
    row, outputs = out_w * out_c, len(weights)
    own = 4 * outputs + -(-row // 4) * 4
    if result.shape[0] != 1 or dense.output.elements != outputs or weights.shape[1] != out_h * row:
        return None
    if convolution.given(0).size_bytes + own >= result.size_bytes:
        return None
    quantities, constants = scaling(dense, weights, paired=False)
    call = rows.calls[0]
    return Routine(
        calls=(
            Call(
                kernel=TOGETHER,
                settings={
                    **{f"conv.{name}": value for name, value in call.settings.items()},
                    "outputs": outputs,
                    "row": row,
                    **{name: quantities[name] for name in ("output_zero_point", "lowest", "highest", "rounding")},
                },
                constants={
                    **{f"conv.{name}": values for name, values in call.constants.items()},
                    "weights": np.ascontiguousarray(weights),
                    **constants,
                },
                inputs=call.inputs,
                outputs=dense.operator.outputs,
                scratch=True,
            ),
        ),
        scratch_bytes=own + rows.scratch_bytes,
    )
