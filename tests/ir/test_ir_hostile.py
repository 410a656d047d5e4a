"""Files made to take time, memory or the terminal: each found by `scripts/bench fuzz` or by reading the readers."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import compiled_packages
import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.ir import compiled, model_metadata, sparse
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.decode import decode
from edgecompile.ir.flexbuffer import read_map
from edgecompile.ir.network import Network
from edgecompile.ir.options import union_of
from edgecompile.ir.reader import read
from edgecompile.ir.tables import DamagedError
from edgecompile.ir.writer import write
from edgecompile.libs import flat_tables
from edgecompile.libs.schema import builder, new

_VECTOR, _MAP, _INTEGER = 10 << 2 | 2, 9 << 2 | 2, 1 << 2 | 2


def vectors_of_vectors(depth: int, width: int) -> bytes:
    """A FlexBuffer map of few bytes that unpacks to ``width ** depth`` values: each vector holds another many times."""
    out = bytearray()

    def words(*numbers: int) -> None:
        for number in numbers:
            out.extend(struct.pack("<I", number & 0xFFFFFFFF))

    def vector(held: int, kind: int) -> int:
        words(width)
        start = len(out)
        for _ in range(width):
            words(len(out) - held)
        out.extend(bytes([kind]) * width + bytes(-width % 4))
        return start

    words(0)
    inner = vector(0, _INTEGER)
    for _ in range(depth - 1):
        inner = vector(inner, _VECTOR)
    key = len(out)
    out.extend(b"4\0\0\0")
    words(1)
    keys = len(out)
    words(len(out) - key)
    words(len(out) - keys, 4, 1)
    entries = len(out)
    words(len(out) - inner)
    out.extend(bytes([_VECTOR, 0, 0, 0]))
    words(len(out) - entries)
    return bytes(out) + bytes([_MAP, 4])


def test_vectors_that_share_vectors_are_refused_before_they_are_unpacked() -> None:
    content = vectors_of_vectors(depth=7, width=16)
    started = time.process_time()

    with pytest.raises(DamagedError, match="refer to each other"):
        read_map(memoryview(content))

    assert len(content) < 1024
    assert time.process_time() - started < 1


def test_vectors_that_are_held_once_are_read() -> None:
    assert read_map(memoryview(vectors_of_vectors(depth=2, width=2))) == {"4": [[8, 12], [8, 12]]}


def test_ports_that_share_one_long_name_are_refused() -> None:
    name, count = "n" * 4000, 2000
    program = bytearray(compiled_packages.executable(1, b"", inputs=(name, *["x"] * count)))
    _let_all_share_the_first(program, name, count)
    network = compiled_packages.model(compiled_packages.options(compiled_packages.package([bytes(program)])))

    with pytest.raises(BadInputError) as caught:
        compiled.packages_of(network)

    assert caught.value.diagnostics[0].code == "EC554"
    assert "refer to each other" in caught.value.diagnostics[0].render()


def _let_all_share_the_first(program: bytearray, name: str, count: int) -> None:
    """Point every port of a program at the port with the long name."""
    ports = [at for at in range(0, len(program) - 4, 4) if struct.unpack_from("<I", program, at)[0] == count + 1]
    (start,) = ports
    first = start + 4 + struct.unpack_from("<I", program, start + 4)[0]
    for index in range(count + 1):
        place = start + 4 + 4 * index
        struct.pack_into("<I", program, place, first - place)


def test_metadata_that_repeats_one_long_text_is_refused() -> None:
    tensor = {"name": "n" * 3000, "dimension_names": ["x"] * 3000}
    plain = {"subgraph_metadata": [{"input_tensor_metadata": [tensor]}]}
    content = bytearray(flat_tables.write(model_metadata.SCHEMA, plain))
    long = content.index(b"n" * 3000) - 4
    counts = [at for at in range(0, len(content) - 3, 4) if struct.unpack_from("<I", content, at)[0] == 3000]
    (start,) = [at for at in counts if at != long]
    for place in range(start + 4, start + 4 + 4 * 3000, 4):
        struct.pack_into("<I", content, place, (long - place) & 0xFFFFFFFF)
    tracemalloc.start()

    with pytest.raises(ValueError):
        flat_tables.read(model_metadata.SCHEMA, bytes(content))

    assert tracemalloc.get_traced_memory()[1] < 100 * len(content)
    tracemalloc.stop()


def sparse_network() -> Network:
    """DENSIFY of a diagonal float32[8, 8]."""
    build = NetworkBuilder()
    w = build.constant("w", np.diag(np.ones(8)), "float32")
    d = build.tensor("d", (8, 8), "float32")
    build.op("DENSIFY", [w], [d])
    network = build.output(d).build()
    tensors = list(network.main.tensors)
    tensors[w] = sparse.compressed(tensors[w])
    return replace(network, subgraphs=(replace(network.main, tensors=tuple(tensors)),))


def last_axis(name: str, change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A change of the segments or columns of the sparse axis."""

    def apply(raw: Any) -> None:
        vector = getattr(raw.sparsity.dimMetadata[-1], name)
        vector.values = change(np.array(vector.values))

    return apply


