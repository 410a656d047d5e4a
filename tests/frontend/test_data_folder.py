"""Folders by class: images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError, MissingError
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.frontend.data import DataSet, open_data

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")


def image(path: Path, value: int, size: tuple[int, int] = (6, 4), mode: str = "RGB") -> None:
    """A PNG of one colour; ``size`` is height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (size[1], size[0]), (value,) * 3 if mode == "RGB" else value).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three classes of ten images each, the value telling the class."""
    for index, name in enumerate(("cat", "dog", "fox")):
        for number in range(10):
            image(tmp_path / "photos" / name / f"{number}.png", index * 100 + number)
    return tmp_path


def opened(base: Path, seed: int = 0, **settings: Any) -> DataSet:
    """The folder `photos` as data."""
    settings = {"calibration_samples": 6, **settings}
    return open_data(DataSpec(source="photos", **settings), base, seed)


def told(base: Path, **settings: Any) -> Any:
    """The one diagnostic that opening raises."""
    with pytest.raises(BadInputError) as caught:
        opened(base, **settings)
    (problem,) = caught.value.diagnostics
    return problem


def test_classes_are_the_sorted_folder_names(photos: Path) -> None:
    data = opened(photos)

    assert data.labels == ("cat", "dog", "fox")
    assert data.train is not None
    assert data.train.x[0].shape[1:] == (6, 4, 3)
    assert data.train.x[0].dtype == np.uint8
    for _, part in data.parts():
        np.testing.assert_array_equal(part.x[0][:, 0, 0, 0] // 100, part.y[0])


def test_ready_made_splits_are_recognised(photos: Path) -> None:
    (photos / "photos").rename(photos / "train")
    (photos / "photos").mkdir()
    (photos / "train").rename(photos / "photos" / "Train")
    image(photos / "photos" / "test" / "dog" / "x.png", 142)

    data = opened(photos)

    assert data.test is not None
    assert (data.labels, data.test.y[0].tolist()) == (("cat", "dog", "fox"), [1])
    assert data.test.x[0][0, 0, 0, 0] == 142


def test_the_head_of_a_part_holds_every_class(photos: Path) -> None:
    (photos / "photos").rename(photos / "test")
    (photos / "photos").mkdir()
    (photos / "test").rename(photos / "photos" / "test")

    data = opened(photos)

    assert data.test is not None and data.test.y[0][:6].tolist() == [0, 1, 2, 0, 1, 2]


def test_a_labels_file_gives_the_order(photos: Path) -> None:
    (photos / "labels.txt").write_text("fox\n\ncat\ndog\nbird\n")

    data = opened(photos, labels="labels.txt")

    assert data.labels == ("fox", "cat", "dog", "bird")
    assert data.test is not None
    expected = [{0: 1, 1: 2, 2: 0}[int(value) // 100] for value in data.test.x[0][:, 0, 0, 0]]
    assert data.test.y[0].tolist() == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("cat\ndog\n", "`fox`", id="class-missing"),
        pytest.param("", "no name", id="empty"),
        pytest.param("cat\ncat\n", "more than once", id="twice"),
        pytest.param(None, "cannot be read", id="no-file"),
    ],
)
def test_labels_that_do_not_fit_are_told(photos: Path, text: str | None, word: str) -> None:
    if text is not None:
        (photos / "labels.txt").write_text(text)

    problem = told(photos, labels="labels.txt")

    assert problem.code == "EC284"
    assert word in problem.message


def test_images_are_resized_and_turned_grey_and_scaled(photos: Path) -> None:
    preprocess = Preprocess(resize=(3, 8), color="grayscale", scale=(0.5,), offset=(1.0,))

    data = opened(photos, preprocess=preprocess)

    assert data.test is not None
    assert data.test.x[0].shape[1:] == (3, 8, 1)
    assert data.test.x[0].dtype == np.float32
    np.testing.assert_array_equal((data.test.x[0][:, 0, 0, 0] - 1) * 2 // 100, data.test.y[0])
    assert data.description["preprocess"] == {"scale": [0.5], "offset": [1.0], "resize": [3, 8], "color": "grayscale"}


def test_grey_images_are_read_as_rgb_unless_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(8):
            image(tmp_path / "photos" / name / f"{number}.png", 7, mode="L")

    assert opened(tmp_path).train.x[0].shape[-1] == 3  # type: ignore[union-attr]


def test_other_files_are_passed_over_and_counted(photos: Path) -> None:
    (photos / "photos" / "cat" / "notes.txt").write_text("x")
    (photos / "photos" / "_background").mkdir()
    (photos / "photos" / ".cache").mkdir()

    data = opened(photos)

    assert data.labels == ("cat", "dog", "fox")
    assert (data.description["files"], data.description["files_passed_over"]) == (30, 1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not an image", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0" * 40, id="png-head"),
        pytest.param(b"\xff\xd8\xff\xe0" + b"\0" * 40, id="jpeg-head"),
    ],
)
def test_an_image_that_cannot_be_read_is_named(photos: Path, content: bytes) -> None:
    (photos / "photos" / "dog" / "bad.png").write_bytes(content)

    problem = told(photos)

    assert problem.code == "EC273"
    assert str(problem.location) == "photos, dog/bad.png"
    assert str(photos) not in problem.render()


def test_a_cut_image_is_named(photos: Path) -> None:
    whole = photos / "photos" / "dog" / "3.png"
    whole.write_bytes(whole.read_bytes()[:45])

    assert told(photos).code == "EC273"


def test_images_of_16_bits_are_refused(photos: Path) -> None:
    image(photos / "photos" / "dog" / "deep.png", 1000, mode="I;16")

    problem = told(photos)

    assert problem.code == "EC273"
    assert "8 bits" in problem.notes[0]


def test_images_of_different_sizes_are_told_and_resize_helps(photos: Path) -> None:
    image(photos / "photos" / "dog" / "zz.png", 1, size=(5, 5))

    problem = told(photos)

    assert problem.code == "EC274"
    assert problem.notes == (
        "`dog/zz.png` is 5 x 5 (height x width)",
        "`cat/0.png` is 6 x 4",
    )
    assert opened(photos, preprocess=Preprocess(resize=(4, 4))).train is not None


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([], id="empty"),
        pytest.param(["1.png", "2.png"], id="no-classes"),
        pytest.param(["a/x.txt"], id="nothing-to-read"),
        pytest.param(["a/1.png", "b/1.wav"], id="two-kinds"),
    ],
)
def test_a_folder_that_is_not_by_class_is_told(tmp_path: Path, files: list[str]) -> None:
    (tmp_path / "photos").mkdir()
    for name in files:
        (tmp_path / "photos" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"")

    assert told(tmp_path).code == "EC261"


def test_without_pillow_the_library_is_named(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)

    with pytest.raises(MissingError) as caught:
        opened(photos)

    (problem,) = caught.value.diagnostics
    assert problem.code == "EC190"
    assert "pip install pillow" in problem.help[0]


def test_sound_settings_on_images_are_told(photos: Path) -> None:
    assert told(photos, preprocess=Preprocess(sample_rate=16000)).code == "EC285"
