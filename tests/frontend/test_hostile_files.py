"""Files made to run code, to read other files, or to fill the memory are refused before they can."""

from __future__ import annotations

import io
import json
import stat
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.frontend import data_npz, hdf5_links, hdf5_trial, keras_file
from edgecompile.frontend.data import open_data
from edgecompile.frontend.hdf5_links import refuse_links
from edgecompile.frontend.keras_file import read_keras_file
from edgecompile.frontend.source import open_model

CONFIG = json.dumps({"class_name": "Sequential", "config": {"layers": []}}).encode()
Members = list[tuple[str, bytes]]


def archive(folder: Path, members: Members) -> Path:
    """A .keras file of these members, in this order."""
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in members:
            made.writestr(name, content)
    return path


def refusal(work: Any) -> Any:
    """The one diagnostic of what is refused, which is sayable."""
    with pytest.raises(BadInputError) as caught:
        work()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help
    assert all(letter.isprintable() or letter == "\n" for letter in diagnostic.render())
    return diagnostic


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, [("config.json", CONFIG), ("config.json", b"{}")])

    assert "there twice" in refusal(lambda: open_model(path.name, tmp_path)).render()


def test_a_member_that_is_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.keras"
    link = zipfile.ZipInfo("assets/words.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("config.json", CONFIG)
        made.writestr(link, "/etc/passwd")

    diagnostic = refusal(lambda: open_model(path.name, tmp_path))

    assert (diagnostic.code, "symbolic link" in diagnostic.render()) == ("EC206", True)


def test_a_deflated_member_that_does_not_inflate_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", CONFIG * 20)
    content = bytearray(path.read_bytes())
    at = content.index(b"config.json") + len("config.json")
    content[at : at + 8] = b"\xff" * 8
    path.write_bytes(content)

    assert refusal(lambda: open_model(path.name, tmp_path)).code == "EC201"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([("config.json", b"[" * 100_000)], id="brackets without end"),
        pytest.param([("config.json", b"[]")], id="a list"),
        pytest.param([("config.json", b'{"class_name": ')], id="half a JSON"),
        pytest.param([("config.json", CONFIG), ("metadata.json", b"{")], id="half a JSON of metadata"),
    ],
)
def test_an_architecture_that_is_no_json_of_a_model_is_damaged(tmp_path: Path, members: Members) -> None:
    source = open_model(archive(tmp_path, members).name, tmp_path)

    assert refusal(lambda: read_keras_file(source)).code == "EC201"


@pytest.mark.parametrize(
    "metadata", [b"[]", b"7", b'{"keras_version": "3x.1"}', b'{"keras_version": {}}', b'{"keras_version": "\xc2\xb3"}']
)
def test_metadata_that_says_no_version_leaves_it_to_the_architecture(tmp_path: Path, metadata: bytes) -> None:
    path = archive(tmp_path, [("config.json", CONFIG), ("metadata.json", metadata)])

    assert read_keras_file(open_model(path.name, tmp_path)).generation == 2