def without(raw: Any) -> None:
    raw.sparsity.dimMetadata[-1].arrayIndices = None
    raw.sparsity.dimMetadata[-1].arrayIndicesType = 0


def put(at: int, value: int) -> Callable[[Any], Any]:
    def change(numbers: Any) -> Any:
        numbers[at] = value
        return numbers

    return change


@pytest.mark.parametrize(
    "change, says",
    [
        pytest.param(last_axis("arrayIndices", put(0, 8)), "columns from 1 to 8", id="a column outside"),
        pytest.param(last_axis("arrayIndices", lambda a: a[:-1]), "from 0 to 7", id="a column too few"),
        pytest.param(last_axis("arraySegments", put(3, 0)), "do not rise", id="ends that fall"),
        pytest.param(last_axis("arraySegments", put(0, 1)), "do not rise", id="a first end above 0"),
        pytest.param(last_axis("arraySegments", lambda a: a[:-1]), "8 ends of rows for 8 rows", id="an end too few"),
        pytest.param(without, "from 0 to 0", id="no columns"),
    ],
)
def test_a_sparse_constant_that_does_not_unpack_is_refused(change: Callable[[Any], None], says: str) -> None:
    network = sparse_network()
    change(network.main.tensors[0].raw)

    with pytest.raises(BadInputError) as caught:
        read(write(network))

    assert caught.value.diagnostics[0].code == "EC217"
    assert says in caught.value.diagnostics[0].render()


def test_a_few_values_do_not_unpack_to_gigabytes() -> None:
    network = sparse_network()
    wide = replace(network.main.tensors[0], shape=(8, 1 << 28), shape_signature=())
    tensors = (wide, *network.main.tensors[1:])

    with pytest.raises(BadInputError, match="does not unpack"):
        read(write(replace(network, subgraphs=(replace(network.main, tensors=tensors),))))

    assert sparse.values_of(wide) is None


def test_names_in_the_options_of_a_compiled_operator_cannot_command_the_terminal() -> None:
    network = compiled_packages.model(vectors_of_vectors(depth=1, width=1).replace(b"4\0\0\0", b"\x1b[\0\0"))

    with pytest.raises(BadInputError) as caught:
        compiled.packages_of(network)

    said = caught.value.diagnostics[0].render()
    assert caught.value.diagnostics[0].code == "EC553"
    assert "\x1b" not in said and "\\x1b" in said


def with_operator(name: str, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Any:
    """The objects of a model with one operator among three tensors."""
    build = NetworkBuilder()
    tensors = [build.input(letter, (1, 4, 4, 1), "float32") for letter in "xyz"]
    build.op(name, tensors[:2], [tensors[2]])
    model = decode(write(build.output(tensors[2]).build()), "Model", "seed").root
    operator = model.subgraphs[0].operators[0]
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    return model


def packed(model: Any) -> bytes:
    into = builder()
    into.Finish(model.Pack(into), file_identifier=b"TFL3")
    return bytes(into.Output())


@pytest.mark.parametrize(
    "name, inputs, outputs, says",
    [
        pytest.param("CONV_2D", (0,), (2,), "limit: 2 inputs or more; found: 1", id="no weights"),
        pytest.param("CONV_2D", (0, -1), (2,), "none left out; found: [0, -1]", id="weights left out"),
        pytest.param("RELU", (0,), (), "limit: 1 output or more; found: 0", id="no output"),
        pytest.param("SVDF", (0, 1), (2,), "limit: 5 inputs or more; found: 2", id="no state"),
    ],
)
def test_an_operator_without_what_it_needs_is_refused(
    name: str, inputs: tuple[int, ...], outputs: tuple[int, ...], says: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        read(packed(with_operator(name, inputs, outputs)))

    assert caught.value.diagnostics[0].code == "EC222"
    assert says in caught.value.diagnostics[0].render()


@pytest.mark.parametrize(
    "table, says", [(None, "found: none"), ("SoftmaxOptions", "found: `SoftmaxOptions`")], ids=["none", "another's"]
)
def test_an_operator_without_its_settings_is_refused(table: str | None, says: str) -> None:
    model = with_operator("AVERAGE_POOL_2D", (0,), (2,))
    operator = model.subgraphs[0].operators[0]
    operator.builtinOptions = None if table is None else new(table)
    operator.builtinOptionsType = 0 if table is None else union_of(table)[1]

    with pytest.raises(BadInputError) as caught:
        read(packed(model))

    assert caught.value.diagnostics[0].code == "EC222"
    assert says in caught.value.diagnostics[0].render()


def test_names_of_tensors_that_are_no_unicode_are_written_into_metadata() -> None:
    content = flat_tables.write(model_metadata.SCHEMA, {"name": b"\xff".decode("utf-8", "surrogateescape")})

    assert b"\xff" in content
