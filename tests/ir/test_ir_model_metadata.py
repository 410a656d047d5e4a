"""TFLite metadata: a real file is read as its authors wrote it, ours is read back, equal input gives equal bytes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import Preprocess
from edgecompile.emit.model_card import foresee_labels, with_card
from edgecompile.frontend.input_spec import InputSpec
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.describe import describe
from edgecompile.ir.model_metadata import SCHEMA, attach_metadata, read_metadata, told
from edgecompile.ir.network import Buffer, Network
from edgecompile.ir.reader import read
from edgecompile.ir.text import text
from edgecompile.ir.writer import write
from edgecompile.libs import flat_tables

REAL = "tensorflow__tflite-support__a0efd0b1__test_model_nl_classifier_with_associated_label.tflite"


def classifier(shape: tuple[int, ...] = (1, 8, 8, 3), classes: int = 3) -> Network:
    build = NetworkBuilder()
    x = build.input("image", shape)
    build.op("RELU", [x], [build.tensor("scores", (1, classes))])
    return build.output(1).build()


@pytest.mark.data
def test_the_metadata_of_a_real_file_is_read_as_it_was_meant(data: Path) -> None:
    network = read((data / "tflite" / REAL).read_bytes(), REAL)

    found = read_metadata(network)

    assert found is not None
    assert (found["name"], found["version"], found["author"], found["min_parser_version"]) == (
        "NL Classifier", "v1", "TensorFlow", "1.0.0",
    )  # fmt: skip
    (subgraph,) = found["subgraph_metadata"]
    (taken,) = subgraph["input_tensor_metadata"]
    assert taken == {
        "name": "text string",
        "description": "Input string to be classified.",
        "content": {"content_properties": ("FeatureProperties", {})},
    }
    outputs = subgraph["output_tensor_metadata"]
    assert [one["name"] for one in outputs] == [
        "scores_dequantized", "scores_quantized", "labels", "scores_dequantized_float64",
    ]  # fmt: skip
    assert outputs[0]["associated_files"] == [
        {"name": "test_labels.txt", "description": "Labels for objects that the model can recognize.", "type": 2}
    ]


@pytest.mark.data
def test_the_metadata_of_a_real_file_survives_being_written_anew(data: Path) -> None:
    found = read_metadata(read((data / "tflite" / REAL).read_bytes(), REAL))

    assert found is not None
    assert flat_tables.read(SCHEMA, flat_tables.write(SCHEMA, found)) == found


def test_a_model_carries_normalization_color_and_labels() -> None:
    preprocess = Preprocess(scale=(0.0078125,), offset=(-1.0,))

    network = read(write(with_card(classifier(), "net", ("cat", "dog", "tree"), preprocess)))

    found = read_metadata(network)
    assert found is not None
    (subgraph,) = found["subgraph_metadata"]
    (image,) = subgraph["input_tensor_metadata"]
    assert image["content"]["content_properties"] == (
        "ImageProperties",
        {"color_space": 1, "default_size": {"width": 8, "height": 8}},
    )
    assert image["process_units"] == [{"options": ("NormalizationOptions", {"mean": [128.0], "std": [128.0]})}]
    assert subgraph["output_tensor_metadata"][0]["associated_files"][0]["name"] == "labels.txt"
    with zipfile.ZipFile(io.BytesIO(network.trailer)) as archive:
        (entry,) = archive.infolist()
        assert archive.read(entry) == b"cat\ndog\ntree\n"
        assert (entry.compress_type, entry.date_time) == (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))


def test_the_file_itself_opens_as_the_zip_that_androids_tools_read(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(write(with_card(classifier(), "net", ("a", "b", "c"), None)))

    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["labels.txt"]
        assert archive.testzip() is None


def test_equal_models_give_equal_bytes() -> None:
    made = [write(with_card(classifier(), "net", ("a", "b", "c"), Preprocess(scale=(0.5,)))) for _ in range(2)]

    assert made[0] == made[1]


def test_a_model_that_brings_metadata_keeps_it() -> None:
    own = attach_metadata(classifier(), {"name": "theirs"}, {})

    assert with_card(own, "net", ("a", "b", "c"), None) is own


def test_labels_that_match_no_output_are_refused() -> None:
    with pytest.raises(BadInputError) as caught:
        with_card(classifier(classes=4), "net", ("a", "b", "c"), None)

    assert caught.value.diagnostics[0].code == "EC760"
    assert "found: 3 labels, from `a` to `c`" in caught.value.diagnostics[0].notes


@pytest.mark.parametrize(
    "shapes, labels, refused",
    [
        pytest.param([(None, 4)], "abc", True, id="one too few"),
        pytest.param([(None, 4)], "abcd", False, id="as many"),
        pytest.param([(None, 7), (None, 4)], "abcd", False, id="the second output"),
        pytest.param([(None, 1)], "ab", False, id="a sigmoid"),
        pytest.param([(None, None)], "abc", False, id="an open axis"),
        pytest.param([(None,)], "abc", False, id="the batch only"),
        pytest.param([(None, 4)], "", False, id="no labels"),
    ],
)
def test_labels_are_held_against_a_model_before_it_is_converted(
    shapes: list[tuple[int | None, ...]], labels: str, refused: bool
) -> None:
    ends = [InputSpec(name=f"y{at}", shape=shape, dtype="float32") for at, shape in enumerate(shapes)]

    try:
        foresee_labels(tuple(labels), "net.keras", ends)
        told = []
    except BadInputError as error:
        told = [(d.code, str(d.location), d.notes[-1]) for d in error.diagnostics]

    assert told == ([("EC760", "net.keras", "outputs: `y0`, float32[?, 4]")] if refused else [])


def test_one_sigmoid_value_may_stand_for_two_labels() -> None:
    found = read_metadata(with_card(classifier(classes=1), "net", ("no", "yes"), None))

    assert found is not None
    assert "associated_files" not in found["subgraph_metadata"][0]["output_tensor_metadata"][0]


@pytest.mark.parametrize(
    ("shape", "preprocess", "kind"),
    [
        ((1, 8, 8, 3), Preprocess(), "ImageProperties"),
        ((1, 8, 8, 1), Preprocess(color="grayscale"), "ImageProperties"),
        ((1, 49, 10, 1), Preprocess(), "FeatureProperties"),
        ((1, 640), Preprocess(), "FeatureProperties"),
    ],
    ids=["colors", "gray image", "spectrogram", "vector"],
)
def test_what_an_input_is_follows_from_channels_and_preprocessing(
    shape: tuple[int, ...], preprocess: Preprocess, kind: str
) -> None:
    found = read_metadata(with_card(classifier(shape), "net", (), preprocess))

    assert found is not None
    assert found["subgraph_metadata"][0]["input_tensor_metadata"][0]["content"]["content_properties"][0] == kind


def test_inspect_tells_the_metadata() -> None:
    network = with_card(classifier(), "net", ("a", "b", "c"), Preprocess(scale=(0.5,), offset=(1.0,)))

    shown = text(network)

    assert "input image, image, RGB, mean -2 std 2" in shown
    assert "output scores, feature, labels in labels.txt" in shown
    assert json.loads(json.dumps(describe(network)))["model_metadata"]["name"] == "net"


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_damaged_metadata_is_none_and_never_an_error(damage: bytes) -> None:
    network = classifier()
    content = b"\x08\x00\x00\x00M001" + damage
    entries = {"TFLITE_METADATA": Buffer(content)}

    found = read_metadata(Network(subgraphs=network.subgraphs, metadata=entries))

    assert found is None or isinstance(found, dict)
    assert isinstance(told(found), list)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_metadata_with_a_byte_changed_is_read_or_refused(data: Any) -> None:
    content = bytearray(flat_tables.write(SCHEMA, {"name": "net", "subgraph_metadata": [{"name": "main"}]}))
    content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        assert isinstance(flat_tables.read(SCHEMA, bytes(content)), dict)
    except ValueError as error:
        assert str(error)


def test_a_field_that_the_schema_does_not_have_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        flat_tables.write(SCHEMA, {"nome": "net"})
