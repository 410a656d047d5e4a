"""One serialisable tf_keras layer for every operation that is not a layer: ``x * 2``, slicing, ``keras.ops.mean``.

TF-MOT prunes, clusters and clones models made of layers with configs; Keras 2's own ``TFOpLambda`` is refused there.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from edgecompile.frontend.bridge.arguments import decode, encode
from edgecompile.libs.keras import keras3, tensorflow, tf_keras

_KERAS_OPERATION = re.compile(r"^keras\.src\.(ops|random)\.[a-z_.]+\.[A-Z]\w*$")


@cache
def op_layer() -> Any:
    """The class ``OpLayer(op, options, arguments, keywords)``, registered with tf_keras as ``edgecompile>OpLayer``.

    ``op``: ``tf.NAME`` (a TensorFlow function), ``tf_keras.backend.NAME``, ``keras.activations.NAME``, or the
    class of a Keras 3 operation, made with ``options``. ``arguments`` and ``keywords``: as :mod:`arguments` encodes
    them; ``{"tensor": i}`` is the i-th input. Called with one tensor, or a list of them.
    """
    base = tf_keras().layers.Layer

    @tf_keras().utils.register_keras_serializable(package="edgecompile")
    class OpLayer(base):  # type: ignore[misc, valid-type]
        """An operation as a layer; its arguments live in its config."""

        def __init__(
            self,
            op: str,
            options: dict[str, Any] | None = None,
            arguments: Any = None,
            keywords: Any = None,
            **kwargs: Any,
        ) -> None:
            super().__init__(**{"autocast": False, **kwargs})
            self.op = op
            # Kept from attribute tracking, which would wrap lists and turn tuples' lists into trackables.
            self._given = _Given(options or {}, arguments, keywords)
            self._function = resolve(op, options or {})

        def call(self, inputs: Any) -> Any:
            tensors = inputs if isinstance(inputs, (list, tuple)) else [inputs]
            arguments = [{"tensor": 0}] if self._given.arguments is None else self._given.arguments
            keywords = self._given.keywords or {}
            return self._function(
                *decode(arguments, tensors), **{key: decode(item, tensors) for key, item in keywords.items()}
            )

        def get_config(self) -> dict[str, Any]:
            given = self._given
            own = {"op": self.op, "options": given.options, "arguments": given.arguments, "keywords": given.keywords}
            return {**super().get_config(), **own}

    return OpLayer


class _Given:
    """What the config holds, as it was given."""

    def __init__(self, options: dict[str, Any], arguments: Any, keywords: Any) -> None:
        self.options, self.arguments, self.keywords = options, arguments, keywords


def apply_op(op: str, options: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Call an :func:`op_layer` on the tf_keras tensors inside ``args`` and ``kwargs``; its outputs.

    Raises TypeError when an argument cannot be kept in a config.
    """
    tensors: list[Any] = []
    is_tensor = tf_keras().backend.is_keras_tensor
    safe = lambda value: _is_keras_tensor(is_tensor, value)  # noqa: E731
    arguments = [encode(arg, safe, tensors) for arg in args]
    keywords = {key: encode(arg, safe, tensors) for key, arg in kwargs.items()}
    layer = op_layer()(op=op, options=options, arguments=arguments, keywords=keywords, name=name)
    return layer(tensors[0] if len(tensors) == 1 else tensors)


def resolve(op: str, options: dict[str, Any]) -> Callable[..., Any]:
    """The function behind an operation's name. Raises ValueError for a name that is none of the four kinds."""
    if _KERAS_OPERATION.match(op):
        module, _, name = op.rpartition(".")
        found = getattr(importlib.import_module(module), name)
        if issubclass(found, keras3().Operation):
            return found(**options).call  # type: ignore[no-any-return]
    roots: dict[str, Callable[[], Any]] = {
        "tf.": tensorflow,
        "tf_keras.backend.": lambda: tf_keras().backend,
        "keras.activations.": lambda: keras3().activations,
    }
    for prefix, root in roots.items():
        if op.startswith(prefix):
            return _walk(root(), op.removeprefix(prefix))
    raise ValueError(f"`{op}` is no operation that a layer may hold")


def _walk(root: Any, dotted: str) -> Callable[..., Any]:
    for part in dotted.split("."):
        root = getattr(root, part)
    return root  # type: ignore[no-any-return]


def _is_keras_tensor(is_tensor: Callable[[Any], bool], value: Any) -> bool:
    """``is_keras_tensor`` raises ValueError for what is no tensor at all."""
    try:
        return bool(is_tensor(value))
    except ValueError:
        return False
