"""Models are called after their files, dots within the name included."""

from __future__ import annotations

import pytest

from edgecompile.core.naming import model_name


@pytest.mark.parametrize(
    "spec, name",
    [
        ("kws.keras", "kws"),
        ("models/KWS.H5", "KWS"),
        ("mobilenet_v1_0.25_128_quant.tflite", "mobilenet_v1_0_25_128_quant"),
        ("saved/model.v2/", "model_v2"),
        ("package.module:make_model", "make_model"),
        ("train.py:make_model", "make_model"),
        (".keras", "model"),
    ],
)
def test_a_model_is_called_after_its_file(spec: str, name: str) -> None:
    assert model_name(spec) == name


def test_sizes_of_one_network_have_names_of_their_own() -> None:
    sizes = [f"mobilenet_v1_{width}_224_quant.tflite" for width in ("0.25", "0.5", "0.75", "1.0")]

    assert len({model_name(size) for size in sizes}) == len(sizes)
