"""Write what passes hold of weights over the integers that TensorFlow's quantizer chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.gathered import with_tables_scales
from edgecompile.compress.sites import Site, bias_of, sites_of, spread, weights_of
from edgecompile.compress.subject import Held
from edgecompile.core.errors import internal
from edgecompile.ir.network import Buffer, Network, Operator, Quantization, Subgraph, Tensor
from edgecompile.ir.rewrite import replace_subgraph

Array = np.ndarray[Any, Any]


def hold(quantized: Network, floats: Network, held: Mapping[str, Held]) -> Network:
    """The quantized network with held codes and zeros in its weights; ``floats`` is what it was quantized from.

    Codes and their scales replace the weights and their scales, zeros are set in weights without codes, and each
    bias is rounded anew from the float bias, with the scale of the input times that of the weights. Weights that the
    scheme leaves in float stay: they equal the codes times the scales already. Rows of tables whose scale is now
    another are brought back to the scale they had. Raises EC901 when a layer was lost in quantization.
    """
    for site in sites_of(floats):
        promise = held.get(site.key)
        if promise is None or (promise.codes is None and promise.zeros is None):
            continue
        places = places_of(quantized, site)
        if not places:
            raise internal(
                "EC901",
                f"the quantizer lost the layer that makes `{site.key}`",
                notes=["an earlier step bound its weights, and no operator of the integer network bears its name"],
                help=["this is a fault of the compiler: please report it with the command you ran"],
            )
        for place in places:
            if quantized.main.tensors[place.weights].dtype == "int8":
                codes, scales = _integers(quantized, place, promise, weights_of(floats, site))
                quantized = write_weights(quantized, place, codes, scales, bias_of(floats, site))
    return with_tables_scales(quantized)


def places_of(quantized: Network, site: Site) -> tuple[Site, ...]:
    """The sites of ``quantized`` with a float site's weights; a layer used twice may be stored twice."""
    return tuple(
        place
        for place in sites_of(quantized)
        if (place.operator, place.slot) == (site.operator, site.slot) and set(place.names) & set(site.names)
    )


def write_weights(network: Network, site: Site, codes: Array, scales: Array, bias: Array | None) -> Network:
    """The network with other integers in a site: ``codes`` of the weights' shape, ``scales`` one or one a channel.

    ``bias``: the float bias, one value for each output channel; None leaves the stored one alone.
    """
    main = network.main
    stored = main.tensors[site.weights]
    raw = stored.quantization.raw if stored.quantization else None
    axis = site.axis if len(scales) > 1 and site.axis is not None else 0
    weights = Buffer(np.ascontiguousarray(codes, np.int8).tobytes())
    quantization = Quantization(scales=tuple(map(float, scales)), zero_points=(0,) * len(scales), axis=axis, raw=raw)
    tensors = list(main.tensors)
    for operator in (main.operators[number] for number in site.operators):
        index = operator.inputs[site.slot]
        tensors[index] = replace(main.tensors[index], buffer=weights, quantization=quantization)
        place = _bias_place(operator, site, main)
        if bias is not None and place is not None:
            scale = input_scale(main, operator, site.slot)
            tensors[place] = integer_bias(main.tensors[place], bias, scale * np.asarray(scales, np.float64))
    return replace_subgraph(network, replace(main, tensors=tuple(tensors)))


def integer_bias(stored: Tensor, bias: Array, steps: Array) -> Tensor:
    """The bias tensor holding ``round(bias / steps)``, ``steps`` the scale of the input times those of the weights.

    A channel whose weights are all zero has a scale of no meaning: its bias saturates rather than wraps around.
    """
    limits = np.iinfo(np.dtype(stored.dtype))
    scales = steps.astype(np.float32)
    exact = np.round(bias.astype(np.float64) / scales)
    # float64 cannot hold the ends of int64, so the comparison is with what it can hold just inside.
    low, high = float(limits.min), np.nextafter(float(limits.max), 0)
    values = np.clip(exact, low, high).astype(stored.dtype)
    raw = stored.quantization.raw if stored.quantization else None
    quantization = Quantization(scales=tuple(map(float, scales)), zero_points=(0,) * len(scales), axis=0, raw=raw)
    return replace(stored, buffer=Buffer(values.tobytes()), quantization=quantization)


def input_scale(main: Subgraph, operator: Operator, slot: int) -> float:
    """The scale of the activations that an operator multiplies the weights in ``slot`` with."""
    given = 2 if operator.name == "TRANSPOSE_CONV" else 1 if slot == 0 else 0
    quantization = main.tensors[operator.inputs[given]].quantization
    assert quantization is not None
    return quantization.scales[0]


def real_weights(network: Network, site: Site) -> Array:
    """The weights as float32 real numbers, also where they are stored as integers (zero point 0)."""
    stored = network.main.tensors[site.weights]
    values = weights_of(network, site)
    if stored.quantization is None or stored.dtype == "float32":
        return values.astype(np.float32)
    scales = np.array(stored.quantization.scales, np.float32)
    return values.astype(np.float32) * spread(scales, stored.shape, _axis(stored, site))


def real_bias(network: Network, site: Site) -> Array | None:
    """The bias as float32 real numbers; None where the site has none."""
    bias = bias_of(network, site)
    if bias is None or site.bias is None:
        return None
    quantization = network.main.tensors[site.bias].quantization
    if quantization is None or bias.dtype == np.float32:
        return bias.astype(np.float32)
    values: Array = (bias.astype(np.float64) * np.array(quantization.scales)).astype(np.float32)
    return values


def scales_of(network: Network, site: Site) -> Array:
    """The scales of integer weights, float32, one or one for each channel."""
    quantization = network.main.tensors[site.weights].quantization
    assert quantization is not None
    return np.array(quantization.scales, np.float32)


def _integers(network: Network, site: Site, promise: Held, floats: Array) -> tuple[Array, Array]:
    """Held codes and scales; else the stored ones with zeros where they must be."""
    if promise.codes is not None and promise.scales is not None:
        return promise.codes, promise.scales
    stored = network.main.tensors[site.weights]
    assert stored.quantization is not None and promise.zeros is not None
    if any(stored.quantization.zero_points):
        # A table of rows: its zero would be stored as another number.
        scale = max(float(np.abs(floats).max()), 1e-12) / 127
        return np.where(promise.zeros, 0, np.round(floats / scale)).astype(np.int8), np.array([scale])
    return np.where(promise.zeros, 0, weights_of(network, site)), np.array(stored.quantization.scales, np.float64)


def _axis(stored: Tensor, site: Site) -> int | None:
    quantization = stored.quantization
    return quantization.axis if quantization is not None and quantization.per_channel else site.axis


def _bias_place(operator: Operator, site: Site, main: Subgraph) -> int | None:
    """The tensor of the operator's constant bias: in the slot where the site's first operator has it."""
    if site.bias is None:
        return None
    slot = main.operators[site.operators[0]].inputs.index(site.bias)
    return operator.inputs[slot] if slot < len(operator.inputs) and operator.inputs[slot] >= 0 else None
