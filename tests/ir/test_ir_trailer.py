"""A zip behind the flatbuffer stays readable wherever the flatbuffer ends; anything else stays as it is."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from ir_networks import conv_network, kept

from edgecompile.ir.reader import read
from edgecompile.ir.writer import write

GOOD = write(conv_network())


def archive(prefix: bytes, relative: bool) -> bytes:
    """A zip of two files behind a prefix, its offsets counted from the file's start or from its own."""
    memory = io.BytesIO()
    if not relative:
        memory.write(prefix)
    with zipfile.ZipFile(memory, "a") as opened:
        opened.writestr("labels.txt", "cat\ndog\n")
        opened.writestr("b/vocab.txt", "x" * 999)
    return prefix + memory.getvalue() if relative else memory.getvalue()


@pytest.mark.parametrize("relative", [pytest.param(False, id="absolute"), pytest.param(True, id="relative")])
@pytest.mark.parametrize("padding", [0, 3])
def test_a_zip_behind_the_flatbuffer_stays_readable_when_the_flatbuffer_grows(relative: bool, padding: int) -> None:
    network = kept(archive(GOOD + bytes(padding), relative))
    longer = replace(network, description="a longer description " * 40)

    for content in (write(network), write(longer)):
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            assert opened.read("labels.txt") == b"cat\ndog\n"
            # Strict readers take offsets from the file's start, as they are recorded.
            for info in opened.infolist():
                assert content[info.header_offset :][:4] == b"PK\x03\x04"
        end = content.rindex(b"PK\x05\x06")
        size, offset = np.frombuffer(content, "<u4", 2, end + 12)
        assert offset + size == end
    with zipfile.ZipFile(io.BytesIO(network.trailer)) as alone:
        assert alone.namelist() == ["labels.txt", "b/vocab.txt"]


@pytest.mark.parametrize(
    "trailer",
    [
        pytest.param(b"anything", id="text"),
        pytest.param(bytes(40), id="zeros"),
        pytest.param(b"PK\x05\x06" + bytes(3), id="half an end record"),
        pytest.param(b"PK\x05\x06" + b"\xff" * 18, id="an end record of nothing"),
        pytest.param(
            b"xPK\x01\x02" + bytes(60) + b"PK\x05\x06" + bytes(8) + b"\x41\0\0\0" + bytes(6), id="a false entry"
        ),
    ],
)
def test_what_follows_and_is_no_zip_is_kept_as_it_is(trailer: bytes) -> None:
    network = replace(read(GOOD), trailer=trailer)

    assert write(network).endswith(trailer)
    assert read(write(network)).trailer == trailer
