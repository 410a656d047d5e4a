"""The learning rate at each step of training."""

from __future__ import annotations

import math

from edgecompile.compress.training.options import Training


def learning_rate(how: Training, step: int, steps: int) -> float:
    """The learning rate of a step, 0 the first of ``steps``.

    A straight rise over the warmup, then the half cosine down to 0 of Loshchilov and Hutter, "SGDR", 2017, equation 5
    (without restarts), or no change.
    """
    warmup = min(math.ceil(how.warmup * steps), steps - 1)
    if step < warmup:
        return how.learning_rate * (step + 1) / (warmup + 1)
    if how.schedule == "constant":
        return how.learning_rate
    return how.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
