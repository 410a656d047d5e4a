"""Models of every format load as tf_keras models that compute what was saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.frontend.input_spec import InputSpec
from edgecompile.frontend.keras_model import KerasModel, load
from edgecompile.frontend.source import open_model
from edgecompile.libs.keras import keras3, tensorflow, tf_keras

h5py = pytest.importorskip("h5py", reason="h5py, which comes with TensorFlow, is not installed")
pytestmark = pytest.mark.tensorflow

# The same layers in float32 in another process or library: a few units in the last place.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def opened(spec: str, base: Path, custom: str | None = None, trust: bool = False) -> KerasModel:
    return load(open_model(spec, base), custom, trust, base)


def small(keras: Any) -> Any:
    """Convolution, batch normalization, and an activation that means different things in the two generations."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2), name="picture"),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.BatchNormalization(),
            layers.Activation("hard_sigmoid"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    generator = np.random.default_rng(1)
    model.set_weights([generator.uniform(0.1, 1.0, value.shape) for value in model.get_weights()])
    return model


PICTURE = np.random.default_rng(2).normal(size=(4, 8, 8, 2)).astype("float32")
SAVED: dict[str, tuple[Callable[[], Any], Callable[[Any, Path], None]]] = {
    "keras3.keras": (keras3, lambda model, path: model.save(path)),
    "keras3.h5": (keras3, lambda model, path: model.save(path)),
    "keras3_exported": (keras3, lambda model, path: model.export(path, verbose=False)),
    "keras2.keras": (tf_keras, lambda model, path: model.save(path)),
    "keras2.h5": (tf_keras, lambda model, path: model.save(path)),
    "keras2_saved_model": (tf_keras, lambda model, path: model.save(path, save_format="tf")),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_model_computes_what_was_saved(name: str, tmp_path: Path) -> None:
    keras, save = SAVED[name]
    model = small(keras())
    save(model, tmp_path / name)

    found = opened(name, tmp_path)

    assert isinstance(found.model, tf_keras().Model)
    np.testing.assert_allclose(found.model(PICTURE), model(PICTURE), **CLOSE)
    assert found.parameters == model.count_params()
    assert (found.bridge_difference is not None) == (name in ("keras3.keras", "keras3.h5"))
    assert found.diagnostics == ()
    assert [spec.shape for spec in found.inputs] == [(None, 8, 8, 2)]
    if "exported" not in name:
        assert found.inputs == (InputSpec(name="picture", shape=(None, 8, 8, 2), dtype="float32"),)
        assert found.outputs == (InputSpec(name="classes", shape=(None, 3), dtype="float32"),)


@pytest.mark.parametrize("suffix", ["", ".hdf5", ".model"])
@pytest.mark.parametrize("name", ["keras3.keras", "keras3.h5", "keras2.keras", "keras2.h5"])
def test_a_file_opens_under_any_name(name: str, suffix: str, tmp_path: Path) -> None:
    keras, save = SAVED[name]
    model = small(keras())
    save(model, tmp_path / name)
    (tmp_path / name).rename(tmp_path / f"model{suffix}")

    assert opened(f"model{suffix}", tmp_path).parameters == model.count_params()


def test_a_keras_2_file_keeps_slashes_and_wrapped_operations(tmp_path: Path) -> None:
    keras, nn = tf_keras(), tensorflow().nn
    x = keras.Input((6,))
    y = nn.relu6(keras.layers.Dense(4, name="block/dense")(x) * 2.0 + 1.0)[:, 1:]
    model = keras.Model(x, y)
    model.save(tmp_path / "m.h5")

    found = opened("m.h5", tmp_path)

    given = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    np.testing.assert_array_equal(found.model(given), model(given))


def edit_config(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite an .h5 file's architecture, as another exporter would have written it."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            change(layer)
        file.attrs["model_config"] = json.dumps(config)


def foreign_input(layer: dict[str, Any]) -> None:
    if layer["class_name"] == "InputLayer":
        layer["config"]["batch_shape"] = layer["config"].pop("batch_input_shape")


def foreign_policy(layer: dict[str, Any]) -> None:
    layer["config"]["dtype"] = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}


def foreign_depthwise(layer: dict[str, Any]) -> None:
    if layer["class_name"] == "DepthwiseConv2D":
        layer["config"]["filters"] = 4
        layer["config"]["kernel_initializer"] = layer["config"].pop("depthwise_initializer")


@pytest.mark.parametrize("change", [foreign_input, foreign_policy, foreign_depthwise])
def test_a_foreign_h5_is_mended_and_told(change: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    model = small(tf_keras())
    model.save(tmp_path / "m.h5")
    edit_config(tmp_path / "m.h5", change)

    found = opened("m.h5", tmp_path)

    np.testing.assert_array_equal(found.model(PICTURE), model(PICTURE))
    assert [note.code for note in found.diagnostics] == ["EC247"]


def test_an_h5_with_a_function_of_old_mobilenets_opens(tmp_path: Path) -> None:
    keras = tf_keras()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu")])
    model.set_weights([20.0 * np.ones((4, 3)), np.zeros(3)])
    model.save(tmp_path / "m.h5")

    def change(layer: dict[str, Any]) -> None:
        if layer["class_name"] == "Dense":
            layer["config"]["activation"] = "relu6"

    edit_config(tmp_path / "m.h5", change)

    np.testing.assert_array_equal(opened("m.h5", tmp_path).model(np.ones((1, 4))), 6.0 * np.ones((1, 3)))


ENTRIES = """
import keras, tf_keras, numpy

def of(k):
    return k.Sequential([k.Input((4,)), k.layers.Dense(2)])

def keras_3(): return of(keras)
def keras_2(): return of(tf_keras)

class Sub3(keras.Model):
    def __init__(self): super().__init__(); self.dense = keras.layers.Dense(2)
    def call(self, x): return self.dense(x)

class Sub2(tf_keras.Model):
    def __init__(self): super().__init__(); self.dense = tf_keras.layers.Dense(2)
    def call(self, x): return self.dense(x)

def called(model):
    model(numpy.zeros((1, 4), "float32"))
    return model

def subclassed_3(): return called(Sub3())
def subclassed_2(): return called(Sub2())
def unbuilt_3(): return Sub3()
def unbuilt_2(): return Sub2()
def built_2():
    model = tf_keras.Sequential([tf_keras.layers.Dense(2)])
    model.build((None, 4))
    return model

def with_lambda(): return keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x[:, :2] * 2)])

def dictionary(k):
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    both = k.layers.Concatenate()([a, b])
    return k.Model({"b": b, "a": a}, {"y": k.layers.Dense(2)(both), "x": k.layers.Dense(1)(both)})

def dictionary_3(): return dictionary(keras)
def dictionary_2(): return dictionary(tf_keras)
def half_2():
    return tf_keras.Sequential([tf_keras.Input((4,)), tf_keras.layers.Dense(2, dtype="mixed_float16")])

def nothing(): return 3
def raises(): raise ValueError("no data\\nhere")
def needs(size): return size
def leaves(): raise SystemExit(4)
"""


@pytest.fixture
def entries(tmp_path: Path) -> Path:
    (tmp_path / "entries.py").write_text(ENTRIES)
    return tmp_path


@pytest.mark.parametrize(
    "function", ["keras_3", "keras_2", "subclassed_3", "subclassed_2", "built_2", "with_lambda", "half_2"]
)
def test_a_python_function_gives_the_model(function: str, entries: Path) -> None:
    found = opened(f"entries.py:{function}", entries)

    assert [spec.shape for spec in found.inputs] == [(None, 4)]
    assert [spec.shape for spec in found.outputs] == [(None, 2)]
    assert found.model(np.ones((3, 4), "float32")).dtype == "float32"


@pytest.mark.parametrize("function", ["dictionary_2", "dictionary_3"])
def test_dictionaries_become_lists_in_the_order_of_the_specs(function: str, entries: Path) -> None:
    found = opened(f"entries.py:{function}", entries)

    outputs = found.model([np.ones((3, 4), "float32"), np.ones((3, 3), "float32")])
    assert [(spec.name, spec.shape) for spec in found.inputs] == [("a", (None, 4)), ("b", (None, 3))]
    assert [(spec.name, spec.shape) for spec in found.outputs] == [("x", (None, 1)), ("y", (None, 2))]
    assert [tuple(output.shape) for output in outputs] == [(3, 1), (3, 2)]


def test_a_half_precision_keras_2_model_becomes_float32_and_is_told(entries: Path) -> None:
    assert [note.code for note in opened("entries.py:half_2", entries).diagnostics] == ["EC245"]


@pytest.mark.parametrize(
    ("spec", "code", "says"),
    [
        pytest.param("entries.py:nothing", "EC209", "`builtins.int`", id="returns-something-else"),
        pytest.param("entries.py:raises", "EC209", "ValueError: no data", id="raises"),
        pytest.param("entries.py:needs", "EC209", "give each a default", id="wants-arguments"),
        pytest.param("entries.py:leaves", "EC209", "SystemExit: 4", id="exits"),
        pytest.param("entries.py:keras_4", "EC209", "did you mean `keras_3`?", id="misspelt"),
        pytest.param("entries.py:unbuilt_3", "EC237", "`Sub3`", id="unbuilt-keras-3"),
        pytest.param("entries.py:unbuilt_2", "EC237", "`Sub2`", id="unbuilt-keras-2"),
        pytest.param("no_such_module:make", "EC207", "there is no module", id="no-module"),
        pytest.param("broken.py:make", "EC207", "line 2", id="module-raises"),
    ],
)
def test_an_entry_point_that_gives_no_model_is_refused(spec: str, code: str, says: str, entries: Path) -> None:
    (entries / "broken.py").write_text("import os\n1 / 0\n")

    with pytest.raises(BadInputError) as caught:
        opened(spec, entries)

    assert caught.value.diagnostics[0].code == code
    assert says in caught.value.diagnostics[0].render()


LAYERS = """
from tensorflow import keras

class Twice(keras.layers.Layer):
    def build(self, shape): self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")
    def call(self, x): return 2.0 * x * self.scale

def square(x): return x * x
"""
SAVE_CUSTOM = """
import sys
from tensorflow import keras
import layers
dense = keras.layers.Dense(2, activation=layers.square)
model = keras.Sequential([keras.Input((4,)), layers.Twice(name="twice"), dense])
for name in sys.argv[1:]:
    model.save(name)
"""


@pytest.fixture(scope="module")
def custom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files saved by processes where `tensorflow.keras` is Keras 3, and where it is Keras 2."""
    folder = tmp_path_factory.mktemp("custom")
    (folder / "layers.py").write_text(LAYERS)
    (folder / "save.py").write_text(SAVE_CUSTOM)
    for legacy, names in (("0", ["three.keras", "three.h5"]), ("1", ["two.keras", "two.h5", "two"])):
        command = [sys.executable, "save.py", *names]
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, env={**os.environ, "TF_USE_LEGACY_KERAS": legacy}
        )
    return folder


@pytest.mark.parametrize("module", ["layers.py", "layers"])
@pytest.mark.parametrize("name", ["three.keras", "three.h5", "two.keras", "two.h5", "two"])
def test_the_user_s_layers_and_functions_come_from_the_custom_module(name: str, module: str, custom: Path) -> None:
    found = opened(name, custom, custom=module)

    weights = [np.asarray(variable) for variable in found.model.weights]
    kernel = next(value for value in weights if value.ndim == 2)
    bias = next(value for value in weights if value.shape == (2,))
    scale = next(value for value in weights if value.shape == (4,))
    given = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(found.model(given), (2.0 * given * scale @ kernel + bias) ** 2, **CLOSE)


@pytest.mark.parametrize("name", ["three.keras", "three.h5", "two.keras", "two.h5"])
def test_a_missing_custom_module_is_told_with_class_layer_and_flag(name: str, custom: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        opened(name, custom)

    said = caught.value.diagnostics[0]
    assert said.code == "EC231"
    assert said.message == "the class `Twice` of layer `twice` is not part of Keras"
    assert "--custom" in said.help[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(None, "there is no module", id="missing"),
        pytest.param("import nothing_of_this_name\n", "line 1", id="imports-what-is-missing"),
        pytest.param("x = 1\nraise ValueError('why')\n", "ValueError: why", id="raises"),
        pytest.param("def f(:\n", "SyntaxError", id="does-not-parse"),
    ],
)
def test_a_custom_module_that_cannot_be_imported_is_refused(text: str | None, says: str, custom: Path) -> None:
    if text is not None:
        (custom / "bad.py").write_text(text)

    with pytest.raises(BadInputError) as caught:
        opened("three.keras", custom, custom="bad.py" if text else "absent.py")

    assert caught.value.diagnostics[0].code == "EC232"
    assert says in caught.value.diagnostics[0].render()
