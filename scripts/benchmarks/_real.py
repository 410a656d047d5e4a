"""Real inputs for models whose input has the shape of a data set: photographs, digits, speech, gestures."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from _shared import CHECKOUT, loaders

from edgecompile.ir.network import Network, Tensor
from edgecompile.ir.ports import port_of

Array = np.ndarray[Any, Any]
# Of the official inputs of MLPerf Tiny's keyword spotting, which are stored quantized.
_KWS_SCALE, _KWS_ZERO_POINT = 0.5847029089927673, 83


def real_inputs(network: Network, count: int) -> tuple[list[Array], str] | None:
    """``count`` real-valued inputs, samples first, and what they are; None where no data set has the shape.

    Data sets are those of the shared data folder, where there is one. Photographs fill the range of the model's input.
    """
    folder = Path(os.environ.get("EDGECOMPILE_DATA", CHECKOUT.parent / "shared" / "data"))
    if len(network.main.inputs) != 1 or not (folder / "datasets").is_dir():
        return None
    tensor = network.main.tensors[network.main.inputs[0]]
    found = _SETS.get(tuple(tensor.shape[1:]))
    if found is None or tensor.dtype not in ("int8", "uint8", "float32"):
        return None
    make, words = found
    samples = make(folder)[:count]
    if make is not _speech:
        samples = _spread(samples, tensor)
    return [samples.reshape(len(samples), *tensor.shape).astype(np.float32)], f"{len(samples)} of {words}"


def _spread(samples: Array, tensor: Tensor) -> Array:
    """The data's range onto that of the input: 0 to 1 for floats."""
    lowest, highest = 0.0, 1.0
    if tensor.dtype != "float32":
        limits, port = np.iinfo(tensor.dtype), port_of(tensor)
        lowest, highest = (port.scale * (limit - port.zero_point) for limit in (limits.min, limits.max))
    least, most = float(samples.min()), float(samples.max())
    return np.asarray(lowest + (samples - least) / (most - least) * (highest - lowest))


@cache
def _speech(folder: Path) -> Array:
    stored = np.load(folder / "datasets" / "mlperf_kws01.npz")["x"].astype(np.float32)
    return np.asarray(_KWS_SCALE * (stored - _KWS_ZERO_POINT))


@cache
def _photographs(folder: Path) -> Array:
    return np.asarray(loaders(folder).cifar10()[1][0], np.float32)


@cache
def _enlarged(folder: Path) -> Array:
    return np.repeat(np.repeat(_photographs(folder)[:200], 3, axis=1), 3, axis=2)


@cache
def _grey(folder: Path) -> Array:
    return np.asarray(_enlarged(folder).mean(axis=3, keepdims=True))


@cache
def _digits(folder: Path) -> Array:
    return np.asarray(np.load(folder / "datasets" / "mnist.npz")["x_test"], np.float32)


@cache
def _clips(folder: Path) -> Array:
    """Spoken words of a second at 16 kHz, each also begun half a second later."""
    clips = np.load(folder / "datasets" / "speech_commands_wav.npz")["x"].astype(np.float64)
    return np.concatenate([clips, np.roll(clips, clips.shape[1] // 2, axis=1)])


def _spectra(frames: int, bands: int) -> Callable[[Path], Array]:
    """Logarithms of energies in bands that are equally wide on the mel scale, frame by frame."""

    @cache
    def make(folder: Path) -> Array:
        clips, window = _clips(folder), 640
        places = np.linspace(0, clips.shape[1] - window, frames).astype(int)
        cut = np.stack([clips[:, place : place + window] for place in places], axis=1)
        power = np.abs(np.fft.rfft(cut * np.hanning(window), 1024)) ** 2
        mel = 2595 * np.log10(1 + np.linspace(0, 8000, power.shape[-1]) / 700)
        edges = np.linspace(mel[0], mel[-1], bands + 2)
        rise = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
        fall = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
        return np.asarray(np.log1p(power @ np.clip(np.minimum(rise, fall), 0, None)), np.float32)

    return make


@cache
def _gestures(folder: Path) -> Array:
    stored = np.load(folder / "datasets" / "magic_wand_imu.npz")
    return np.concatenate([stored["x_train"], stored["x_test"]]).astype(np.float32)


_SPOKEN = "Speech Commands' clips as log-mel spectra"
# Inputs that are spectra of sound, with frames and bands; models of 640 hear machines, of which there is no data.
_HEARING = (
    ((1960,), 49, 40),
    ((49, 40, 1), 49, 40),
    ((30, 1, 40), 30, 40),
    ((64, 50, 1), 64, 50),
    ((64, 96, 1), 64, 96),
    ((640,), 5, 128),
)
_SETS: dict[tuple[int, ...], tuple[Callable[[Path], Array], str]] = {
    (49, 10, 1): (_speech, "MLPerf Tiny's keywords"),
    (32, 32, 3): (_photographs, "CIFAR-10's test photographs"),
    (96, 96, 3): (_enlarged, "CIFAR-10's test photographs, three times as large"),
    (96, 96, 1): (_grey, "CIFAR-10's test photographs, grey, three times as large"),
    (28, 28, 1): (_digits, "MNIST's test digits"),
    (28, 28): (_digits, "MNIST's test digits"),
    (119, 6): (_gestures, "Magic Wand's gestures"),
    **{shape: (_spectra(frames, bands), _SPOKEN) for shape, frames, bands in _HEARING},
}
