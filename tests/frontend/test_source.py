"""What a model argument points at is told by content, and what is wrong with it in plain words; without TensorFlow."""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
from pathlib import Path

import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.frontend import archive
from edgecompile.frontend.source import ModelSource, open_model


def hdf5(end_of_file: int, size: int, version: int = 0) -> bytes:
    """The superblock of an HDF5 file (version 0 or 2, 8-byte addresses), padded to ``size``."""
    signature = b"\x89HDF\r\n\x1a\n"
    if version == 0:
        head = signature + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + bytes(8) + struct.pack("<QQQ", 0, 2**64 - 1, end_of_file)
    else:
        head = signature + bytes([version, 8, 8, 0]) + struct.pack("<QQQ", 0, 2**64 - 1, end_of_file)
    return head.ljust(size, b"\0")


def keras_archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return path


def refusal(spec: str, base: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        open_model(spec, base)
    return caught.value.diagnostics[0].render()


WHOLE = {"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b"0" * 1000}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"\x18\0\0\0TFL3" + bytes(40), "tflite", id="flatbuffer"),
        pytest.param(hdf5(500, 500), "h5", id="hdf5-0"),
        pytest.param(hdf5(500, 500, 2), "h5", id="hdf5-2"),
        pytest.param(bytes(512) + hdf5(500, 500), "h5", id="hdf5-behind-user-block"),
    ],
)
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.tflite", "model"])
def test_the_kind_is_told_by_content_and_not_by_name(tmp_path: Path, content: bytes, kind: str, name: str) -> None:
    (tmp_path / name).write_bytes(content)

    source = open_model(name, tmp_path)

    assert source == ModelSource(
        kind=kind,
        path=tmp_path / name,
        entry=None,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        name=name,
    )


def test_an_archive_with_a_config_is_a_keras_model(tmp_path: Path) -> None:
    keras_archive(tmp_path / "m.keras", WHOLE)

    assert open_model("m.keras", tmp_path).kind == "keras"


def test_the_hash_of_a_folder_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name / "variables").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / name / "variables" / "v").write_bytes(b"12")
        (tmp_path / name / "saved_model.pb").write_bytes(b"1")
    (tmp_path / "c" / "saved_model.pb").write_bytes(b"1")
    (tmp_path / "c" / "variables" / "w").write_bytes(b"12")

    a, b, c = (open_model(name, tmp_path) for name in ("a", "b", "c"))

    assert (a.kind, a.size_bytes, a.name) == ("saved_model", 3, "a")
    assert a.sha256 == b.sha256 != c.sha256


@pytest.mark.parametrize(
    ("spec", "file", "entry"),
    [
        pytest.param("make.py:model", "make.py", "model", id="file"),
        pytest.param("sub/make.py:model", "sub/make.py", "model", id="file-in-folder"),
        pytest.param("make:model", "make.py", "model", id="module"),
        pytest.param("sub.make:model", "sub/make.py", "model", id="module-in-package"),
        pytest.param("json.tool:main", None, "json.tool:main", id="installed-module"),
    ],
)
def test_an_entry_point_names_its_file_where_it_lies_in_the_project(
    tmp_path: Path, spec: str, file: str | None, entry: str
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("make.py", "sub/make.py"):
        (tmp_path / name).write_text(f"# {name}\n")

    source = open_model(spec, tmp_path)

    assert (source.kind, source.name, source.entry) == ("python", spec, entry)
    assert source.path == (tmp_path / file if file else None)
    text = (tmp_path / file).read_bytes() if file else spec.encode()
    assert source.sha256 == hashlib.sha256(text).hexdigest()


BAD_BYTES = [
    ("empty.keras", b"", "EC201", "empty"),
    ("cut.h5", hdf5(4000, 3000), "EC201", "its header says 4 000 B, the file has 3 000 B"),
    ("cut2.h5", hdf5(4000, 3000, 2), "EC201", "truncated"),
    ("stub.h5", b"\x89HD", "EC201", "the file has 3 bytes"),
    ("stub.keras", b"PK\x03\x04" + bytes(50), "EC201", "truncated or damaged"),
    ("noise.h5", bytes(range(7, 250)) * 9, "EC202", "an HDF5 file; this one is not"),
    ("noise.bin", bytes(range(7, 250)) * 9, "EC202", "of no known kind"),
    ("page.keras", b"<!DOCTYPE html><html>", "EC202", "a web page"),
    ("model.json", b'{"class_name": "Model"}', "EC202", "JSON"),
    ("model.h5.gz", b"\x1f\x8b" + bytes(30), "EC202", "gzip"),
    ("model.pkl", b"\x80\x04\x95" + bytes(30), "EC202", "pickle"),
    ("model.pth", bytes(range(40)), "EC202", "PyTorch"),
    ("graph.pb", b"\n\x0b" + bytes(30), "EC202", "SavedModel's folder"),
    ("lfs.h5", b"version https://git-lfs.example/spec/v1\noid sha256:0\nsize 4\n", "EC205", "git lfs pull"),
    ("train.py", b"import keras\n", "EC207", "train.py:make_model"),
]


@pytest.mark.parametrize(("name", "content", "code", "says"), BAD_BYTES, ids=[case[0] for case in BAD_BYTES])
def test_bytes_that_are_no_whole_model_are_refused_by_what_they_are(
    tmp_path: Path, name: str, content: bytes, code: str, says: str
) -> None:
    (tmp_path / name).write_bytes(content)

    said = refusal(name, tmp_path)

    assert f"error[{code}]" in said
    assert says in said


ESCAPES = ["../evil.py", "/etc/evil", "a/../../evil", "..\\evil", "c:evil"]


@pytest.mark.parametrize("member", ESCAPES)
def test_an_archive_that_unpacks_outside_its_folder_is_refused(tmp_path: Path, member: str) -> None:
    keras_archive(tmp_path / "m.keras", {**WHOLE, member: b"x"})

    assert "error[EC206]" in refusal("m.keras", tmp_path)


def test_an_archive_without_a_config_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    keras_archive(tmp_path / "m.keras", {"weights.bin": b"x"})

    assert "it holds `weights.bin`" in refusal("m.keras", tmp_path)


def test_an_archive_that_unpacks_to_far_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    keras_archive(tmp_path / "m.keras", {**WHOLE, "model.weights.h5": bytes(archive.RATIO_COUNTS_FROM_BYTES)})

    assert f"limit {archive.MAX_RATIO} unpacked bytes for each packed one" in refusal("m.keras", tmp_path)


def test_an_archive_larger_than_any_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 999)
    keras_archive(tmp_path / "m.keras", WHOLE)

    assert "limit 999 B unpacked, found 1 004 B" in refusal("m.keras", tmp_path)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, kept: float) -> None:
    content = keras_archive(tmp_path / "whole.keras", WHOLE).read_bytes()
    (tmp_path / "cut.keras").write_bytes(content[: int(len(content) * kept)])

    assert "error[EC201]" in refusal("cut.keras", tmp_path)


