"""A recipe of float steps in schemes that keep floats: what the steps made is in the weights that are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from quantized_networks import floats, samples

from edgecompile.compression import Material, compress
from edgecompile.core.progress import Silent
from edgecompile.core.recipe import Recipe, Scheme, Step

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("numerics", ["float32", "float16", "dynamic"])
def test_zeros_are_stored_as_zeros(numerics: str) -> None:
    scheme = Scheme(numerics=numerics, io_dtype="float32")
    material = Material(
        recipe=Recipe(name="pruned", steps=(Step(name="prune", options={"sparsity": 0.5, "epochs": 0}),)),
        schemes=[scheme],
        forms={"any": ["dense"]},
        calibration=samples().x,
        train=None,
        validation=None,
        teachers={},
        metric=None,
        partly=False,
        widely=False,
        base=Path(),
        seed=0,
        folder=None,
        progress=Silent(),
    )

    made = compress(floats(), "model", material).networks[scheme.label]

    weights = [t.array for t in made.main.tensors if t.is_constant and t.elements > 16 and t.dtype != "int32"]
    stored = np.concatenate([np.asarray(array, np.float32).reshape(-1) for array in weights if array is not None])
    assert np.mean(stored == 0) > 0.4
