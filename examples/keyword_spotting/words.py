"""Made-up words of one second, spoken by a formant synthesizer: int16 at 16 kHz.

No Python package ships recordings of words that may be passed on, so these are made here: a pulse train or noise
through three resonances that move from vowel to vowel, with another voice, pace, place, loudness and noise each time.
They are easier than speech. What runs on the device is the same for recordings of yours.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

SAMPLE_RATE, CLIP = 16000, 16000
# First three resonances in Hz of a grown voice; rounded from G. E. Peterson and H. L. Barney, "Control methods used in
# a study of the vowels", J. Acoust. Soc. Am. 24 (1952).
VOWELS = {"a": (730, 1090, 2440), "i": (270, 2290, 3010), "u": (300, 870, 2240), "o": (570, 840, 2410)}
WORDS = ("", "ia", "ai", "usa", "asu", "oi")
_FRAME = 160


def words(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """``int16[n, 16000]`` and the index of the word of each: the words take turns, the first is background."""
    labels = np.arange(count) % len(WORDS)
    return np.stack([clip(WORDS[label], rng) for label in labels]), labels.astype(np.int64)


def clip(word: str, rng: np.random.Generator) -> np.ndarray:
    """One word somewhere in a second, in noise; no word is noise and sometimes a hum."""
    sound = np.zeros(CLIP)
    if word:
        said = _say(word, rng)[: CLIP - 800]
        start = rng.integers(0, CLIP - len(said))
        sound[start : start + len(said)] = said * rng.uniform(0.1, 0.6) / np.max(np.abs(said))
    elif rng.random() < 0.5:
        sound += rng.uniform(0.02, 0.3) * np.sin(2 * np.pi * rng.uniform(80, 3000) * np.arange(CLIP) / SAMPLE_RATE)
    noise = lfilter([1], [1, -rng.uniform(0, 0.9)], rng.normal(size=CLIP))
    sound += noise / np.std(noise) * 10 ** rng.uniform(-3.5, -1.7)
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)


def _say(word: str, rng: np.random.Generator) -> np.ndarray:
    size, pitch, pace = rng.uniform(0.9, 1.15), rng.uniform(90, 240), rng.uniform(0.8, 1.25)
    parts = [_hiss(rng, pace) if letter == "s" else None for letter in word]
    targets = [np.array(VOWELS[letter]) * size if letter in VOWELS else None for letter in word]
    spoken = []
    for index, letter in enumerate(word):
        if letter == "s":
            spoken.append(parts[index])
            continue
        after = targets[index + 1] if index + 1 < len(word) and targets[index + 1] is not None else targets[index]
        spoken.append(_voiced(targets[index], after, pitch * rng.uniform(0.95, 1.05), pace, rng))
    return np.concatenate(spoken)


def _hiss(rng: np.random.Generator, pace: float) -> np.ndarray:
    noise = lfilter([1, -0.95], [1], rng.normal(size=int(1900 * pace)))
    return noise / np.std(noise) * 0.4 * np.hanning(len(noise))


def _voiced(start: np.ndarray, end: np.ndarray, pitch: float, pace: float, rng: np.random.Generator) -> np.ndarray:
    """Pulses through resonances that glide from one vowel to the next."""
    frames = int(22 * pace)
    phase = np.cumsum(np.full(frames * _FRAME, pitch / SAMPLE_RATE) * np.linspace(1.05, 0.9, frames * _FRAME))
    source = np.diff(np.floor(phase), prepend=0) + 0.02 * rng.normal(size=len(phase))
    states, spoken = [np.zeros(2)] * 3, []
    for frame in range(frames):
        share = np.clip((frame / frames - 0.3) / 0.5, 0, 1)
        sound = source[frame * _FRAME : (frame + 1) * _FRAME]
        for number, hertz in enumerate(start * (1 - share) + end * share):
            radius = np.exp(-np.pi * (60 + 40 * number) / SAMPLE_RATE)
            feedback = [1, -2 * radius * np.cos(2 * np.pi * hertz / SAMPLE_RATE), radius**2]
            sound, states[number] = lfilter([sum(feedback)], feedback, sound, zi=states[number])
        spoken.append(sound)
    whole = np.concatenate(spoken)
    return whole / (np.max(np.abs(whole)) + 1e-9) * np.minimum(1, np.hanning(len(whole)) * 4)
