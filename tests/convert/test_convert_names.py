from __future__ import annotations

import pytest

from edgecompile.convert.failures import explain, telling_line
from edgecompile.ir.layer_names import layer_of

DUMP = """Traceback of the compiler
/home/x/model.py:8:1: error: 'tf.Foo' op requires something
model(x)
^
<unknown>:0: note: see current operation: %1 = "tf.Foo"
"""


@pytest.mark.parametrize(
    "tensor, layer",
    [
        pytest.param("model/conv/Relu", "conv", id="plain"),
        pytest.param("model/conv/Relu;model/conv/Conv2D", "conv", id="fused"),
        pytest.param("model/block/conv/Conv2D", "block/conv", id="nested"),
        pytest.param("model/inv/MatrixInverse@__inference_f_22", "inv", id="location"),
        pytest.param("tfl.dequantize", None, id="inserted-by-the-quantizer"),
        pytest.param("StatefulPartitionedCall:0", None, id="output"),
        pytest.param("tfl.x;model/dense/MatMul", "dense", id="second-part"),
        pytest.param("g/Variable", "g", id="variable"),
        pytest.param("model/add", None, id="operation-without-a-layer"),
        pytest.param("while", None, id="no-scope"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_layer_is_read_from_a_tensors_name(tensor: str, layer: str | None) -> None:
    assert layer_of(tensor, "model") == layer


@pytest.mark.parametrize(
    "text, line",
    [
        pytest.param(DUMP, "'tf.Foo' op requires something", id="dump"),
        pytest.param("\n  only this\nand that", "only this", id="without-error"),
        pytest.param("", "", id="empty"),
        pytest.param("error: " + "x" * 1000, "x" * 300, id="long"),
    ],
)
def test_one_line_is_kept_of_a_dump(text: str, line: str) -> None:
    assert telling_line(text) == line


@pytest.mark.parametrize(
    "text, code",
    [
        pytest.param(DUMP, "EC410", id="anything"),
        pytest.param("x: error: 'tf.TensorListReserve' op requires element_shape to be static", "EC405", id="static"),
    ],
)
def test_what_the_converter_says_becomes_one_diagnostic(text: str, code: str) -> None:
    error = explain(ValueError(text), "model", "int8")

    (diagnostic,) = error.diagnostics
    assert (diagnostic.code, error.exit_code) == (code, 1)
    assert telling_line(text) in diagnostic.notes[0]
    assert len(diagnostic.render().splitlines()) < 8
