"""Every real .tflite survives reading and writing: field by field, byte by byte, and in the interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ir_walk import differences, sharing

from edgecompile.ir.decode import decode
from edgecompile.ir.describe import describe
from edgecompile.ir.network import BITS
from edgecompile.ir.reader import read, read_file
from edgecompile.ir.text import text
from edgecompile.ir.writer import write
from edgecompile.libs.schema import schema

pytestmark = pytest.mark.data
RUNNER = Path(__file__).with_name("ir_run_pairs.py")
# Positions, not contents: they are where the file keeps a constant.
PLACES = ("offset", "size", "largeCustomOptionsOffset", "largeCustomOptionsSize")


def models(data: Path) -> list[Path]:
    return sorted((data / "tflite").glob("*.tflite"))


def test_all_models_are_decoded_as_flatbuffers_own_reader_unpacks_them(data: Path) -> None:
    for path in models(data):
        content = path.read_bytes()

        found = decode(content, "Model", path.name).root

        wanted = schema().ModelT.InitFromPackedBuf(content, 0)
        assert list(differences(found, wanted)) == [], path.name


def test_there_are_83_models_and_reading_what_was_written_equals_them(data: Path) -> None:
    paths = models(data)

    assert len(paths) == 83
    for path in paths:
        network = read_file(path)
        again = read(write(network))
        assert list(differences(network, again)) == [], path.name
        assert sharing(network) == sharing(again), path.name


def test_the_written_file_holds_the_objects_of_the_original(data: Path) -> None:
    for path in models(data):
        content = path.read_bytes()

        written = write(read(content))

        a, b = (schema().ModelT.InitFromPackedBuf(c, 0) for c in (content, written))
        assert list(differences(a, b, ignore=PLACES)) == [], path.name


def test_a_second_write_gives_the_same_bytes(data: Path) -> None:
    for path in models(data):
        written = write(read_file(path))

        assert write(read(written)) == written, path.name


def test_every_constant_is_aligned_to_16_bytes(data: Path) -> None:
    for path in models(data):
        content = write(read_file(path))

        model = schema().Model.GetRootAs(content, 0)
        for index in range(model.BuffersLength()):
            buffer = model.Buffers(index)
            if buffer.DataLength():
                offset = buffer._tab.Vector(buffer._tab.Offset(4))
                assert offset % 16 == 0, (path.name, index)


def test_what_follows_the_flatbuffer_is_kept(data: Path) -> None:
    import io
    import zipfile

    archives = 0
    for path in models(data):
        network = read_file(path)
        if network.trailer:
            written = write(network)
            with zipfile.ZipFile(path) as a, zipfile.ZipFile(io.BytesIO(written)) as b:
                assert {n: a.read(n) for n in a.namelist()} == {n: b.read(n) for n in b.namelist()}, path.name
            archives += 1
    assert archives == 8


def test_constants_have_the_bytes_of_their_shape(data: Path) -> None:
    for path in models(data):
        for subgraph in read_file(path).subgraphs:
            for tensor in subgraph.tensors:
                array = tensor.array
                if array is not None and tensor.dtype in BITS:
                    assert array.shape == tensor.shape, path.name


def test_the_text_of_every_model_fits_80_columns_and_its_description_is_json(data: Path) -> None:
    for path in models(data):
        network = read_file(path)

        shown = text(network, path.stat().st_size)

        assert max(map(len, shown.splitlines())) <= 80, path.name
        assert json.loads(json.dumps(describe(network), allow_nan=False))["subgraphs"], path.name


def test_written_models_give_the_same_outputs_in_the_interpreter(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("tflite_runtime", reason="needs tflite-runtime")
    for path in models(data):
        (tmp_path / path.name).write_bytes(write(read_file(path)))

    finished = subprocess.run(
        [sys.executable, str(RUNNER), str(data / "tflite"), str(tmp_path)], capture_output=True, text=True, timeout=300
    )

    assert finished.returncode == 0, finished.stderr[-2000:]
    answers = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == 83
    assert [a["name"] for a in answers if a["ran"] and not a["equal"]] == []
    # The others hold operators for an accelerator or of TensorFlow, TFLM or TFLite Support, or crash.
    assert sum(a["ran"] for a in answers) >= 60
