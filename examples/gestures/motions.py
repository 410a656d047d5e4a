"""Made-up motions of a hand: float32[n, 100, 6], one second of an inertial sensor at 100 Hz.

No Python package ships recordings of gestures, so these are computed: gravity in a random attitude, the acceleration
and turning of a circle, a shake or a flick of random size, pace and start, and noise as of the sensor. Real gestures
vary more; replace this file by recordings of yours.
"""

from __future__ import annotations

import numpy as np

RATE, SAMPLES = 100, 100
GESTURES = ("rest", "circle", "shake", "flick")
G_SCALE, TURN_SCALE = 4.0, 500.0  # as in gesture/gesture.ino


def motions(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Motions and the index of the gesture of each; the gestures take turns."""
    labels = np.arange(count) % len(GESTURES)
    return np.stack([_motion(GESTURES[label], rng) for label in labels]).astype(np.float32), labels.astype(np.int64)


def _motion(gesture: str, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(SAMPLES) / RATE
    push, turn = np.zeros((SAMPLES, 3)), np.zeros((SAMPLES, 3))
    size, phase = rng.uniform(0.6, 1.6), rng.uniform(0, 2 * np.pi)
    if gesture == "circle":
        angle = 2 * np.pi * rng.uniform(0.9, 1.8) * t * rng.choice([-1, 1]) + phase
        push[:, 0], push[:, 1] = size * 0.8 * np.cos(angle), size * 0.8 * np.sin(angle)
        turn[:, 2] = 60 * size * np.sin(angle + rng.uniform(0, 1))
    elif gesture == "shake":
        wave = np.sin(2 * np.pi * rng.uniform(4, 7) * t + phase)
        push[:, 0], turn[:, 1] = 2 * size * wave, 80 * size * np.gradient(wave) * 8
    elif gesture == "flick":
        pulse = np.exp(-(((t - rng.uniform(0.25, 0.75)) / rng.uniform(0.04, 0.09)) ** 2))
        turn[:, 0], push[:, 2] = 350 * size * pulse, 1.2 * size * np.gradient(pulse) * 5
    attitude = rng.normal(size=3)
    gravity = attitude / np.linalg.norm(attitude) * rng.uniform(0.98, 1.02)
    push += gravity + rng.normal(0, 0.03, push.shape)
    turn += rng.normal(0, 3, turn.shape)
    return np.concatenate([np.clip(push / G_SCALE, -1, 1), np.clip(turn / TURN_SCALE, -4, 4)], axis=1)
