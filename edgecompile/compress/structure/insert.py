"""Put the layers of a factored weight tensor in the place of the one that it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.sites import Site, bias_of
from edgecompile.compress.structure.factor import Factors
from edgecompile.ir.build import settings
from edgecompile.ir.compact import drop_unused
from edgecompile.ir.network import Buffer, Network, Operator, Subgraph, Tensor
from edgecompile.ir.rewrite import add_tensors, replace_operator, replace_subgraph

Array = np.ndarray[Any, Any]
SUFFIX = "low_rank"
# Which steps and dilations of the layer a part takes over, by form: (along h, along w).
_MOVES = {
    "svd": ((True, True), (False, False)),
    "spatial": ((True, False), (False, True)),
    "tucker": ((False, False), (True, True), (False, False)),
}


def insert(network: Network, chosen: Mapping[int, tuple[Site, Factors]]) -> Network:
    """The network with the operators of sites replaced by those of their factors, keyed by weights tensor.

    The last operator of each keeps output, bias and fused activation, so that the site goes on under its name; what is
    between is called ``<output>/low_rank``, ``<output>/low_rank_2``. A layer used several times shares the parts'
    weights.
    """
    main = network.main
    parts: dict[int, tuple[int, ...]] = {}
    biases: dict[int, int] = {}
    for key, (site, factors) in chosen.items():
        main, parts[key] = add_tensors(main, _constants(main, site, factors))
        main, (biases[key],) = add_tensors(main, [_bias(network, main, site, factors)])
    for number in reversed(range(len(main.operators))):
        operator = main.operators[number]
        key = operator.inputs[1] if len(operator.inputs) > 1 else -1
        if key in chosen and number in chosen[key][0].operators:
            main = _replaced(main, number, chosen[key][1], parts[key], biases[key])
    return drop_unused(replace_subgraph(network, main))


def _constants(main: Subgraph, site: Site, factors: Factors) -> list[Tensor]:
    """Weights of all parts, then a bias of zeros for each but the last: quantizers and kernels expect one."""
    name = main.tensors[site.weights].name
    dense = site.operator == "FULLY_CONNECTED"
    weights = [part[:, 0, 0] if dense else part for part in factors.parts]
    zeros = [np.zeros(len(part), np.float32) for part in factors.parts[:-1]]
    return [
        *(_constant(f"{name}/{SUFFIX}_{i + 1}", part) for i, part in enumerate(weights)),
        *(_constant(f"{name}/{SUFFIX}_{i + 1}/bias", part) for i, part in enumerate(zeros)),
    ]


def _bias(network: Network, main: Subgraph, site: Site, factors: Factors) -> Tensor:
    old = bias_of(network, site)
    name = main.tensors[site.bias].name if site.bias is not None else f"{main.tensors[site.weights].name}/bias"
    return _constant(f"{name}/{SUFFIX}", factors.shift if old is None else old + factors.shift)


def _constant(name: str, values: Array) -> Tensor:
    content = np.ascontiguousarray(values, dtype=np.float32)
    return Tensor(name=name, shape=content.shape, dtype="float32", buffer=Buffer(content.tobytes()))


def _replaced(main: Subgraph, number: int, factors: Factors, constants: tuple[int, ...], bias: int) -> Subgraph:
    operator = main.operators[number]
    count = len(factors.parts)
    weights, zeros = constants[:count], (*constants[count:], bias)
    x, operators = operator.inputs[0], []
    for i in range(count):
        made = operator if i == count - 1 else None
        options = _options(operator, factors.form, i, last=made is not None)
        if made is None:
            main, (y,) = add_tensors(main, [_between(main, operator, x, factors, i, options)])
        else:
            y = operator.outputs[0]
        operators.append(replace(operator, inputs=(x, weights[i], zeros[i]), outputs=(y,), options=options))
        x = y
    return replace_operator(main, number, *operators)


def _options(operator: Operator, form: str, part: int, *, last: bool) -> dict[str, Any]:
    options = dict(operator.options)
    if not last:
        options["fused_activation_function"] = "NONE"
    if operator.name == "FULLY_CONNECTED":
        return options
    for axis, moves in zip("hw", _MOVES[form][part], strict=True):
        if not moves:
            options[f"stride_{axis}"] = settings("CONV_2D", {})[f"stride_{axis}"]
            options[f"dilation_{axis}_factor"] = 1
    return options


def _between(
    main: Subgraph, operator: Operator, x: int, factors: Factors, part: int, options: Mapping[str, Any]
) -> Tensor:
    """The value between two parts."""
    whole = main.tensors[operator.outputs[0]]
    channels, high, wide, _ = factors.parts[part].shape
    name = f"{whole.name}/{SUFFIX}" + (f"_{part + 1}" if part else "")
    if operator.name == "FULLY_CONNECTED":
        return Tensor(name=name, shape=(*whole.shape[:-1], channels), dtype="float32")
    given = main.tensors[x].shape
    sizes = [
        _length(given[1 + i], size, options[f"stride_{axis}"], options[f"dilation_{axis}_factor"] or 1, options)
        for i, (axis, size) in enumerate((("h", high), ("w", wide)))
    ]
    return Tensor(name=name, shape=(given[0], *sizes, channels), dtype="float32")


def _length(length: int, size: int, step: int, gap: int, options: Mapping[str, Any]) -> int:
    if options["padding"] == "SAME":
        return -(-length // step)
    return -(-(length - (size - 1) * gap) // step)
