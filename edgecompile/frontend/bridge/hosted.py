"""A tf_keras layer that runs a Keras 3 layer inside: for layers that Keras 2 does not have, and the user's own."""

from __future__ import annotations

from functools import cache
from typing import Any

from edgecompile.libs.keras import keras3, tf_keras


@cache
def hosted_layer() -> Any:
    """The class ``HostedLayer(hosted)``, registered with tf_keras as ``edgecompile>HostedLayer``.

    ``hosted``: a built Keras 3 layer, or its serialized form. Both run on TensorFlow, so the tf_keras layer calls the
    Keras 3 layer on its tensors and counts its variables as its own. Compression passes see one layer they do not know.
    """
    base = tf_keras().layers.Layer

    @tf_keras().utils.register_keras_serializable(package="edgecompile")
    class HostedLayer(base):  # type: ignore[misc, valid-type]
        """A Keras 3 layer inside a tf_keras one."""

        def __init__(self, hosted: Any, **kwargs: Any) -> None:
            super().__init__(**{"autocast": False, **kwargs})
            if isinstance(hosted, dict):
                hosted = keras3().saving.deserialize_keras_object(hosted, safe_mode=False)
            # Hidden from attribute tracking: tf_keras would take the layer for one of its own kind.
            self._held = _Held(hosted)
            self.hosted_variables = [variable.value for variable in hosted.variables]

        def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
            hosted = self._held.layer
            if getattr(hosted, "_call_has_training_arg", False):
                kwargs["training"] = bool(training)
            return hosted(*args, **kwargs)

        def get_config(self) -> dict[str, Any]:
            serialized = keras3().saving.serialize_keras_object(self._held.layer)
            return {**super().get_config(), "hosted": serialized}

    return HostedLayer


class _Held:
    """Holds what attribute tracking must not see."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
