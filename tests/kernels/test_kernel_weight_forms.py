"""How many bytes a tensor takes in each form, and which form takes least."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.kernels.weight_forms import FORMS, best_form, stored_bytes


def weights(shape: tuple[int, ...], values: int = 256, kept: float = 1.0, seed: int = 0) -> np.ndarray:
    """Codes of so many distinct values; a share of the 2x2 blocks is kept, the others are 0."""
    draw = np.random.default_rng(seed)
    chosen = draw.choice(np.arange(-127, 128), values if values < 255 else 255, replace=False)
    codes = draw.choice(chosen, shape).astype(np.int8)
    flat = codes.reshape(shape[0], -1, shape[-1])
    grid = (-(-shape[0] // 2), flat.shape[1], -(-shape[-1] // 2))
    keep = np.zeros(np.prod(grid), bool)
    keep[: round(kept * keep.size)] = True
    draw.shuffle(keep)
    mask = keep.reshape(grid).repeat(2, axis=0).repeat(2, axis=2)[: shape[0], :, : shape[-1]]
    return np.where(mask, flat, 0).astype(np.int8).reshape(shape)


SIZES = {
    "1x1, any values": ((64, 1, 1, 64), 256, 1.0, (4096, None, None, 4096 + 128, None)),
    "1x1, 16 values": ((64, 1, 1, 64), 16, 1.0, (4096, 2064, None, 4224, 2048 + 128 + 16)),
    "1x1, 4 values": ((64, 1, 1, 64), 4, 1.0, (4096, 2064, 1028, 4224, 2192)),
    "1x1, half of the blocks": ((64, 1, 1, 64), 256, 0.5, (4096, None, None, 2048 + 128, None)),
    "1x1, half of the blocks, 16 values and 0": ((64, 1, 1, 64), 16, 0.5, (4096, None, None, 2176, 1024 + 128 + 16)),
    "3x3, odd channels": ((5, 3, 3, 3), 3, 1.0, (6 * 28, 3 * 14 * 2 + 16, 3 * 14 + 4, 3 * 18 * 4 + 9, 108 + 9 + 16)),
    "dense layer": ((10, 64), 16, 1.0, (12 * 64, 336, None, 640 + 20, 320 + 20 + 16)),
}


@pytest.mark.parametrize("case", SIZES)
def test_a_tensor_takes_the_bytes_of_its_form_or_cannot_take_it(case: str) -> None:
    shape, values, kept, wanted = SIZES[case]
    codes = weights(shape, values, kept)

    assert tuple(stored_bytes(codes, form) for form in FORMS) == wanted


def test_the_best_form_takes_least_bytes_of_those_allowed() -> None:
    codes = weights((64, 1, 1, 64), 16, 0.5)

    assert best_form(codes, FORMS) == ("block2x2_shared4", 1168)
    assert best_form(codes, ("dense", "block2x2")) == ("block2x2", 2176)
    assert best_form(codes, ("dense",)) == best_form(codes, ("shared2",)) == ("dense", 4096)


def test_an_unknown_form_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="shared3"):
        stored_bytes(weights((2, 2)), "shared3")
