"""Laws: any small network survives its file, and no change of a file's bytes ends in anything but bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_networks import conv_network
from ir_walk import differences, sharing

from edgecompile.core.errors import BadInputError
from edgecompile.ir import options
from edgecompile.ir.arity import least
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.compact import drop_unused
from edgecompile.ir.network import Buffer, Network
from edgecompile.ir.reader import read
from edgecompile.ir.text import text
from edgecompile.ir.writer import write
from edgecompile.libs.schema import names_of

NAMES = st.text(max_size=12)
DTYPES = st.sampled_from(["float32", "int8", "uint8", "int16", "int32", "int64", "bool", "float16", "int4", "int2"])
SHAPES = st.lists(st.integers(1, 4), max_size=4).map(tuple)
SCALES = st.none() | st.floats(2**-20, 4, width=32)
# Those that two inputs and one output are enough for.
BUILTINS = sorted(
    name
    for name in names_of("BuiltinOperator").values()
    if name not in ("CUSTOM", "DELEGATE", "IF", "WHILE", "CALL_ONCE") and all(map(int.__le__, least(name), (2, 1)))
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Chains of any operators with default settings, some constants shared, metadata and a trailer."""
    build = NetworkBuilder(draw(NAMES), draw(NAMES))
    last = build.input(draw(NAMES), draw(SHAPES), draw(DTYPES), draw(SCALES), draw(st.integers(-128, 127)))
    shared: list[Buffer] = []
    for _ in range(draw(st.integers(0, 5))):
        shape, dtype = draw(SHAPES), draw(DTYPES)
        constant = build.constant(draw(NAMES), np.ones(shape, np.int8), dtype, draw(SCALES))
        tensor = build.tensors[constant]
        same = next((buffer for buffer in shared if bytes(buffer.data) == bytes(tensor.buffer.data)), None)
        build.tensors[constant] = replace(tensor, buffer=same or tensor.buffer)
        shared.append(build.tensors[constant].buffer)
        output = build.tensor(draw(NAMES), draw(SHAPES), draw(DTYPES), draw(SCALES))
        inputs = [last, constant, *([-1] if draw(st.booleans()) else [])]
        if draw(st.booleans()):
            build.op("CUSTOM", inputs, [output], custom_code=draw(NAMES), custom_options=draw(st.binary(max_size=9)))
        else:
            build.op(draw(st.sampled_from(BUILTINS)), inputs, [output], version=draw(st.integers(1, 9)))
        last = output
    if draw(st.booleans()):
        build.signature(draw(NAMES))
    metadata = draw(st.dictionaries(NAMES, st.binary(min_size=1, max_size=9).map(Buffer), max_size=2))
    trailer = draw(st.sampled_from([b"", b"more", b"PK\x03\x04"]))
    return replace(build.output(last).build(), metadata=metadata, trailer=trailer)


def modelled(network: Network, other: Network) -> list[str]:
    """Differences beside raw objects and the list of buffers, which a file has and a built network has not."""
    return list(differences(network, other, ignore=("raw", "buffers")))


@settings(max_examples=60, deadline=None)
@given(networks())
def test_any_network_survives_its_file(network: Network) -> None:
    content = write(network)

    again = read(content)

    assert modelled(network, again) == []
    assert sharing(network) == sharing(again)
    assert write(again) == content
    assert list(differences(again, read(write(again)))) == []


@settings(max_examples=30, deadline=None)
@given(networks())
def test_dropping_what_is_unused_keeps_what_operators_read(network: Network) -> None:
    def read_by(n: Network) -> list[list[object]]:
        return [
            [(t.name, t.dtype, t.shape, bytes(t.buffer.data)) if t else None for t in n.main.inputs_of(o)]
            for o in n.main.operators
        ]

    again = drop_unused(read(write(network)))

    assert read_by(again) == read_by(network)
    assert write(read(write(again))) == write(again)


@settings(max_examples=30, deadline=None)
@given(networks())
def test_any_network_is_shown(network: Network) -> None:
    shown = text(read(write(network)))

    count = sum(len(subgraph.operators) for subgraph in network.subgraphs)
    assert f"Operators {count}" in " ".join(shown.split())
    assert shown.encode("utf-8").decode("utf-8") == shown


GOOD = write(conv_network())
WORDS = st.sampled_from([0, 1, 2, 4, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1])
EDITS = st.lists(st.tuples(st.integers(0, len(GOOD) - 4), WORDS | st.integers(0, 2**32 - 1)), min_size=1, max_size=6)


@settings(max_examples=400, deadline=None)
@given(EDITS, st.integers(0, 64), st.booleans())
def test_no_change_of_a_files_bytes_ends_in_anything_but_bad_input(
    edits: list[tuple[int, int]], cut: int, single: bool
) -> None:
    damaged = bytearray(GOOD)
    for at, word in edits:
        damaged[at : at + (1 if single else 4)] = word.to_bytes(4, "little")[: 1 if single else 4]

    try:
        network = read(bytes(damaged[: len(damaged) - cut]))
    except BadInputError as error:
        error.diagnostics[0].render().encode()
    else:
        text(network).encode()
        assert write(read(write(network))) == write(network)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_behind_a_header_are_bad_input(content: bytes) -> None:
    try:
        read(content[:4] + b"TFL3" + content[4:])
    except BadInputError as error:
        assert error.diagnostics[0].code.startswith("EC21")


def test_every_operators_default_settings_are_stored_and_read_back() -> None:
    for name in BUILTINS:
        table = options.table_for(name)
        if table is not None:
            made = options.options_object(table, options.defaults(name))
            field, code = options.union_of(table)
            assert code > 0
            assert field in options.UNIONS
            assert options.defaults(name) == options._plain(made), name