def linked(path: Path, kind: str) -> Path:
    """An HDF5 file whose dataset lies in another file."""
    h5py = pytest.importorskip("h5py")
    other = path.parent / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.arange(4)
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights").create_group("d")
        if kind == "link":
            group["kernel"] = h5py.ExternalLink(str(other), "/secret")
        elif kind == "storage":
            group.create_dataset("kernel", (4,), "i8", external=[(str(other), 0, 32)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((4,), "i8")
            layout[:] = h5py.VirtualSource(str(other), "secret", (4,))
            group.create_virtual_dataset("kernel", layout)
        else:
            group["again"] = file["model_weights"]  # a group that holds itself
            group["soft"] = h5py.SoftLink("/nowhere")
            group["kernel"] = np.arange(4)
    return path


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
def test_weights_that_lie_in_another_file_are_refused(tmp_path: Path, kind: str) -> None:
    path = linked(tmp_path / "net.h5", kind)

    diagnostic = refusal(lambda: refuse_links(path, "net.h5"))

    assert diagnostic.code == "EC206"
    assert "model_weights/d/kernel" in diagnostic.render() and "other.h5" in diagnostic.render()


def test_weights_in_an_archive_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    weights = linked(tmp_path / "model.weights.h5", "link").read_bytes()
    path = archive(tmp_path, [("config.json", CONFIG), ("model.weights.h5", weights)])

    assert refusal(lambda: read_keras_file(open_model(path.name, tmp_path))).code == "EC206"


@pytest.mark.parametrize("name", ["model_config", "keras_version"])
@pytest.mark.parametrize("kind", ["time", "float of 40 bits more than any"])
def test_an_attribute_of_a_type_that_numpy_has_not_is_damage(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py = pytest.importorskip("h5py")
    monkeypatch.setattr(keras_file, "tensorflow", lambda: None)
    wide = h5py.h5t.IEEE_F64LE.copy()
    wide.set_fields(63, 40, 20, 0, 40)
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs.update({"model_config": CONFIG.decode(), "keras_version": "2.15.0"})
        del file.attrs[name]
        place = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5a.create(file.id, name.encode(), h5py.h5t.UNIX_D32LE if kind == "time" else wide, place)

    told = refusal(lambda: read_keras_file(open_model("net.h5", tmp_path)))

    assert (told.code, "HDF5 says" in told.render()) == ("EC201", True)


def arrays(path: Path, kind: str) -> Path:
    """An .h5 file of 2 MiB of zeros or more: none of them stored, packed, one array of many names, or all there."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights")
        if kind == "never written":
            group.create_dataset("kernel", (1 << 19,), "f4", chunks=(1 << 12,))
        elif kind == "packed":
            group.create_dataset("kernel", data=np.zeros(1 << 19, np.float32), compression="gzip")
        elif kind == "many names":
            group["kernel"] = np.zeros(1 << 10, np.float32)
            for number in range(1 << 10):
                group[f"again_{number}"] = group["kernel"]
        else:
            group["kernel"] = np.zeros(1 << 19, np.float32)
    return path


@pytest.mark.parametrize("kind", ["never written", "packed", "many names"])
def test_weights_that_unpack_to_far_more_than_they_hold_are_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5_links, "RATIO_COUNTS_FROM_BYTES", 1 << 20)

    told = refusal(lambda: refuse_links(arrays(tmp_path / "net.h5", kind), "net.h5"))

    assert (told.code, "far more" in told.message) == ("EC206", True)
    assert "MiB in memory" in told.render()


def test_weights_that_are_all_there_are_read_however_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_links, "RATIO_COUNTS_FROM_BYTES", 1 << 20)

    refuse_links(arrays(tmp_path / "net.h5", "stored"), "net.h5")


def endless(path: Path) -> Path:
    """An .h5 file whose first text in the heap says that it is longer: behind it lies an object of no size."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs.update({"keras_version": "2.15.0", "model_config": CONFIG.decode()})
    content = bytearray(path.read_bytes())
    first = content.index(b"GCOL") + 16
    told = first + 8
    content[told : told + 8] = (2048).to_bytes(8, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_of_which_hdf5_finds_no_end_is_damaged(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_file, "tensorflow", lambda: None)
    monkeypatch.setattr(hdf5_trial, "LIMIT_S", 2)
    path = endless(tmp_path / "net.h5")
    if suffix == ".keras":
        path = archive(tmp_path, [("config.json", CONFIG), ("model.weights.h5", path.read_bytes())])
    source = open_model(path.name, tmp_path)

    diagnostic = refusal(lambda: read_keras_file(source))

    assert diagnostic.code == "EC201"
    assert "more of the processor's time than it was granted" in diagnostic.render()


def test_a_group_that_holds_itself_is_no_reason_to_refuse(tmp_path: Path) -> None:
    refuse_links(linked(tmp_path / "net.h5", "itself"), "net.h5")


def test_samples_that_unpack_to_far_more_than_they_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_npz, "_RATIO_COUNTS_FROM_BYTES", 1 << 16)
    np.savez_compressed(tmp_path / "d.npz", x_train=np.zeros((1 << 12, 256), np.float32))

    diagnostic = refusal(lambda: open_data(DataSpec(source="d.npz"), tmp_path, 0))

    assert diagnostic.code == "EC262"
    assert "limit 500 unpacked bytes" in diagnostic.render()


def npy(descr: str, shape: tuple[int, ...], body: bytes) -> bytes:
    """An .npy file that says what it holds, whatever it holds."""
    head = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(npy("<U1", (2,), b"\xff\xff\xff\x7f" * 2), id="characters beyond Unicode"),
        pytest.param(npy("<U1", (1,), b"\x00\xd8\x00\x00"), id="half a surrogate pair"),
        pytest.param(npy("|S2", (1,), b"\xff\xfe"), id="bytes beyond ASCII"),
        pytest.param(npy("<U0", (1 << 40,), b""), id="many texts of no letter"),
        pytest.param(npy("|O", (1,), b"cos\nsystem\n"), id="a pickle"),
        pytest.param(npy("<f4", (1 << 50,), b"1234"), id="a petabyte"),
        pytest.param(npy("<f4", (-1,), b"1234"), id="a negative shape"),
    ],
)
@pytest.mark.parametrize("name", ["labels", "x_train"])
def test_arrays_that_cannot_be_are_refused(tmp_path: Path, content: bytes, name: str) -> None:
    members = {"x_train": npy("<f4", (2, 1), b"12345678"), name: content}
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as made:
        for member, held in members.items():
            made.writestr(f"{member}.npy", held)

    assert refusal(lambda: open_data(DataSpec(source="d.npz"), tmp_path, 0)).code == "EC262"


def png(width: int, height: int) -> bytes:
    """A PNG of some sixty bytes that says how large it is."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    body = (
        struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held)) for name, held in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def pictures(folder: Path, content: bytes) -> DataSpec:
    """A folder of one class with one picture."""
    pytest.importorskip("PIL")
    (folder / "p" / "a").mkdir(parents=True)
    (folder / "p" / "a" / "1.png").write_bytes(content)
    return DataSpec(source="p", preprocess=Preprocess(resize=(4, 4)))


def test_a_picture_of_few_bytes_and_many_pixels_is_refused(tmp_path: Path) -> None:
    spec = pictures(tmp_path, png(8000, 8000))

    diagnostic = refusal(lambda: open_data(spec, tmp_path, 0))

    assert diagnostic.code == "EC273"
    assert "limit 1000 pixels for each byte" in diagnostic.render()


def test_only_formats_of_pictures_are_decoded_whatever_the_name_says(tmp_path: Path) -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(/tmp/owned) (w) file\n%%EOF\n"
    spec = pictures(tmp_path, eps)

    diagnostic = refusal(lambda: open_data(spec, tmp_path, 0))

    assert diagnostic.code == "EC273"
    assert "cannot identify image file" in diagnostic.render()


def test_a_sound_whose_rate_would_take_hours_to_change_is_refused(tmp_path: Path) -> None:
    form = struct.pack("<HHIIHH", 1, 1, 1, 2, 2, 16)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", 64) + bytes(64)
    (tmp_path / "s" / "a").mkdir(parents=True)
    (tmp_path / "s" / "a" / "1.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    spec = DataSpec(source="s", preprocess=Preprocess(sample_rate=16000, length=64))

    diagnostic = refusal(lambda: open_data(spec, tmp_path, 0))

    assert (diagnostic.code, "64 times at most" in diagnostic.render()) == ("EC276", True)


def test_what_a_message_quotes_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = archive(tmp_path, [("\x1b[2J\u202e", b"x")])

    said = refusal(lambda: open_model(path.name, tmp_path)).render()

    assert "\\x1b[2J" in said and "\x1b" not in said and "\u202e" not in said


def test_a_cell_of_a_table_is_quoted_in_letters_that_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"1,\x1b[31m,2\n3,4,5\n")

    diagnostic = refusal(lambda: open_data(DataSpec(source="d.csv"), tmp_path, 0))

    assert diagnostic.code == "EC277"
    io.StringIO().write(diagnostic.render())
