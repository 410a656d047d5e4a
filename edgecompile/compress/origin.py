"""The float network behind an integer one: carry trained integers back into it, and quantize it anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.bias_room import with_room
from edgecompile.compress.context import Context, Samples
from edgecompile.compress.integers import hold, places_of, real_bias, real_weights, scales_of
from edgecompile.compress.sites import sites_of, weights_of, with_constants
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.subject import NOTHING, Held, Subject
from edgecompile.core.errors import rejected

Array = np.ndarray[Any, Any]


def origin_of(subject: Subject, step: str) -> Subject:
    """The float subject of an integer one. Raises EC340 where it is not known, as for a model that came in integers."""
    if subject.origin is None:
        raise rejected(
            "EC340",
            f"`{step}` needs the float model that the integers were made from",
            notes=["the model came quantized: what its layers gave before is not known"],
            help=["build from the Keras model", f"or take `{step}` out of the recipe"],
        )
    return subject.origin


def calibration_of(context: Context, step: str) -> Samples:
    """The calibration samples. Raises EC341 where there are none."""
    if context.calibration is None or not len(context.calibration):
        raise rejected(
            "EC341",
            f"`{step}` needs calibration samples, and there are none",
            notes=["it compares what layers give for real inputs, before and after quantization", "found: no samples"],
            help=["name data in `edgecompile.toml` under [data]", f"or take `{step}` out of the recipe"],
        )
    return context.calibration


def quantized(floats: Subject, context: Context) -> Subject:
    """The integer subject of a float one: TensorFlow's quantizer, then the held codes over its integers."""
    made = context.quantize(floats.network)
    network, held, _ = with_room(floats.network, floats.held, made)
    floats = replace(floats, network=network, held=held)
    return replace(floats, network=hold(made, network, held), origin=floats)


def requantized(subject: Subject, context: Context) -> Subject:
    """The integer subject with ranges of activations measured anew, for the weights that it has now.

    Raises EC340 without the float network.
    """
    carried = with_own_origin(subject)
    floats = origin_of(carried, "quantize").network
    promises = {
        site.key: bound(subject, place.key)
        for site in sites_of(floats)
        for place in places_of(subject.network, site)[:1]
        if subject.network.main.tensors[place.weights].dtype == "int8"
    }
    made = context.quantize(floats)
    roomy, promises, changed = with_room(floats, promises, made)
    carried = replace(carried, origin=replace(origin_of(carried, "quantize"), network=roomy))
    own = {key: promises[key] for key in changed if carried.held.get(key, NOTHING).is_shared}
    return replace(carried.with_held(own), network=hold(made, roomy, promises))


def with_own_origin(subject: Subject) -> Subject:
    """The integer subject whose float network has the weights and biases that the integers stand for now.

    Raises EC340 without a float network.
    """
    origin = origin_of(subject, "quantize")
    network = own_constants(origin.network)
    constants: dict[int, Array] = {}
    for site in sites_of(network):
        for place in places_of(subject.network, site)[:1]:
            constants[site.weights] = real_weights(subject.network, place)
            bias = real_bias(subject.network, place)
            if site.bias is not None and bias is not None:
                constants[site.bias] = bias
    return replace(subject, origin=replace(origin, network=with_constants(network, constants)))


def bound(subject: Subject, key: str) -> Held:
    """The integers of a site as they are, as a promise."""
    site = next(site for site in sites_of(subject.network) if site.key == key)
    return replace(
        subject.held.get(key, NOTHING),
        codes=weights_of(subject.network, site),
        scales=scales_of(subject.network, site),
    )


def all_bound(subject: Subject) -> Mapping[str, Held]:
    """All int8 weights as promises: simulations of the network then keep their scales whatever becomes of weights."""
    main = subject.network.main
    return {
        site.key: bound(subject, site.key)
        for site in sites_of(subject.network)
        if main.tensors[site.weights].dtype == "int8"
    }
