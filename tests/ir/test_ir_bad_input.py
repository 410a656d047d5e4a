"""Every file that cannot be read is refused with its own code, the place, and what to do; none is a crash."""

from __future__ import annotations

import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ir_networks import changed, conv_network

from edgecompile.core.errors import BadInputError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.reader import read, read_file
from edgecompile.ir.writer import write
from edgecompile.libs.schema import new

GOOD = write(conv_network())


def refused(content: bytes) -> Any:
    """The one diagnostic of a file that cannot be read."""
    with pytest.raises(BadInputError) as caught:
        read(content, "bad.tflite")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help, "says what to do"
    assert str(diagnostic.location).startswith("bad.tflite")
    diagnostic.render().encode()
    return diagnostic


@pytest.mark.parametrize(
    "content, code, says",
    [
        pytest.param(b"", "EC210", "is empty", id="no bytes"),
        pytest.param(b"TFL", "EC211", "too short", id="three bytes"),
        pytest.param(b"\x08\0\0\0TFL3", "EC211", "cut off", id="header only"),
        pytest.param(GOOD[: len(GOOD) // 2], "EC211", "cut off", id="first half"),
        pytest.param(GOOD[:-400], "EC211", "cut off", id="end missing"),
        pytest.param(GOOD[:4] + b"TFL2" + GOOD[8:], "EC212", "not a TFLite model", id="older identifier"),
        pytest.param(b"PK\x03\x04" + bytes(60), "EC212", "zip archive", id="zip"),
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(60), "EC212", "HDF5", id="hdf5"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "EC212", "git lfs pull", id="git lfs pointer"),
        pytest.param(b"<!DOCTYPE html><html></html>", "EC212", "web page", id="web page"),
        pytest.param(bytes(range(256)) * 4, "EC212", "not a TFLite model", id="counting bytes"),
    ],
)
def test_a_file_that_is_no_whole_model_is_refused(content: bytes, code: str, says: str) -> None:
    diagnostic = refused(content)

    assert diagnostic.code == code
    assert says in diagnostic.render()


def set_field(*path: Any, value: Any) -> Callable[[Any], None]:
    """A change of one field, by names and list positions."""

    def change(model: Any) -> None:
        for step in path[:-1]:
            model = model[step] if isinstance(step, int) else getattr(model, step)
        setattr(model, path[-1], value)

    return change


def ints(*numbers: int) -> Any:
    return np.array(numbers, dtype=np.int32)


MAIN = ("subgraphs", 0)


@pytest.mark.parametrize(
    "change, code, says",
    [
        pytest.param(set_field("subgraphs", value=None), "EC215", "no subgraph", id="no subgraphs"),
        pytest.param(set_field("subgraphs", value=[]), "EC215", "no subgraph", id="empty list of subgraphs"),
        pytest.param(set_field("version", value=1), "EC220", "version 1", id="version 1"),
        pytest.param(
            set_field(*MAIN, "tensors", 1, "buffer", value=99), "EC216", "tensor 1 `w`", id="tensor without buffer"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 0, "inputs", value=ints(0, 99, 2)), "EC216", "operator 0", id="input"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 0, "inputs", value=ints(0, -2, 2)), "EC216", "tensor -2", id="negative input"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 1, "outputs", value=ints(-1)), "EC216", "operator 1", id="no output"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 2, "opcodeIndex", value=7), "EC216", "operator code 7", id="operator code"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 0, "intermediates", value=ints(50)), "EC216", "tensor 50", id="intermediate"
        ),
        pytest.param(set_field(*MAIN, "outputs", value=ints(44)), "EC216", "outputs", id="subgraph output"),
        pytest.param(
            set_field("signatureDefs", 0, "subgraphIndex", value=3), "EC216", "signature", id="signature's subgraph"
        ),
        pytest.param(
            set_field("signatureDefs", 0, "inputs", 0, "tensorIndex", value=77), "EC216", "tensor 77", id="argument"
        ),
        pytest.param(
            set_field("operatorCodes", 0, "builtinCode", value=4000), "EC214", "operator 4000", id="unknown operator"
        ),
        pytest.param(
            set_field(*MAIN, "tensors", 0, "type", value=100), "EC214", "element type 100", id="unknown dtype"
        ),
        pytest.param(
            set_field(*MAIN, "tensors", 1, "shape", value=ints(4, 3, 3, 4)), "EC217", "limit: 144 bytes", id="size"
        ),
        pytest.param(
            set_field(*MAIN, "tensors", 0, "shape", value=ints(1, -7, 8, 3)), "EC218", "-7", id="negative size"
        ),
        pytest.param(
            set_field(*MAIN, "tensors", 1, "shape", value=ints(-1, -1)), "EC218", "constant", id="unknown constant"
        ),
        pytest.param(
            set_field(*MAIN, "tensors", 0, "shape", value=ints(*[2**31 - 1] * 5)), "EC218", "2^58", id="huge shape"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 1, "inputs", value=ints(6, 4)), "EC219", "operator 1", id="reads ahead"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 1, "outputs", value=ints(3)), "EC219", "tensor 3 `c`", id="made twice"
        ),
        pytest.param(
            set_field(*MAIN, "operators", 1, "outputs", value=ints(1)), "EC219", "constant", id="writes a constant"
        ),
        pytest.param(
            set_field(*MAIN, "tensors", 1, "quantization", "scale", value=np.ones(3, np.float32)),
            "EC221",
            "3 scales",
            id="scales and zero points",
        ),
        pytest.param(
            set_field(*MAIN, "tensors", 1, "quantization", "quantizedDimension", value=1),
            "EC221",
            "slices of axis 1",
            id="axis",
        ),
        *(
            pytest.param(
                set_field(*MAIN, "tensors", 1, "quantization", "scale", value=np.full(4, value, np.float32)),
                "EC221",
                f"found: {value}",
                id=f"scale {value}",
            )
            for value in (np.nan, np.inf, -1.0)
        ),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(change: Callable[[Any], None], code: str, says: str) -> None:
    diagnostic = refused(changed(GOOD, change))

    assert diagnostic.code == code
    assert says in diagnostic.render()


