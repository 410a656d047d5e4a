"""Finding what `run` is to run, and the inputs for it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.cli.run_inputs import find_build, read_inputs
from edgecompile.core.errors import BadInputError
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.writer import write


def write_report(folder: Path, **changes: Any) -> None:
    folder.mkdir(parents=True)
    plain = {"target": "coral", "artifacts": [{"path": "m.tflite"}], **changes}
    (folder / "report.json").write_text(json.dumps(plain))


def test_a_build_is_found_by_its_report(tmp_path: Path) -> None:
    write_report(tmp_path / "coral")

    built = find_build(str(tmp_path / "coral"))

    assert (built.path, built.target) == (tmp_path / "coral" / "m.tflite", "coral")


def test_a_tflite_file_is_taken_as_it_is(tmp_path: Path) -> None:
    model = network()
    (tmp_path / "m.tflite").write_bytes(model)

    built = find_build(str(tmp_path / "m.tflite"))

    assert (built.content, built.target) == (model, "")


@pytest.mark.parametrize("cut", [0, 100, 300])
def test_a_tflite_file_that_is_not_whole_does_not_reach_the_interpreter(cut: int, tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(network()[:cut])

    with pytest.raises(BadInputError, match="EC2"):
        _ = find_build(str(tmp_path / "m.tflite")).content


def network() -> bytes:
    """One dense layer."""
    build = NetworkBuilder()
    x, y = build.input("x", (1, 8), "float32"), build.tensor("y", (1, 3), "float32")
    weights = build.constant("w", np.ones((3, 8), np.float32))
    build.op("FULLY_CONNECTED", [x, weights], [y], fused_activation_function="NONE")
    return write(build.output(y).build())


def test_the_folder_above_the_targets_names_them(tmp_path: Path) -> None:
    write_report(tmp_path / "build" / "coral")

    with pytest.raises(BadInputError) as caught:
        find_build(str(tmp_path / "build"))

    assert caught.value.diagnostics[0].code == "EC110"
    assert str(tmp_path / "build" / "coral") in caught.value.diagnostics[0].help[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="truncated"),
        pytest.param("[]", id="a-list"),
        pytest.param('{"artifacts": [1], "target": ""}', id="artifacts-of-numbers"),
        pytest.param('{"artifacts": [], "target": "coral"}', id="no-artifact"),
    ],
)
def test_a_report_that_names_no_model_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(text)

    with pytest.raises(BadInputError, match="EC110"):
        find_build(str(tmp_path))


def test_a_model_that_went_away_is_refused(tmp_path: Path) -> None:
    write_report(tmp_path / "coral")

    with pytest.raises(BadInputError, match="EC110"):
        _ = find_build(str(tmp_path / "coral")).content


def test_a_model_that_was_changed_since_is_told_from_the_one_that_was_built(tmp_path: Path) -> None:
    wanted = hashlib.sha256(b"model").hexdigest()
    write_report(tmp_path / "coral", artifacts=[{"path": "m.tflite", "sha256": wanted}])
    (tmp_path / "coral" / "m.tflite").write_bytes(b"model")
    built = find_build(str(tmp_path / "coral"))
    assert built.content == b"model"

    (tmp_path / "coral" / "m.tflite").write_bytes(b"other")

    with pytest.raises(BadInputError) as caught:
        _ = built.content
    (problem,) = caught.value.diagnostics
    assert problem.code == "EC112"
    assert problem.notes[0].endswith(wanted)


ONE, TWO = np.zeros((2, 3), np.float32), np.ones((2, 1), np.int8)


@pytest.mark.parametrize(
    "arrays, names, chosen",
    [
        pytest.param({"b": TWO, "a": ONE}, ["a", "b"], [ONE, TWO], id="by-name"),
        pytest.param({"y_test": TWO, "x_test": ONE}, ["image"], [ONE], id="a-data-set"),
        pytest.param({"x": ONE, "x_test": TWO}, ["x"], [ONE], id="the-name-before-the-custom"),
        pytest.param({"anything": ONE}, ["image"], [ONE], id="the-only-array"),
        pytest.param({"p": ONE, "q": TWO}, ["a", "b"], [ONE, TWO], id="in-order"),
    ],
)
def test_arrays_are_matched_with_inputs(
    arrays: dict[str, Any], names: list[str], chosen: list[Any], tmp_path: Path
) -> None:
    np.savez(tmp_path / "in.npz", **arrays)

    found = read_inputs(str(tmp_path / "in.npz"), names)

    assert [array.tolist() for array in found] == [array.tolist() for array in chosen]


def test_one_array_may_stand_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", ONE)

    assert read_inputs(str(tmp_path / "in.npy"), ["image"])[0].shape == (2, 3)


@pytest.mark.parametrize(
    "arrays, names",
    [
        pytest.param({"p": ONE, "q": ONE, "r": ONE}, ["a", "b"], id="too-many"),
        pytest.param({"p": ONE}, ["a", "b"], id="too-few"),
        pytest.param({"a": ONE, "b": np.zeros((5, 1))}, ["a", "b"], id="unequal-samples"),
        pytest.param({"a": np.float32(1)}, ["a"], id="no-samples"),
        pytest.param({"a": np.zeros((0, 3), np.float32)}, ["a"], id="empty"),
        pytest.param({"a": np.array([{}], dtype=object)}, ["a"], id="pickled-objects"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, Any], names: list[str], tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", **arrays)

    with pytest.raises(BadInputError, match="EC111"):
        read_inputs(str(tmp_path / "in.npz"), names)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", b"text"], ids=["missing", "empty", "cut-zip", "text"])
def test_a_file_that_is_no_array_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "in.npz").write_bytes(content)

    with pytest.raises(BadInputError, match="EC111"):
        read_inputs(str(tmp_path / "in.npz"), ["a"])


def test_inputs_are_not_waited_for_in_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.npz")

    with pytest.raises(BadInputError, match="EC111") as caught:
        read_inputs(str(tmp_path / "in.npz"), ["x"])

    assert caught.value.diagnostics[0].notes == ("it is a pipe or a device, not a file",)


def test_inputs_that_claim_to_be_larger_than_memory_are_no_fault_of_ours(tmp_path: Path) -> None:
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999, 8), }"
    (tmp_path / "in.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + head.ljust(117) + b"\n")

    with pytest.raises(BadInputError, match="EC111"):
        read_inputs(str(tmp_path / "in.npy"), ["x"])


@pytest.mark.parametrize("dtype", ["c8", "U3"])
def test_inputs_that_are_no_real_numbers_are_told_by_their_type(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.ones((2, 8)).astype(dtype))

    with pytest.raises(BadInputError, match="EC111") as caught:
        read_inputs(str(tmp_path / "in.npy"), ["x"])

    assert caught.value.diagnostics[0].notes[0].startswith("models take real numbers; found: ")
