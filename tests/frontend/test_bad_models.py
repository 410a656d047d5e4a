"""Models that cannot be compiled are refused with the layer, the reason and the way out; none runs code on its own."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError
from edgecompile.frontend.keras_model import KerasModel, load
from edgecompile.frontend.source import open_model
from edgecompile.libs.keras import keras3, tensorflow, tf_keras

pytestmark = pytest.mark.tensorflow


def opened(spec: str, base: Path, trust: bool = False) -> KerasModel:
    return load(open_model(spec, base), None, trust, base)


def refusals(spec: str, base: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(BadInputError) as caught:
        opened(spec, base)
    return caught.value.diagnostics


def plus_one(keras: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1.0, name="plus_one")])


def inside_another(keras: Any) -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, keras.layers.TimeDistributed(keras.layers.Lambda(lambda x: x + 1.0, name="plus_one"))(x))


def inside_a_nested_model(keras: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), plus_one(keras), keras.layers.Dense(2)])


@pytest.mark.parametrize("build", [plus_one, inside_another, inside_a_nested_model])
@pytest.mark.parametrize(
    ("keras", "name"),
    [
        pytest.param(keras3, "m.keras", id="keras3-keras"),
        pytest.param(keras3, "m.h5", id="keras3-h5"),
        pytest.param(tf_keras, "m.keras", id="keras2-keras"),
        pytest.param(tf_keras, "m.h5", id="keras2-h5"),
        pytest.param(tf_keras, "m", id="keras2-saved-model"),
    ],
)
def test_lambda_layers_run_only_with_trust(
    build: Callable[[Any], Any], keras: Callable[[], Any], name: str, tmp_path: Path
) -> None:
    model = build(keras())
    model.save(tmp_path / name)

    said = refusals(name, tmp_path)[0]
    assert said.code == "EC230"
    assert "--trust" in said.help[0]

    found = opened(name, tmp_path, trust=True)
    given = np.ones((2, *model.input_shape[1:]), "float32")
    np.testing.assert_allclose(found.model(given), model(given), rtol=1e-6)


def test_a_custom_module_that_imports_lambda_does_not_vouch_for_it(tmp_path: Path) -> None:
    plus_one(keras3()).save(tmp_path / "m.keras")
    (tmp_path / "mine.py").write_text("from keras.layers import *\nfrom keras.layers import Lambda\n")

    with pytest.raises(BadInputError, match="EC230"):
        load(open_model("m.keras", tmp_path), "mine.py", False, tmp_path)


def edit_keras_file(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("keras", [keras3, tf_keras])
def test_a_config_cannot_call_into_a_module_of_its_choice(keras: Callable[[], Any], tmp_path: Path) -> None:
    """The attack of CVE-2025-1550: a class in the config that is a function of some module."""
    module = keras()
    module.Sequential([module.Input((4,)), module.layers.Dense(2)]).save(tmp_path / "m.keras")
    target = tmp_path / "written"

    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"].append(
            {"module": "pathlib", "class_name": "Path", "config": {"args": [str(target)]}, "registered_name": None}
        )

    edit_keras_file(tmp_path / "m.keras", change)

    said = refusals("m.keras", tmp_path)[0]

    assert said.code == "EC231"
    assert "`pathlib`" in said.notes[0]


@pytest.fixture(scope="module")
def reaching(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel whose signature writes a file, through a function that it calls."""
    tf = tensorflow()
    folder = tmp_path_factory.mktemp("reaching")

    @tf.function
    def inner(x: Any) -> Any:
        tf.io.write_file(str(folder / "written"), "x")
        return x * 2.0

    module = tf.Module()
    module.call = tf.function(lambda x: {"y": inner(x)}, input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    tf.saved_model.save(module, str(folder / "m"), signatures=module.call)
    return folder


def test_a_saved_model_that_touches_files_runs_only_with_trust(reaching: Path) -> None:
    (reaching / "written").unlink(missing_ok=True)

    said = refusals("m", reaching)[0]

    assert said.code == "EC233"
    assert said.notes == ("found `WriteFile`",)
    assert not (reaching / "written").exists()
    assert opened("m", reaching, trust=True).outputs[0].name == "y"


def plain_module(signatures: int) -> tuple[Any, dict[str, Any]]:
    tf = tensorflow()
    module = tf.Module()
    module.weight = tf.Variable(tf.ones((4, 2)))
    module.call = tf.function(
        lambda x: {"scores": tf.matmul(x, module.weight), "same": x},
        input_signature=[tf.TensorSpec([None, 4], tf.float32)],
    )
    if not signatures:
        del module.call  # TensorFlow makes a lone function the default signature
    return module, {f"entry_{index}": module.call for index in range(signatures)}


def test_a_saved_model_without_keras_loads_through_its_signature(tmp_path: Path) -> None:
    module, signatures = plain_module(1)
    tensorflow().saved_model.save(module, str(tmp_path / "m"), signatures=signatures)

    found = opened("m", tmp_path)

    assert [(spec.name, spec.shape) for spec in found.outputs] == [("same", (None, 4)), ("scores", (None, 2))]
    assert found.parameters == 8
    same, scores = found.model(np.ones((1, 4), "float32"))
    np.testing.assert_array_equal(scores, 4.0 * np.ones((1, 2)))
    np.testing.assert_array_equal(same, np.ones((1, 4)))
    assert len(tensorflow().lite.TFLiteConverter.from_keras_model(found.model).convert()) > 500


@pytest.mark.parametrize("count", [0, 2])
def test_a_saved_model_with_no_signature_to_choose_is_refused(count: int, tmp_path: Path) -> None:
    module, signatures = plain_module(count)
    tensorflow().saved_model.save(module, str(tmp_path / "m"), signatures=signatures or None)

    said = refusals("m", tmp_path)[0]

    assert said.code == "EC242"
    assert ("none" if count == 0 else "`entry_0`, `entry_1`") in said.notes[0]


def test_a_saved_model_that_does_not_parse_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "saved_model.pb").write_bytes(bytes(range(200, 250)))

    assert refusals("m", tmp_path)[0].code == "EC201"


