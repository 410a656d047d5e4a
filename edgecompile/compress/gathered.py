"""Rows of a table in the table's own integers: a GATHER copies them, so what it makes has their scale too.

The quantizer gives both one scale. Held codes bring another to the table; a QUANTIZE then leads back to the scale that
the layers behind were made for.
"""

from __future__ import annotations

from dataclasses import replace

from edgecompile.compress.sites import sites_of
from edgecompile.ir.network import Network, Operator, Quantization, Subgraph
from edgecompile.ir.rewrite import add_tensors, redirect, redirect_outputs, replace_operator, replace_subgraph

OPERATOR = "GATHER"


def with_tables_scales(network: Network) -> Network:
    """The network with a QUANTIZE behind each GATHER whose table has another scale than its output."""
    found = [
        number
        for site in sites_of(network)
        if site.operator == OPERATOR
        for number in site.operators
        if _differ(network.main, number)
    ]
    for number in sorted(found, reverse=True):
        network = _led_back(network, number)
    return network


def _differ(main: Subgraph, number: int) -> bool:
    table, rows = (main.tensors[index].quantization for index in _ends(main, number))
    return table is not None and rows is not None and _numbers(table) != _numbers(rows)


def _numbers(quantization: Quantization) -> tuple[float, int]:
    return quantization.scales[0], quantization.zero_points[0]


def _ends(main: Subgraph, number: int) -> tuple[int, int]:
    return main.operators[number].inputs[0], main.operators[number].outputs[0]


def _led_back(network: Network, number: int) -> Network:
    main = network.main
    table, rows = _ends(main, number)
    given, wanted = main.tensors[table].quantization, main.tensors[rows]
    assert given is not None and wanted.quantization is not None
    main, (back,) = add_tensors(main, [replace(wanted, name=f"{wanted.name}/requantized")])
    main = redirect(main, {rows: back})
    main = replace_operator(
        main, number, main.operators[number], Operator(name="QUANTIZE", inputs=(rows,), outputs=(back,))
    )
    scale, zero_point = _numbers(given)
    own = replace(wanted.quantization, scales=(scale,), zero_points=(zero_point,))
    tensors = tuple(replace(wanted, quantization=own) if i == rows else t for i, t in enumerate(main.tensors))
    changed = replace_subgraph(network, replace(main, tensors=tensors))
    return redirect_outputs(changed, {rows: back})