def test_a_call_of_a_subgraph_that_is_not_there_is_refused() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1,), "bool")
    y = build.tensor("y", (1,))
    build.op("IF", [x], [y], then_subgraph_index=0, else_subgraph_index=5)

    diagnostic = refused(write(build.output(y).build()))

    assert diagnostic.code == "EC216"
    assert "subgraph 5" in diagnostic.message


def test_metadata_without_its_buffer_is_refused() -> None:
    entry = new("Metadata")
    entry.name, entry.buffer = b"m", 9

    assert refused(changed(GOOD, set_field("metadata", value=[entry]))).code == "EC216"


def test_a_constant_behind_the_end_of_the_file_is_refused() -> None:
    def change(model: Any) -> None:
        model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, 10_000, 108

    diagnostic = refused(changed(GOOD, change))

    assert diagnostic.code == "EC211"
    assert "offset 10000" in diagnostic.render()


def table(fields: bytes, slots: list[int]) -> tuple[bytes, int]:
    """A vtable and its table, and where in it the table begins; field offsets count from the table."""
    vtable = struct.pack(f"<HH{len(slots)}H", 4 + 2 * len(slots), 4 + len(fields), *slots)
    vtable += bytes(-len(vtable) % 4)
    return vtable + struct.pack("<i", len(vtable)) + fields, len(vtable)


def model_with(fields: bytes, slots: list[int], more: bytes = b"") -> bytes:
    body, at = table(fields, slots)
    return struct.pack("<I", 8 + at) + b"TFL3" + body + more


@pytest.mark.parametrize(
    "content, code, says",
    [
        pytest.param(
            model_with(struct.pack("<II", 3, 4), [4, 0, 8], struct.pack("<I", 2**32 - 1)),
            "EC211",
            "17 179 869 180 bytes",
            id="a vector of four billion",
        ),
        pytest.param(model_with(struct.pack("<I", 3), [40]), "EC213", "offset 40", id="a field outside its table"),
        pytest.param(model_with(struct.pack("<I", 3), [4] + [0] * 60 + [4]), "EC214", "field", id="a newer field"),
        pytest.param(b"\x08\0\0\0TFL3" + struct.pack("<i", 4) + bytes(8), "EC211", "", id="a vtable before the file"),
        pytest.param(b"\x0c\0\0\0TFL3\1\0\4\0" + struct.pack("<i", 4), "EC213", "vtable", id="an odd vtable"),
    ],
)
def test_a_damaged_structure_is_refused(content: bytes, code: str, says: str) -> None:
    diagnostic = refused(content)

    assert diagnostic.code == code
    assert says in diagnostic.render()


def bomb(width: int) -> bytes:
    """Each of ``width`` subgraphs is the same table, whose ``width`` tensors are one table, with one signature name."""
    tensor, in_tensor = table(b"", [])
    subgraph, in_subgraph = table(struct.pack("<I", 4), [4])
    parts = [model_with(struct.pack("<II", 3, 4), [4, 0, 8])]
    at_subgraphs = len(parts[0])
    at_subgraph = at_subgraphs + 4 + 4 * width + in_subgraph
    at_tensors = at_subgraph - in_subgraph + len(subgraph)
    at_tensor = at_tensors + 4 + 4 * width + in_tensor
    parts.append(struct.pack("<I", width))
    parts += [struct.pack("<I", at_subgraph - (at_subgraphs + 4 + 4 * i)) for i in range(width)]
    parts += [subgraph, struct.pack("<I", width)]
    parts += [struct.pack("<I", at_tensor - (at_tensors + 4 + 4 * i)) for i in range(width)]
    return b"".join([*parts, tensor])


def test_tables_shared_to_stand_for_millions_are_refused_after_a_bounded_number_of_visits() -> None:
    content = bomb(4000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    diagnostic = refused(content)

    assert diagnostic.code == "EC213"
    assert "more tables than" in diagnostic.render()
    # 16 million tensors would take gigabytes; KiB on Linux.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_few_shared_tables_are_fine_until_their_indices_are_looked_at() -> None:
    network = read(bomb(3))

    assert [len(subgraph.tensors) for subgraph in network.subgraphs] == [3, 3, 3]


@pytest.mark.parametrize("cut", range(0, len(GOOD), 37))
def test_no_prefix_of_a_model_is_more_than_bad_input(cut: int) -> None:
    assert refused(GOOD[:cut]).code in ("EC210", "EC211", "EC213")


def test_names_from_the_file_cannot_steer_the_terminal() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[1].name = b"\x1b[2J\xff"
        model.subgraphs[0].tensors[1].shape = ints(1)

    shown = refused(changed(GOOD, change)).render()

    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(GOOD)

    assert write(read_file(path)) == GOOD
