"""Features of sound in the data: what every split holds, of whatever source."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec, Features, Preprocess
from edgecompile.features import compute, real
from edgecompile.features.plan import from_dict
from edgecompile.frontend.data import arrange, open_data
from edgecompile.frontend.input_spec import InputSpec

SPEC = DataSpec(
    features=Features(kind="mfcc", window=256, step=200, bands=12, coefficients=6, low_hz=100.0),
    preprocess=Preprocess(sample_rate=8000, scale=(0.5,)),
    test=0.25,
)
CLIPS = np.random.default_rng(0).integers(-5000, 5000, (24, 1056)).astype(np.int16)
LABELS = np.arange(24) % 2


def write_wavs(folder: Path) -> None:
    for clip, label in zip(CLIPS, LABELS, strict=True):
        place = folder / f"class {label}"
        place.mkdir(parents=True, exist_ok=True)
        with wave.open(str(place / f"{len(list(place.iterdir()))}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(clip.tobytes())


def test_every_split_holds_rows_and_columns_and_the_report_how_they_were_made(tmp_path: Path) -> None:
    np.savez(tmp_path / "clips.npz", x_train=CLIPS[:16], y_train=LABELS[:16], x_test=CLIPS[16:], y_test=LABELS[16:])

    data = open_data(replace(SPEC, source="clips.npz"), tmp_path, seed=0)

    assert {part.x[0].shape[1:] for _, part in data.parts()} == {(5, 6)}
    plan = from_dict(data.description["features"])
    assert data.test is not None
    assert np.array_equal(data.test.x[0], real(compute(plan, CLIPS[16:])) * np.float32(0.5))


def test_a_folder_of_wav_files_gives_the_same_as_its_samples(tmp_path: Path) -> None:
    write_wavs(tmp_path / "clips")
    spec = replace(SPEC, source="clips", preprocess=replace(SPEC.preprocess, length=1056))

    data = open_data(spec, tmp_path, seed=0)

    found = {part.x[0][index].tobytes() for _, part in data.parts() for index in range(len(part))}
    plan = from_dict(data.description["features"])
    assert found <= {clip.tobytes() for clip in real(compute(plan, CLIPS)) * np.float32(0.5)}


def test_features_get_the_models_last_axis_of_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "clips.npz", x_train=CLIPS, y_train=LABELS)
    data = open_data(replace(SPEC, source="clips.npz"), tmp_path, seed=0)

    arranged = arrange(data, [InputSpec(name="x", shape=(None, 5, 6, 1), dtype="float32")], [])

    assert {part.x[0].shape[1:] for _, part in arranged.parts()} == {(5, 6, 1)}


def test_a_sample_rate_without_features_is_still_told_to_have_no_effect(tmp_path: Path) -> None:
    np.savez(tmp_path / "clips.npz", x_train=CLIPS, y_train=LABELS)

    with pytest.raises(BadInputError) as raised:
        open_data(replace(SPEC, source="clips.npz", features=Features()), tmp_path, seed=0)

    assert raised.value.diagnostics[0].code == "EC285"