def test_a_flipped_byte_in_an_archive_is_found_by_its_checksum(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as written:
        written.writestr("config.json", b"{}")
        written.writestr("model.weights.h5", b"0123456789")
    content = bytearray((tmp_path / "m.keras").read_bytes())
    content[content.index(b"0123456789") + 4] ^= 1
    (tmp_path / "m.keras").write_bytes(content)

    assert "member `model.weights.h5` fails its checksum" in refusal("m.keras", tmp_path)


@pytest.mark.parametrize(
    ("spec", "code", "says"),
    [
        pytest.param("kws.kreas", "EC200", "did you mean `kws.keras`?", id="near-name"),
        pytest.param("models/kws.kreas", "EC200", "models` does not exist", id="no-folder"),
        pytest.param("make.py:model", "EC200", "there is no model `make.py`", id="no-python-file"),
        pytest.param("kws.h5:model", "EC200", "there is no model", id="colon-in-a-model's-name"),
        pytest.param("a b:model", "EC207", "neither a module name nor a .py file", id="no-module-name"),
        pytest.param("folder", "EC203", "did you mean", id="folder-with-a-model"),
        pytest.param("unpacked", "EC203", "unpacked .keras file", id="unpacked-keras-file"),
    ],
)
def test_names_that_lead_to_no_model_are_refused_with_what_is_near(
    tmp_path: Path, spec: str, code: str, says: str
) -> None:
    keras_archive(tmp_path / "kws.keras", WHOLE)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kws.h5").write_bytes(b"x")
    (tmp_path / "unpacked").mkdir()
    for name in ("config.json", "metadata.json"):
        (tmp_path / "unpacked" / name).write_text("{}")

    said = refusal(spec, tmp_path)

    assert f"error[{code}]" in said
    assert says in said


def test_a_saved_model_with_an_empty_graph_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "saved_model.pb").touch()

    assert "error[EC201]" in refusal("m", tmp_path)


def test_a_saved_model_of_lfs_pointers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "saved_model.pb").write_bytes(b"version https://git-lfs.example/spec/v1\n")

    assert "error[EC205]" in refusal("m", tmp_path)


def test_a_file_that_may_not_be_read_is_refused_with_the_system_s_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.keras").write_bytes(b"x")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "open", denied)  # a permission bit would not stop root

    said = refusal("m.keras", tmp_path)

    assert "error[EC204]" in said
    assert "permission denied" in said


def test_a_pipe_is_neither_empty_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.tflite")

    with pytest.raises(BadInputError) as caught:
        open_model("m.tflite", tmp_path)

    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.message) == ("EC202", "`m.tflite` is a named pipe, not a file")


def test_a_device_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        open_model("/dev/zero", tmp_path)

    assert caught.value.diagnostics[0].message == "`zero` is a device, not a file"


@pytest.mark.parametrize("to", ["gone.tflite", "m.tflite"], ids=["nowhere", "itself"])
def test_a_link_that_leads_nowhere_is_told_as_a_link(tmp_path: Path, to: str) -> None:
    (tmp_path / "m.tflite").symlink_to(to)

    with pytest.raises(BadInputError) as caught:
        open_model("m.tflite", tmp_path)

    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.notes) == (
        "EC200",
        (f"it is a symbolic link to `{to}`, which leads to no file",),
    )
    assert not any("did you mean" in one for one in problem.help)


@pytest.mark.parametrize("name", ["", "  "])
def test_no_name_is_not_the_working_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="EC200: the name of the model is empty"):
        open_model(name, tmp_path)
