"""Opens a SavedModel folder: Keras's own when it holds one, else one of its signatures as a layer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.frontend.graph_operators import touches_files
from edgecompile.frontend.saved_model_graph import operators_that_run
from edgecompile.frontend.wording import first_line
from edgecompile.libs.keras import tensorflow, tf_keras

DEFAULT_SIGNATURE = "serving_default"
# Kept beside the user's signatures by TensorFlow itself.
_INTERNAL = "__saved_model_"
_ANEW = "export the model again, with the folder `variables` beside `saved_model.pb`"


def read_saved_model(path: Path) -> Any:
    """The ``SavedModel`` message of the folder. Raises BadInputError EC201 when it does not parse."""
    tensorflow()
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString((path / "saved_model.pb").read_bytes())
    except DecodeError:
        raise _damaged(path, "`saved_model.pb` does not parse") from None
    if not message.meta_graphs:
        raise _damaged(path, "`saved_model.pb` holds no graph")
    return message


def refuse_operators(message: Any, name: str) -> None:
    """Raises BadInputError EC233 when a function of the model reaches for files, Python or the network."""
    found = sorted({operator for operator in operators_that_run(message.meta_graphs[0]) if touches_files(operator)})
    if found:
        raise bad_input(
            "EC233",
            f"`{name}` has operators that reach beyond the model",
            name,
            ("found " + ", ".join(f"`{operator}`" for operator in found),),
            ("if you trust where the model is from, give --trust",),
        )


def keras_configs(message: Any, path: Path) -> Iterator[dict[str, Any]]:
    """What Keras noted about each of its layers; nothing for a SavedModel that Keras did not write."""
    texts = [node.user_object.metadata for node in message.meta_graphs[0].object_graph_def.nodes]
    beside = path / "keras_metadata.pb"
    if beside.is_file():
        tf_keras()
        from google.protobuf.message import DecodeError
        from tf_keras.protobuf import saved_metadata_pb2

        metadata = saved_metadata_pb2.SavedMetadata()
        try:
            metadata.ParseFromString(beside.read_bytes())
        except DecodeError:
            raise _damaged(path, "`keras_metadata.pb` does not parse") from None
        texts += [node.metadata for node in metadata.nodes]
    for text in texts:
        try:
            plain = json.loads(text) if text else None
        except ValueError:
            raise _damaged(path, "the metadata that Keras noted does not parse") from None
        if isinstance(plain, dict) and "class_name" in plain:
            yield plain


def load_keras_part(path: Path, objects: Mapping[str, Any]) -> Any:
    """The tf_keras model in the folder, None when Keras cannot rebuild one with a known input."""
    try:
        model = tf_keras().models.load_model(str(path), custom_objects=dict(objects), compile=False)
    except Exception:  # whatever Keras says, the signature is tried next
        return None
    return model if isinstance(model, tf_keras().Model) and getattr(model, "inputs", None) else None


def load_signature(path: Path, name: str) -> Any:
    """A tf_keras model around the folder's one signature (``serving_default`` where there are several).

    Raises BadInputError EC241 when TensorFlow cannot load it, EC242 when no signature can be chosen.
    """
    try:
        loaded = tensorflow().saved_model.load(str(path))
    except Exception as reason:
        raise bad_input(
            "EC241", f"TensorFlow cannot load `{name}`", str(path), (first_line(reason),), (_ANEW,)
        ) from None
    signature = _choose(loaded, name)
    keras, (_, wanted) = tf_keras(), signature.structured_input_signature
    inputs = {
        key: keras.Input(batch_shape=tuple(spec.shape), dtype=spec.dtype, name=_layer_name(key))
        for key, spec in sorted(wanted.items())
    }
    outputs = _signature_layer()(loaded, signature, name="signature")(inputs)
    named = [keras.layers.Identity(name=_layer_name(key))(value) for key, value in sorted(outputs.items())]
    return keras.Model(list(inputs.values()), named, name=_layer_name(path.name))


@cache
def _signature_layer() -> Any:
    base = tf_keras().layers.Layer

    class SignatureLayer(base):  # type: ignore[misc, valid-type]
        """Runs a concrete function of a loaded SavedModel on a dict of tensors."""

        def __init__(self, loaded: Any, signature: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.loaded, self._signature = loaded, signature
            self.loaded_variables = list(signature.variables)

        def call(self, inputs: Any) -> Any:
            return self._signature(**inputs)

    return SignatureLayer


def _choose(loaded: Any, name: str) -> Any:
    signatures = {key: value for key, value in loaded.signatures.items() if not key.startswith(_INTERNAL)}
    if DEFAULT_SIGNATURE in signatures:
        return signatures[DEFAULT_SIGNATURE]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    found = ", ".join(f"`{key}`" for key in sorted(signatures)) or "none"
    raise bad_input(
        "EC242",
        f"`{name}` has no signature `{DEFAULT_SIGNATURE}`",
        Location(file=name, detail="signatures"),
        (f"signatures found: {found}",),
        ("save it with `tf.saved_model.save(module, folder, signatures={'serving_default': module.call})`",),
    )


def _layer_name(key: str) -> str:
    from edgecompile.frontend.bridge.carry import safe_name

    return safe_name(key)


def _damaged(path: Path, note: str) -> EdgecompileError:
    return bad_input("EC201", f"`{path.name}` is damaged", str(path), (note,), ("copy or export the model again",))
