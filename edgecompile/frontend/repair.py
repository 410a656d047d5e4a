"""Mends configs that real files have and today's Keras refuses; each repair leaves what the model computes.

Every file is opened by the generation of Keras that wrote it, so what only the other one refuses (slashes in
layer names, ``TFOpLambda``) needs no mending. What did is what tests/frontend/test_repair.py lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Config = dict[str, Any]
# Keys that a DepthwiseConv2D of old exporters has from its base Conv2D; it has depthwise_* of its own.
_FROM_CONV = ("groups", "filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint")


def repair(config: Config, generation: int) -> tuple[Config, tuple[str, ...]]:
    """The config as the Keras of ``generation`` (2 or 3) takes it, and what was mended, once each, in plain words."""
    done: list[str] = []
    return _node(config, generation, done), tuple(dict.fromkeys(done))


def _node(plain: Any, generation: int, done: list[str]) -> Any:
    if isinstance(plain, list):
        return [_node(item, generation, done) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if plain.get("class_name") == "function" and isinstance(plain.get("config"), str) and generation == 2:
        # tf_keras 2.20 writes a user's function into .h5 files as a dict that only its .keras reader understands.
        done.append("functions became names")
        return plain["config"].split(">")[-1]
    mended = {key: _node(value, generation, done) for key, value in plain.items()}
    if isinstance(mended.get("class_name"), str) and isinstance(mended.get("config"), dict):
        for one in _FOR[generation]:
            said = one(mended["class_name"], mended["config"])
            done += [said] if said else []
    return mended


def _batch_shape(kind: str, config: Config) -> str | None:
    """Keras 3 says ``batch_shape``, Keras 2 ``batch_input_shape``."""
    if "batch_shape" not in config:
        return None
    config["batch_input_shape"] = config.pop("batch_shape")
    config.pop("optional", None)
    return "`batch_shape` became `batch_input_shape`"


def _batch_input_shape(kind: str, config: Config) -> str | None:
    if kind != "InputLayer" or "batch_input_shape" not in config:
        return None
    config["batch_shape"] = config.pop("batch_input_shape")
    return "`batch_input_shape` became `batch_shape`"


def _dtype_policy(kind: str, config: Config) -> str | None:
    """Keras 3 writes a dtype policy as a dict, Keras 2 as its name."""
    policy = config.get("dtype")
    if (
        not isinstance(policy, dict)
        or not isinstance(policy.get("config"), dict)
        or "Policy" not in str(policy.get("class_name"))
    ):
        return None
    name = policy["config"].get("name")
    config["dtype"] = name if isinstance(name, str) else "float32"
    return None if policy.get("class_name") == "Policy" else "dtype policies became names"


def _depthwise(kind: str, config: Config) -> str | None:
    if kind not in ("DepthwiseConv2D", "DepthwiseConv1D"):
        return None
    found = [key for key in _FROM_CONV if key in config]
    for key in found:
        value = config.pop(key)
        twin = key.replace("kernel_", "depthwise_")
        if twin != key and config.get(twin) is None:
            config[twin] = value
    size = config.get("kernel_size")
    if kind == "DepthwiseConv1D" and isinstance(size, list):
        config["kernel_size"] = size[0]
    return f"`{kind}` lost keys of its base class: " + ", ".join(f"`{key}`" for key in found) if found else None


def _unknown_keys(kind: str, config: Config) -> str | None:
    """Keys of other Keras versions that say nothing about the computation."""
    found = [
        key
        for key in ("synchronized", "use_cudnn", "quantization_config", "lora_rank", "lora_alpha")
        if not config.get(key, True)
    ]
    found += [
        key
        for key in ("time_major", "implementation")
        if kind in ("LSTM", "GRU", "SimpleRNN") and not config.get(key, True)
    ]
    for key in found:
        del config[key]
    return None


_FOR: dict[int, tuple[Callable[[str, Config], str | None], ...]] = {
    2: (_batch_shape, _dtype_policy, _depthwise, _unknown_keys),
    3: (_batch_input_shape, _depthwise),
}
