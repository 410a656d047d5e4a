"""FULLY_CONNECTED int8 with weights in a shorter form than dense: twin of ``fully_connected_forms_s8.h``."""

from __future__ import annotations

from edgecompile.kernels.conv_2d_forms_s8 import form_of, table_words
from edgecompile.kernels.convolution import in_pairs, refuse_convolution, scaling
from edgecompile.kernels.routine import Call, Routine, Site
from edgecompile.kernels.weight_forms import DENSE
from edgecompile.kernels.weight_packing import NUMBERS, pack

OPERATORS = ("FULLY_CONNECTED",)
# Before the kernels of dense weights.
RANK = -1


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_convolution(site)
    if reason is not None:
        return reason
    if site.operator.options.get("weights_format", "DEFAULT") != "DEFAULT":
        return "shuffled weights"
    return "weights that are best stored one by one" if form_of(site) == DENSE else None


def routine(site: Site) -> Routine:
    """One call; scratch holds a table and the inputs of a batch as int16."""
    weights, form = site.given(1).array, form_of(site)
    assert weights is not None
    outputs, inputs = weights.shape
    quantities, constants = scaling(site, weights)
    batches = site.output.elements // outputs
    call = Call(
        kernel="fully_connected_forms_s8",
        settings={"form": NUMBERS[form], "batches": batches, "inputs": inputs, "outputs": outputs, **quantities},
        constants={**pack(weights, form), **in_pairs(constants)},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    return Routine(calls=(call,), scratch_bytes=4 * (table_words(form) + (inputs + 1) // 2))
