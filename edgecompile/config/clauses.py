"""The words that operator clauses of a profile may use, and what each of them may hold.

A word is the name of a function of ``legalize/rules.py``, which says what it means; here
stands only the form of its limit, so that a profile can be checked without the rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from edgecompile.config.table import Key

BASES = ("documented", "observed", "fitted")

_FLAG = Key(kind="flag")
_COUNT = Key(kind="integer", minimum=0)
_TEXTS = Key(kind="texts")
_INTEGERS = Key(kind="integers", minimum=0)
_TABLE = Key(kind="table")

RULES: Mapping[str, Key] = {
    # numbers: element types and quantization
    "dtypes": _TEXTS,
    "activation_dtypes": _TEXTS,
    "input_dtypes": _TABLE,
    "output_dtypes": _TEXTS,
    "same_dtypes": _INTEGERS,
    "no_hybrid": _FLAG,
    "per_tensor_weights": _FLAG,
    "positive_scales": _FLAG,
    "restricted_scales": _FLAG,
    "same_scale": _FLAG,
    "symmetric": _FLAG,
    "basic_lstm_scales": _FLAG,
    # shapes
    "static_shapes": _FLAG,
    "max_rank": _COUNT,
    "output_max_rank": _COUNT,
    "output_min_rank": _COUNT,
    "min_ranks": _TABLE,
    "ranks": _INTEGERS,
    "innermost_dims": _COUNT,
    "max_elements": _COUNT,
    "no_empty": _FLAG,
    "same_shapes": _INTEGERS,
    "equal_batch": _FLAG,
    "square_output": _FLAG,
    "alpha_dims": _COUNT,
    # settings
    "max_version": _COUNT,
    "min_level": _COUNT,
    "fused_activation": _TEXTS,
    "options": _TABLE,
    "options_given": _TEXTS,
    "max_dilation": _COUNT,
    "same_dilation": _FLAG,
    "no_groups": _FLAG,
    "max_window": _COUNT,
    "unit_strides": _FLAG,
    "max_resize": Key(kind="number", above=0),
    "not_batch": _FLAG,
    "channel_multiple": _COUNT,
    "spatial_axes": _FLAG,
    "axis_not_last": _FLAG,
    "squeeze_leading": _FLAG,
    # which inputs there are, and which of them the file brings along
    "input_counts": _INTEGERS,
    "constant_inputs": _INTEGERS,
    "fits_int32": _INTEGERS,
    "zero_inputs": _INTEGERS,
    "nonzero_inputs": _INTEGERS,
    "nonempty_inputs": _INTEGERS,
    "scalars_constant": _FLAG,
    "zero_constants": _FLAG,
    "intermediates": _COUNT,
}

# What stands in the limits that are tables: by number of the input, or by name of the setting (lists of anything).
_POSITIONS = tuple(str(position) for position in range(48))
INNER: Mapping[str, Mapping[str, Key]] = {
    "input_dtypes": dict.fromkeys(_POSITIONS, _TEXTS),
    "min_ranks": dict.fromkeys(_POSITIONS, _COUNT),
}

CLAUSE: Mapping[str, Key] = {
    **RULES,
    "below_level": _COUNT,
    "source": Key(kind="text"),
    "basis": Key(kind="text", choices=BASES),
}
