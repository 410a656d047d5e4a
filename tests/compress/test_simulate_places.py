"""Rows of a table at places that came as floats, as samples of an embedding do."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.compress.simulate.run import run
from edgecompile.ir.build import NetworkBuilder

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_an_embedding_takes_places_of_any_type(dtype: type) -> None:
    build = NetworkBuilder()
    places = build.input("places", (1, 3), "int32")
    table = np.arange(10, dtype=np.float32).reshape(5, 2)
    build.op("GATHER", [build.constant("table", table), places], [build.tensor("y", (1, 3, 2))])
    network = build.output(2).build()

    outputs, _ = run(network, [np.array([[4, 0, 1]], dtype)])

    assert outputs[0].tolist() == [table[[4, 0, 1]].tolist()]
