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
_RANGE = Key(kind="numbers", lengths=(2,))

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
    "output_innermost_dims": _COUNT,
    "max_tile_bytes": _COUNT,
    "max_elements": _COUNT,
    "no_empty": _FLAG,
    "same_shapes": _INTEGERS,
    "equal_batch": _FLAG,
    "square_output": _FLAG,
    "alpha_dims": _COUNT,
    # settings
    "max_version": _COUNT,
    "max_release": Key(kind="release"),
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
    "resize_factors": _INTEGERS,
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
    # delegates: what is computed at run time, and how many of it there are
    "runtime_inputs": _INTEGERS,
    "output_counts": _INTEGERS,
    "given_inputs": _INTEGERS,
    "runtime_dtypes": _TEXTS,
    "computes_in": _TEXTS,
    "input_ranks": _TABLE,
    "output_ranks": _INTEGERS,
    "max_ranks": _COUNT,
    "positive_steps": _FLAG,
    "positive_values": _INTEGERS,
    "non_negative_values": _INTEGERS,
    "folded_with_readers": _FLAG,
    # delegates: single kinds of layers
    "depthwise_channels": _FLAG,
    "channels_divide": _FLAG,
    "kept_ranks": _FLAG,
    "plain_broadcast": _FLAG,
    "pad_rows": _INTEGERS,
    "min_block": _COUNT,
    "block_divides": _FLAG,
    "pool_strides": _FLAG,
    "select_branches": _FLAG,
    "single_before_last": _FLAG,
    "within_extent": _FLAG,
    # delegates: how scales relate
    "per_tensor_activations": _FLAG,
    "weights_axis": _COUNT,
    "symmetric_weights": _FLAG,
    "normal_scales": _FLAG,
    "input_output_scales": _RANGE,
    "product_scales": _RANGE,
    "leaky_scales": _RANGE,
    "nonzero_alpha": _FLAG,
    "same_io_scale": _TEXTS,
}

# What stands in the limits that are tables: by number of the input, or by name of the setting (lists of anything).
_POSITIONS = tuple(str(position) for position in range(48))
INNER: Mapping[str, Mapping[str, Key]] = {
    "input_dtypes": dict.fromkeys(_POSITIONS, _TEXTS),
    "min_ranks": dict.fromkeys(_POSITIONS, _COUNT),
    "input_ranks": dict.fromkeys(_POSITIONS, _INTEGERS),
}

CLAUSE: Mapping[str, Key] = {
    **RULES,
    "below_level": _COUNT,
    "source": Key(kind="text"),
    "basis": Key(kind="text", choices=BASES),
}
