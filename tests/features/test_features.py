"""Features of sound: those of the formula, the same in C as in Python, refused where they cannot be."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec, Features, Preprocess
from edgecompile.emit.c import features as emitted
from edgecompile.features import Plan, compute, plan_of, real, wrong
from edgecompile.features.plan import from_dict
from edgecompile.features.quantized import scaled, thresholds
from edgecompile.frontend import data_features
from edgecompile.ir.network import Network, Quantization, Subgraph, Tensor
from edgecompile.ir.ports import port_of
from edgecompile.libs.affine import Port, quantize
from edgecompile.verify import c_features
from edgecompile.verify.verify import VERIFIED

RATE = 16000
LOG_MEL = Features(kind="log_mel", window=480, step=320, bands=40, low_hz=60.0)
MFCC = Features(kind="mfcc", window=640, step=320, bands=40, coefficients=10, high_hz=7600.0)
SHORT = Features(kind="log_mel", window=100, step=100, bands=4, low_hz=200.0)
PLANS = {
    "log_mel": plan_of(LOG_MEL, RATE, 16000),
    "mfcc": plan_of(MFCC, RATE, 8000),
    "window not a power of two, no overlap": plan_of(SHORT, 8000, 1050),
    "longest": plan_of(Features(kind="mfcc", window=4096, step=2048, bands=64, coefficients=64), 44100, 9000),
}


def input_of(plan: Plan, dtype: str) -> Tensor:
    quantization = Quantization(scales=(0.0125,), zero_points=(-7 if dtype == "int8" else 0,))
    shape = (1, plan.rows, plan.columns, 1)
    return Tensor(name="x", shape=shape, dtype=dtype, quantization=None if dtype == "float32" else quantization)


def written(folder: Path, plan: Plan, dtype: str, preprocess: Preprocess) -> c_features.FrontEnd:
    """The front end, its files written as an emitter writes them."""
    (folder / "kernels").mkdir()
    for package, name in (("edgecompile.features", "features.h"), ("edgecompile.kernels", "rounding.h")):
        (folder / "kernels" / name).write_text(files(package).joinpath(name).read_text())
    tensor = input_of(plan, dtype)
    (folder / "kws_features.h").write_text(emitted.header("kws", plan, tensor))
    (folder / "kws_features.c").write_text(emitted.source("kws", plan, tensor, preprocess, port_of(tensor)))
    return c_features.FrontEnd(plan=plan, preprocess=preprocess, port=port_of(tensor))


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_features_are_those_of_the_formula(plan: Plan) -> None:
    """The window, the transform and the logarithm of the textbook in float64, within a step of 1/256 on loud sound."""
    clip = np.random.default_rng(1).normal(0, 3000, (1, plan.length)).astype(np.int16)
    count, size = plan.features.window, plan.size
    hann = np.sin(np.pi * np.arange(count) / count) ** 2
    rows = [clip[0, start * plan.features.step :][:count] * hann for start in range(plan.rows)]
    power = np.abs(np.fft.rfft(rows, size)) ** 2
    energies = np.stack([power[:, first:][:, : len(w)] @ (w / 4096) for first, w in plan.bands], axis=1)
    logs = np.log2(energies)
    if plan.features.kind == "mfcc":
        from scipy.fft import dct

        logs = dct(logs, norm="ortho", axis=1)[:, : plan.columns]

    found = real(compute(plan, clip))[0]

    # Half a step of rounding, and as much again of twiddles in 14 bits; the cosines too are rounded to 14 bits.
    cosines = np.sum(np.log2(energies), axis=1).max() / 2**15 if plan.features.kind == "mfcc" else 0
    assert np.max(np.abs(found - logs)) < 1.5 / 256 + cosines


def test_bands_are_triangles_that_add_up_to_one_between_the_first_and_the_last() -> None:
    plan = PLANS["log_mel"]
    total = np.zeros(plan.size // 2 + 1)
    for first, weights in plan.bands:
        total[first : first + len(weights)] += weights / 4096
    first, last = plan.bands[0], plan.bands[-1]

    middle = total[first[0] + int(np.argmax(first[1])) + 1 : last[0] + int(np.argmax(last[1]))]

    assert np.allclose(middle, 1, atol=2 / 4096)


def test_silence_is_zero_and_each_factor_of_two_in_energy_is_one() -> None:
    plan = PLANS["log_mel"]
    tone = 1000 * np.sin(2 * np.pi * 1000 * np.arange(16000) / RATE)

    silent, quiet, loud = real(compute(plan, np.stack([0 * tone, tone, 4 * tone]).astype(np.int16)))

    assert np.all(silent == 0)
    peak = int(np.argmax(loud[10]))
    assert loud[10, peak] - quiet[10, peak] == pytest.approx(4, abs=1 / 64)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing")
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "float32"])
def test_c_equals_python_in_every_bit(plan: Plan, dtype: str, tmp_path: Path) -> None:
    one = written(tmp_path, plan, dtype, Preprocess(scale=(0.0625,), offset=(-1.25,)))

    found = c_features.verify_on_host(tmp_path, "kws", one, "kws.tflite")

    assert found.status == VERIFIED, found.diagnostics


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing")
def test_a_changed_table_is_found_out(tmp_path: Path) -> None:
    one = written(tmp_path, PLANS["log_mel"], "float32", Preprocess(scale=(0.0625,)))
    text = (tmp_path / "kws_features.c").read_text()
    head, mark, tail = text.partition("static const int16_t logarithms")
    opening, brace, numbers = tail.partition("{\n")
    first = numbers.split(",", 1)[0].strip()
    changed = numbers.replace(first, str(int(first) + 16), 1)
    (tmp_path / "kws_features.c").write_text(head + mark + opening + brace + changed)

    found = c_features.verify_on_host(tmp_path, "kws", one, "kws.tflite")

    assert [diagnostic.code for diagnostic in found.diagnostics] == ["EC725"]


def test_thresholds_are_the_pipelines_own_quantization() -> None:
    plan = PLANS["log_mel"]
    port = Port(name="x", shape=(1, 49, 40), dtype="int8", scale=0.0173, zero_point=11)
    features = np.arange(*plan.range, dtype=np.int32)

    table = thresholds(plan, (0.0625,), (-1.25,), port)

    assert np.all(np.diff(table) >= 0)
    by_table = np.searchsorted(table, features, side="right") - 128
    assert np.array_equal(by_table, quantize(scaled(features, (0.0625,), (-1.25,)), port))


def test_a_plan_comes_back_from_the_report() -> None:
    for plan in PLANS.values():
        again = from_dict(plan.to_dict())
        clip = np.random.default_rng(2).integers(-9000, 9000, (1, plan.length)).astype(np.int16)

        assert np.array_equal(compute(again, clip), compute(plan, clip))


@pytest.mark.parametrize(
    "features, rate, length, words",
    [
        (LOG_MEL, None, 16000, "sample_rate"),
        (Features(kind="log_mel", bands=128), RATE, 16000, "hold no point of the spectrum"),
        (Features(kind="log_mel", window=320, step=480), RATE, 16000, "samples would be lost"),
        (Features(kind="log_mel", window=8192, step=320), RATE, 16000, "2 to 4096"),
        (LOG_MEL, RATE, 400, "a clip has 400"),
        (Features(kind="log_mel", high_hz=9000.0), RATE, 16000, "between 0 and 8000 Hz"),
        (Features(kind="mfcc", bands=8, coefficients=9), RATE, 16000, "more than `bands`"),
    ],
    ids=["rate", "bands", "step", "window", "clip", "high", "coefficients"],
)
def test_what_cannot_be_computed_is_told_with_limit_and_value(
    features: Features, rate: int | None, length: int, words: str
) -> None:
    assert any(words in line for line in wrong(features, rate, length))
    spec = DataSpec(features=features, preprocess=Preprocess(sample_rate=rate))

    with pytest.raises(BadInputError) as raised:
        data_features.apply(np.zeros((1, length), np.int16), spec, "clips.npz")

    assert raised.value.diagnostics[0].code == "EC286"


@pytest.mark.parametrize(
    "clips", [np.zeros((2, 9, 9), np.int16), np.full((2, 16000), 1.5, np.float32), np.zeros((2, 16000), np.int32)]
)
def test_what_is_no_sound_is_refused(clips: np.ndarray) -> None:
    spec = DataSpec(features=LOG_MEL, preprocess=Preprocess(sample_rate=RATE))

    with pytest.raises(BadInputError) as raised:
        data_features.apply(clips, spec, "clips.npz")

    assert raised.value.diagnostics[0].code == "EC286"


def test_floating_point_sound_is_taken_as_the_converter_gives_it() -> None:
    spec = DataSpec(features=LOG_MEL, preprocess=Preprocess(sample_rate=RATE))
    clips = np.random.default_rng(3).integers(-32768, 32767, (2, 16000)).astype(np.int16)

    from_integers = data_features.apply(clips, spec, "clips.npz")
    from_reals = data_features.apply(clips.astype(np.float32) / 32768, spec, "clips.npz")

    assert np.array_equal(from_integers, from_reals)


@pytest.mark.parametrize(
    "shapes, preprocess, words",
    [
        ([(1, 49, 40), (1, 4)], Preprocess(), "2 inputs"),
        ([(1, 49, 10)], Preprocess(), "the features are [49, 40]"),
        ([(1, 49, 40)], Preprocess(scale=(1.0,) * 40), "each column"),
        ([(1, 49, 40)], Preprocess(scale=(-1.0,)), "louder must be more"),
    ],
    ids=["inputs", "shape", "columns", "falling"],
)
def test_why_there_is_no_front_end_is_told(shapes: list[tuple[int, ...]], preprocess: Preprocess, words: str) -> None:
    tensors = tuple(Tensor(name=f"x{i}", shape=shape, dtype="int8") for i, shape in enumerate(shapes))
    main = Subgraph(name="main", tensors=tensors, operators=(), inputs=tuple(range(len(tensors))), outputs=(0,))

    reason = emitted.refusal(PLANS["log_mel"], Network(subgraphs=(main,)), preprocess)

    assert reason is not None and words in reason
