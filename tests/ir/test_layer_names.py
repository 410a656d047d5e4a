"""What diagnostics call a layer whose tensor bears the names of all that was fused into it."""

from __future__ import annotations

import pytest

from edgecompile.ir.layer_names import layer_of, short_name


@pytest.mark.parametrize(
    ("tensor", "short"),
    [
        ("model/relu/Relu;model/norm/FusedBatchNormV3;model/conv/Conv2D", "relu"),
        ("model/block/conv/BiasAdd", "conv"),
        ("model/lstm/while#3", "lstm"),
        ("dense:0", "dense"),
        ("logits", "logits"),
        ("", ""),
    ],
    ids=["fused", "nested", "one weight of many", "output", "plain", "none"],
)
def test_a_long_name_becomes_that_of_its_first_layer(tensor: str, short: str) -> None:
    assert short_name(tensor) == short


def test_the_models_own_name_is_no_layer() -> None:
    assert layer_of("model/block/conv/Relu;model/block/conv/Conv2D", "model") == "block/conv"
    assert layer_of("tfl.quantize", "model") is None
