"""Weights of few bits in a quantized network: the start from which training, or rounding, makes them better."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.compress.context import Context
from edgecompile.compress.oneshot.fit import Form
from edgecompile.compress.oneshot.inputs import has_inputs
from edgecompile.compress.oneshot.sequence import Plan, one_shot
from edgecompile.compress.origin import calibration_of, origin_of, quantized
from edgecompile.compress.sites import sites_of
from edgecompile.compress.subject import NOTHING, Subject


def with_few_bits(subject: Subject, bits: int, context: Context) -> Subject:
    """The integer subject with weights of ``bits`` bits, chosen layer by layer on calibration samples.

    Tensors that are shared or of as few bits already stay as they are. Raises EC340 without the float network, EC341
    without calibration samples.
    """
    floats = origin_of(subject, "quantize")
    samples = calibration_of(context, "quantize")
    plans = {
        site.key: Plan(
            form=Form(bits=bits, per_row=context.scale_axis(site.operator, site.axis) is not None, seed=context.seed)
        )
        for site in sites_of(floats.network)
        if has_inputs(site) and not floats.held.get(site.key, NOTHING).is_shared
    }
    network, held = one_shot(floats.network, plans, samples, floats.held, seed=context.seed, progress=context.progress)
    made = quantized(replace(floats, network=network, held=held), context)
    # Ranges and promises are new; what the float network was before stays what layers are compared with.
    network = origin_of(made, "quantize").network
    return replace(
        subject, network=made.network, held={**subject.held, **made.held}, origin=replace(floats, network=network)
    )
