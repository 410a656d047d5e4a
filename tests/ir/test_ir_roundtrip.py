"""Each form that a .tflite can take is read as what it is and written back as what it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ir_networks import changed, conv_network, kept, packed, raw_model
from ir_walk import differences

from edgecompile.ir import encode
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import EMPTY, Buffer, Network, Quantization
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.libs.schema import new

GOOD = write(conv_network())
UNMODELLED = ("raw",)


def test_a_built_network_is_read_as_it_was_built() -> None:
    network = conv_network()

    found = list(differences(network, read(write(network)), ignore=(*UNMODELLED, "buffers", "data")))

    assert found == []
    for a, b in zip(network.main.tensors, read(write(network)).main.tensors, strict=True):
        assert bytes(a.buffer.data) == bytes(b.buffer.data)


def test_equal_networks_give_equal_bytes() -> None:
    assert write(conv_network()) == write(conv_network())


def test_equal_operator_codes_are_shared_and_others_are_not() -> None:
    build = NetworkBuilder()
    x = build.input("x", (4,))
    for version in (1, 1, 2):
        y = build.tensor(f"y{version}", (4,))
        build.op("RELU", [x], [y], version=version)
        x = y

    codes = raw_model(write(build.output(x).build())).operatorCodes

    assert [(code.builtinCode, code.version) for code in codes] == [(19, 1), (19, 2)]


@pytest.mark.parametrize(
    "name, code, old",
    [pytest.param("ADD", 0, 0, id="small"), pytest.param("GELU", 150, 127, id="beyond the old field")],
)
def test_both_fields_of_an_operator_code_are_written(name: str, code: int, old: int) -> None:
    build = NetworkBuilder()
    x, y = build.input("x", (4,)), build.tensor("y", (4,))
    build.op(name, [x, x] if name == "ADD" else [x], [y])

    written = raw_model(write(build.output(y).build())).operatorCodes[0]

    assert (written.builtinCode, written.deprecatedBuiltinCode) == (code, old)


def test_an_old_file_has_the_old_operator_code_only() -> None:
    def change(model: Any) -> None:
        model.operatorCodes[0].deprecatedBuiltinCode, model.operatorCodes[0].builtinCode = 3, 0

    assert kept(changed(GOOD, change)).main.operators[0].name == "CONV_2D"


def test_constants_of_every_length_are_aligned_to_16() -> None:
    build = NetworkBuilder()
    for length in range(1, 40):
        build.constant(f"c{length}", np.arange(length, dtype=np.int8))

    content = write(build.build())

    start = np.frombuffer(content, np.uint8).ctypes.data
    constants = [buffer.data for buffer in raw_model(content).buffers if buffer.data is not None]
    addresses = [data.ctypes.data - start for data in constants]
    assert len(addresses) == 39
    assert [address % 16 for address in addresses] == [0] * 39


def outside(content: bytes) -> bytes:
    """The file with its first constant stored behind the flatbuffer, as models over 2 GB have all of them."""
    model = raw_model(content)
    data, model.buffers[1].data = bytes(model.buffers[1].data), None
    model.buffers[1].offset, model.buffers[1].size = 2, len(data)
    model.buffers[1].offset = len(packed(model))
    return packed(model) + data


def test_a_constant_behind_the_flatbuffer_is_read_and_stays_there() -> None:
    network = kept(outside(GOOD))

    assert bytes(network.main.tensors[1].buffer.data) == bytes(read(GOOD).main.tensors[1].buffer.data)
    assert network.trailer == b""
    written = raw_model(write(network)).buffers[1]
    assert written.data is None
    assert (written.offset % 16, written.size) == (0, 108)
    assert write(network)[written.offset :][:108] == bytes(network.main.tensors[1].buffer.data)


def test_constants_go_behind_the_flatbuffer_when_they_are_too_many_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "INLINE_LIMIT_BYTES", 100)

    content = write(conv_network())

    assert all(buffer.data is None for buffer in raw_model(content).buffers)
    assert list(differences(read(content), read(GOOD), ignore=UNMODELLED)) == []


def test_large_custom_options_are_read_and_stay_behind_the_flatbuffer() -> None:
    content = write(custom_network(b""))
    model = raw_model(content)
    model.subgraphs[0].operators[0].largeCustomOptionsOffset = 2
    model.subgraphs[0].operators[0].largeCustomOptionsSize = 1000
    model.subgraphs[0].operators[0].largeCustomOptionsOffset = len(packed(model))

    network = kept(packed(model) + bytes(range(250)) * 4)

    assert network.main.operators[0].custom_options == bytes(range(250)) * 4
    assert raw_model(write(network)).subgraphs[0].operators[0].customOptions is None


def custom_network(options: bytes) -> Network:
    build = NetworkBuilder()
    x, y = build.input("x", (4,)), build.tensor("y", (4,))
    build.op("CUSTOM", [x, -1], [y], custom_code="my-op", custom_options=options, version=2)
    return build.output(y).build()


def test_custom_operators_keep_code_options_version_and_left_out_inputs() -> None:
    (operator,) = kept(write(custom_network(b"\0\1\2\xff"))).main.operators

    assert (operator.label, operator.version, operator.custom_options) == ("my-op", 2, b"\0\1\2\xff")
    assert operator.inputs == (0, -1)


@pytest.mark.parametrize(
    "dtype, values, packed_bytes",
    [
        pytest.param("int4", [-8, 7, 1, -1, 3], bytes([0x78, 0xF1, 0x03]), id="int4"),
        pytest.param("int2", [-2, 1, 0, -1, 1], bytes([0b11000110, 0b01]), id="int2"),
        pytest.param("uint4", [15, 0, 9], bytes([0x0F, 0x09]), id="uint4"),
        pytest.param("float16", [0.5, -2.0], np.array([0.5, -2.0], "<f2").tobytes(), id="float16"),
        pytest.param("bool", [True, False], b"\1\0", id="bool"),
        pytest.param("int64", [-1, 5], np.array([-1, 5], "<i8").tobytes(), id="int64"),
    ],
)
def test_constants_of_each_dtype_are_stored_as_tflite_does(dtype: str, values: list[Any], packed_bytes: bytes) -> None:
    build = NetworkBuilder()
    build.constant("c", np.array(values), dtype)

    tensor = kept(write(build.build())).main.tensors[0]

    assert bytes(tensor.buffer.data) == packed_bytes
    assert tensor.array is not None
    assert tensor.array.tolist() == values


def sparse(model: Any) -> None:
    tensor = model.subgraphs[0].tensors[1]
    tensor.sparsity = new("SparsityParameters")
    tensor.sparsity.traversalOrder = np.arange(4, dtype=np.int32)
    row, column = new("DimensionMetadata"), new("DimensionMetadata")
    row.denseSize = 4
    column.format, column.arraySegmentsType, column.arrayIndicesType = 1, 1, 3
    column.arraySegments, column.arrayIndices = new("Int32Vector"), new("Uint8Vector")
    column.arraySegments.values = np.array([0, 1, 2], np.int32)
    column.arrayIndices.values = np.array([2, 0], np.uint8)
    tensor.sparsity.dimMetadata = [row, column]
    model.buffers[1].data = np.array([5, -7], np.int8).view(np.uint8)


def test_a_sparse_constant_keeps_its_layout_and_is_no_plain_array() -> None:
    tensor = kept(changed(GOOD, sparse)).main.tensors[1]

    assert tensor.is_sparse
    assert tensor.array is None
    assert len(tensor.buffer) == 2


def unmodelled(model: Any) -> None:
    tensor = model.subgraphs[0].tensors[0]
    tensor.quantization.min, tensor.quantization.max = np.float32([-1.5]), np.float32([2.5])
    tensor.hasRank = True
    model.subgraphs[0].debugMetadataIndex = 3
    model.subgraphs[0].operators[0].debugMetadataIndex = 4
    model.subgraphs[0].operators[0].mutatingVariableInputs = np.array([False, True, False])
    model.metadataBuffer = np.array([0], np.int32)


def test_fields_that_are_not_modelled_are_written_back_after_a_pass_changed_others() -> None:
    network = kept(changed(GOOD, unmodelled))
    operator = network.main.operators[0]
    tensor = replace(
        network.main.tensors[0],
        quantization=Quantization(scales=(0.125,), zero_points=(7,), raw=network.main.tensors[0].quantization.raw),
    )
    renamed = replace(operator, options={**operator.options, "fused_activation_function": "NONE"}, inputs=(0, 1, -1))
    subgraph = replace(
        network.main, tensors=(tensor, *network.main.tensors[1:]), operators=(renamed, *network.main.operators[1:])
    )

    model = raw_model(write(replace(network, subgraphs=(subgraph,))))

    written = model.subgraphs[0]
    assert written.tensors[0].quantization.min.tolist() == [-1.5]
    assert written.tensors[0].quantization.scale.tolist() == [0.125]
    assert (written.debugMetadataIndex, written.operators[0].debugMetadataIndex) == (3, 4)
    assert written.operators[0].mutatingVariableInputs.tolist() == [False, True, False]
    assert written.operators[0].builtinOptions.fusedActivationFunction == 0
    assert written.operators[0].inputs.tolist() == [0, 1, -1]
    assert model.metadataBuffer.tolist() == [0]


def none_and_empty(model: Any) -> None:
    main = model.subgraphs[0]
    main.tensors[0].shapeSignature, main.tensors[3].quantization.zeroPoint = np.array([], np.int32), None
    main.tensors[3].quantization.scale = np.float32([0.25])
    main.tensors[1].quantization.zeroPoint = np.array([0], np.int64)
    main.name, model.description = b"", None
    main.operators[1].intermediates = np.array([], np.int32)
    main.operators[1].customOptions = np.array([], np.uint8)
    model.buffers[0].data = np.array([], np.uint8)
    model.metadata, model.signatureDefs = [], []


def test_nothing_and_an_empty_list_are_told_apart_in_the_file_and_mean_the_same() -> None:
    content = changed(GOOD, none_and_empty)

    network = kept(content)

    assert list(differences(raw_model(content), raw_model(write(network)))) == []
    assert network.main.tensors[3].quantization == Quantization(scales=(0.25,), zero_points=(0,))
    assert network.main.tensors[1].quantization.zero_points == (0, 0, 0, 0)


def test_metadata_survives_also_when_two_entries_have_one_name() -> None:
    def change(model: Any) -> None:
        for text in (b"one", b"two"):
            entry, buffer = new("Metadata"), new("Buffer")
            entry.name, entry.buffer, buffer.data = b"m", len(model.buffers), np.frombuffer(text, np.uint8)
            model.metadata = [*(model.metadata or []), entry]
            model.buffers.append(buffer)

    network = kept(changed(GOOD, change))

    assert bytes(network.metadata["m"].data) == b"two"
    assert [entry.buffer for entry in raw_model(write(network)).metadata] == [4, 5]


def test_metadata_that_a_pass_adds_is_stored() -> None:
    network = replace(read(GOOD), metadata={"note": Buffer(b"hello")})

    assert bytes(read(write(network)).metadata["note"].data) == b"hello"


def test_several_subgraphs_share_a_constant_and_call_each_other() -> None:
    shared = Buffer(np.float32([1, 2, 3, 4]).tobytes())
    parts = []
    for name in ("then", "else"):
        build = NetworkBuilder(name)
        x, c, y = build.input("x", (4,)), build.constant("c", np.zeros(4, np.float32)), build.tensor("y", (4,))
        build.tensors[c] = replace(build.tensors[c], buffer=shared)
        build.op("ADD" if name == "then" else "MUL", [x, c], [y])
        parts.append(build.output(y).subgraph())
    build = NetworkBuilder()
    test, x, y = build.input("test", (1,), "bool"), build.input("x", (4,)), build.tensor("y", (4,))
    build.op("IF", [test, x], [y], then_subgraph_index=1, else_subgraph_index=2)
    network = replace(build.output(y).signature("if").build(), subgraphs=(build.subgraph(), *parts))

    again = kept(write(network))

    assert [subgraph.name for subgraph in again.subgraphs] == ["main", "then", "else"]
    assert again.subgraphs[1].tensors[1].buffer is again.subgraphs[2].tensors[1].buffer
    assert again.signatures == network.signatures


def test_variables_and_unknown_sizes_are_kept() -> None:
    build = NetworkBuilder()
    build.input("x", (-1, 4))
    build.tensor("state", (1, 4), variable=True)

    tensors = kept(write(build.build())).main.tensors

    assert (tensors[0].shape, tensors[0].shape_signature, str(tensors[0])) == ((1, 4), (-1, 4), "float32[?, 4]")
    assert tensors[1].is_variable


def test_a_value_computed_at_run_time_holds_the_empty_buffer() -> None:
    assert read(GOOD).main.tensors[0].buffer is EMPTY


def test_names_that_are_no_utf8_survive() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[0].name = b"\xff\xfe caf\xc3\xa9"

    network = kept(changed(GOOD, change))

    assert raw_model(write(network)).subgraphs[0].tensors[0].name == b"\xff\xfe caf\xc3\xa9"


def test_settings_that_are_not_numbers_do_not_disturb_the_file() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].operators[2].builtinOptions.beta = float("nan")
        model.subgraphs[0].operators[0].builtinOptions.padding = 77

    network = kept(changed(GOOD, change))

    assert network.main.operators[0].options["padding"] == 77


def test_a_tensor_without_quantization_keeps_ranges_only() -> None:
    def change(model: Any) -> None:
        quantization = model.subgraphs[0].tensors[0].quantization
        quantization.scale = quantization.zeroPoint = None
        quantization.min = np.float32([-1])

    network = kept(changed(GOOD, change))

    assert network.main.tensors[0].quantization is None
    assert raw_model(write(network)).subgraphs[0].tensors[0].quantization.min.tolist() == [-1]


def test_the_axis_of_a_bias_that_has_no_such_axis_is_the_one_that_fits() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[2].quantization.quantizedDimension = 3

    network = kept(changed(GOOD, change))

    assert network.main.tensors[2].quantization.axis == 0
    assert raw_model(write(network)).subgraphs[0].tensors[2].quantization.quantizedDimension == 3