def open_shape(keras: Any) -> Any:
    return keras.Sequential([keras.Input((None, None, 3), name="picture"), keras.layers.Conv2D(2, 3)])


def strings(keras: Any) -> Any:
    return keras.Sequential(
        [keras.Input((1,), dtype="string", name="words"), keras.layers.StringLookup(vocabulary=["a", "b"])]
    )


def unbuilt(keras: Any) -> Any:
    return keras.Sequential([keras.layers.Dense(3)])


def not_finite(keras: Any) -> Any:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="bad"), keras.layers.Dense(2, name="good")])
    kernel = np.ones((4, 3))
    kernel[0, 0], kernel[1, 1] = np.nan, np.inf
    model.get_layer("bad").set_weights([kernel, np.zeros(3)])
    return model


BAD = {
    "open-shape": (open_shape, "EC234", "found [?, ?, ?, 3]", "keras.Input((96, 96, 3))"),
    "strings": (strings, "EC235", "dtype `string`", "numbers"),
    "unbuilt": (unbuilt, "EC237", "was never built", "keras.Input(shape)"),
    "not-finite": (not_finite, "EC236", "kernel", "earlier checkpoint"),
}


@pytest.mark.parametrize("keras", [keras3, tf_keras])
@pytest.mark.parametrize(("build", "code", "note", "remedy"), BAD.values(), ids=BAD)
def test_a_model_that_cannot_be_compiled_is_refused(
    keras: Callable[[], Any], build: Callable[[Any], Any], code: str, note: str, remedy: str, tmp_path: Path
) -> None:
    build(keras()).save(tmp_path / "m.keras")

    found = refusals("m.keras", tmp_path)

    assert [said.code for said in found] == [code]
    assert note in " ".join(found[0].notes)
    assert remedy in " ".join(found[0].help)


def test_only_the_layer_that_is_not_finite_is_named_with_its_count(tmp_path: Path) -> None:
    not_finite(keras3()).save(tmp_path / "m.keras")

    said = refusals("m.keras", tmp_path)[0]

    assert said.location is not None and said.location.layer == "bad"
    assert said.notes == ("`kernel`: 2 NaN or infinite",)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_weights_without_an_architecture_are_refused(name: str, tmp_path: Path) -> None:
    keras = keras3() if "weights" in name else tf_keras()
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / name)

    said = refusals(name, tmp_path)[0]

    assert said.code == "EC208"
    assert "`model_config`" in said.notes[0]


def test_an_h5_that_hdf5_cannot_read_is_refused(tmp_path: Path) -> None:
    keras = tf_keras()
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "m.h5")
    content = bytearray((tmp_path / "m.h5").read_bytes())
    content[96:800] = bytes(704)
    (tmp_path / "m.h5").write_bytes(content)

    assert refusals("m.h5", tmp_path)[0].code == "EC201"


def test_a_config_that_is_not_json_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{")

    assert refusals("m.keras", tmp_path)[0].code == "EC201"


def test_what_keras_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    keras = keras3()
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "m.keras")

    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["no_such_option"] = 3

    edit_keras_file(tmp_path / "m.keras", change)

    said = refusals("m.keras", tmp_path)[0]

    assert said.code == "EC241"
    assert f"written by Keras {keras.__version__}" in said.notes[0]


def test_a_keras_file_without_its_weights_is_refused(tmp_path: Path) -> None:
    keras = keras3()
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist() if "weights" not in name}
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)

    assert refusals("m.keras", tmp_path)[0].code == "EC241"
