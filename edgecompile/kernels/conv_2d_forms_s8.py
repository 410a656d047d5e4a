"""CONV_2D int8 with weights as indices or without the blocks that are 0: twin of ``conv_2d_forms_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels import weight_choice
from edgecompile.kernels.convolution import Window, geometry, refuse_convolution, scaled_in_pairs, scaling
from edgecompile.kernels.pairs import in_order
from edgecompile.kernels.routine import Array, Call, Overlap, Routine, Setting, Site
from edgecompile.kernels.weight_forms import BLOCK, BLOCK_SHARED4, DENSE, SHARED2
from edgecompile.kernels.weight_packing import NUMBERS, pack, steps_of

OPERATORS = ("CONV_2D",)
# Before the kernels of dense weights.
RANK = -2


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_convolution(site)
    if reason is not None:
        return reason
    weights = site.given(1).array
    assert weights is not None
    if weights.shape[3] != site.given(0).shape[3]:
        return "groups"
    return "weights that are best stored one by one" if form_of(site) == DENSE else None


def form_of(site: Site) -> str:
    """The form chosen for the layer's weights."""
    weights = site.given(1).array
    assert weights is not None
    pixels = site.output.elements // len(weights)
    return weight_choice.choose(weights, pixels, site.forms, site.goal).form


def routine(site: Site) -> Routine:
    """One call; scratch holds a table, an unpacked row and the inputs of several blocks of four output pixels."""
    weights, form = site.given(1).array, form_of(site)
    assert weights is not None
    window = geometry(site, weights.shape[1], weights.shape[2])
    flat = weights.reshape(len(weights), -1)
    quantities, constants = scaling(site, flat)
    lines, scaled = scaled_in_pairs(flat, quantities, constants)
    is_list = form in (BLOCK, BLOCK_SHARED4)
    # Blocks are of neighbours; indices may stand in any order.
    in_fours = not is_list and window.in_c % 4 == 0
    stored = weights[..., in_order(window.in_c)] if in_fours else weights
    steps = steps_of(stored, form)
    pixels = site.output.elements // len(weights)
    at_once = weight_choice.at_once(steps.shape[1], pixels, site.goal, site.room_bytes)
    layout: dict[str, Setting] = {
        "form": NUMBERS[form],
        "in_fours": int(in_fours),
        "step_c": window.in_c + window.in_c % 2 if is_list else window.in_c,
        "steps": steps.shape[1],
        "row_words": _row_words(steps, is_list),
        "at_once": at_once,
    }
    border = {"border": np.full(window.in_c, quantities["input_zero_point"], np.int8)}
    call = Call(
        kernel="conv_2d_forms_s8",
        settings={**window.settings(), **layout, **lines, **quantities},
        constants={**pack(stored, form), **scaled, **border},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    words = table_words(form) + _row_words(steps, is_list) + at_once * steps.shape[1] * 4
    distance = _distance(window, at_once)
    return Routine(
        calls=(call,),
        scratch_bytes=4 * words,
        overlaps=(Overlap(over=site.operator.outputs[0], under=site.operator.inputs[0], distance=distance),),
    )


def table_words(form: str) -> int:
    """Of the table of values: ``ec_weight_forms_table_words``."""
    return 0 if form == BLOCK else 16 if form == SHARED2 else 256


def _row_words(steps: Array, is_list: bool) -> int:
    longest = int(steps.any(axis=(2, 3)).sum(axis=1).max()) if is_list else steps.shape[1]
    return 3 * max(longest, 1) if is_list else 2 * longest


def _distance(window: Window, at_once: int) -> int:
    """How far below the input the output must begin: after each turn, what is written stays below what is unread."""
    count = window.batches * window.out_h * window.out_w
    # Blocks of four pixels; the last three are made as two and one.
    begins = [*range(0, count, 4), *([count - 1] if count % 4 == 3 else [])]
    pixels = np.array(begins[at_once::at_once], np.int64)
    written = pixels * window.out_c
    return int(np.max(written - window.first_read(pixels))) if len(pixels) else -window.input_bytes
