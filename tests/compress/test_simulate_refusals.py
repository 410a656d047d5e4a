"""What a simulation refuses, and how it says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.rewrite import replace_subgraph, replace_tensor

pytestmark = pytest.mark.tensorflow


def _dense() -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 4))
    w = build.constant("w", np.eye(4, dtype=np.float32))
    build.output(build.op("FULLY_CONNECTED", [x, w, -1], [build.tensor("y", (1, 4))]))
    return build.build()


def test_an_operator_without_simulation_is_refused_by_name() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4))
    build.output(build.op("CUSTOM", [x], [build.tensor("y", (1, 4))], custom_code="Scramble"))

    with pytest.raises(RejectedError) as caught:
        Simulation(build.build())

    assert caught.value.diagnostics[0].code == "EC350"
    assert "Scramble" in caught.value.diagnostics[0].message


def test_samples_of_another_shape_are_refused() -> None:
    simulation = Simulation(_dense())

    with pytest.raises(BadInputError, match="EC351"):
        simulation([np.zeros((2, 5), np.float32)])


def test_weights_without_their_zeros_are_refused() -> None:
    network = _dense()
    raw = SimpleNamespace(sparsity=object())
    weights = replace(network.main.tensors[1], raw=raw)
    sparse = replace_subgraph(network, replace_tensor(network.main, 1, weights))

    with pytest.raises(RejectedError, match="EC352"):
        Simulation(sparse)


def test_another_number_of_inputs_is_refused() -> None:
    simulation = Simulation(_dense())

    with pytest.raises(BadInputError, match="EC351"):
        simulation([])


@pytest.mark.slow
@pytest.mark.data
def test_real_networks_are_refused_for_custom_operators_and_open_shapes_only(data: Path) -> None:
    refused: dict[str, set[str]] = {}
    for path in sorted((data / "tflite").glob("*.tflite")):
        network = read(path.read_bytes())
        try:
            Simulation(network)
        except RejectedError as error:
            builtin = {operator.label for operator in network.main.operators if operator.name != "CUSTOM"}
            named = {diagnostic.message.split()[0] for diagnostic in error.diagnostics}
            refused[path.name] = named & builtin

    assert {name: found for name, found in refused.items() if found} == {
        "tensorflow__examples__65aa0106__dummy_sp_text_embedder.tflite": {"WHERE"},
        "tensorflow__tflite-support__b5330530__dilated_conv.tflite": {"SHAPE"},
    }
