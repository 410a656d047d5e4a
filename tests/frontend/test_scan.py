"""The scan of a config lets Keras's own parts and the user's pass, and nothing that runs code; no TensorFlow."""

from __future__ import annotations

from typing import Any

import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.frontend.graph_operators import touches_files
from edgecompile.frontend.scan import scan

LAYERS = frozenset({"Dense", "Conv2D", "InputLayer", "Bidirectional", "LSTM", "StringLookup", "Activation"})
FUNCTIONS = frozenset({"relu", "linear", "softmax"})


def check(node: Any, known: frozenset[str] = frozenset(), trust: bool = False) -> None:
    model = {"class_name": "Functional", "config": {"name": "m", "layers": [node]}}
    scan(model, file="m.keras", known=known, layers=LAYERS, functions=FUNCTIONS, trust=trust)


def layer(name: str = "Dense", module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    node: dict[str, Any] = {"class_name": name, "config": {"name": "it", "trainable": True, **config}}
    return node if module is None else {**node, "module": module, "registered_name": None}


def legacy(name: str, **config: Any) -> dict[str, Any]:
    return layer(name, None, **config)


HARMLESS = {
    "keras-3-layer": layer(activation="relu"),
    "keras-3-internal-module": layer("Functional", "keras.src.models.functional", layers=[layer()]),
    "keras-2-internal-module": layer("Functional", "keras.src.engine.functional"),
    "tf-keras-layer": layer(module="tf_keras.layers"),
    "operation": layer("Mean", "keras.src.ops.numpy"),
    "initializer": layer(kernel_initializer=layer("GlorotUniform", "keras.initializers")),
    "dtype-policy": layer(dtype={"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}),
    "function-by-name": layer(
        activation={"class_name": "function", "config": "relu", "module": "builtins", "registered_name": "function"}
    ),
    "legacy-layer": legacy("Conv2D", activation="relu"),
    "legacy-initializer": legacy("Dense", kernel_initializer={"class_name": "VarianceScaling", "config": {"scale": 1}}),
    "tf-op": legacy("TFOpLambda", function="math.multiply"),
    "tf-op-of-v1": legacy("TFOpLambda", function="compat.v1.nn.relu6"),
    "operator-overload": legacy("TFOpLambda", function="__operators__.add"),
    "slicing": legacy("SlicingOpLambda", function="__operators__.getitem"),
    "graph-operator": legacy("TensorFlowOpLayer", node_def='{"op": "AddV2", "name": "x"}'),
    "training-setup-is-never-read": {**layer(), "compile_config": {"loss": {"class_name": "X", "module": "evil"}}},
}


@pytest.mark.parametrize("node", HARMLESS.values(), ids=HARMLESS)
def test_keras_s_own_parts_pass(node: dict[str, Any]) -> None:
    check(node)


CODE = {
    "lambda": layer("Lambda"),
    "legacy-lambda": legacy("Lambda"),
    "lambda-in-a-wrapper": layer("Bidirectional", layer=layer("Lambda")),
    "lambda-in-a-nested-model": layer("Functional", "keras.src.models.functional", layers=[layer("Lambda")]),
    "lambda-as-an-argument": layer(activation={"class_name": "__lambda__", "config": {"value": "4wEA"}}),
    "saved-model-layer": layer("TFSMLayer", filepath="/tmp/x"),
    "torch-module": layer("TorchModuleWrapper"),
    "file-operation": legacy("TFOpLambda", function="io.write_file"),
    "python-function": legacy("TFOpLambda", function="py_function"),
    "keras-loader": legacy("TFOpLambda", function="keras.models.load_model"),
    "download": legacy("TFOpLambda", function="keras.utils.get_file"),
    "class-method": legacy("ClassMethod", cls_symbol="data.Dataset", fn_name="from_tensors"),
    "private-method": legacy("InstanceMethod", method_name="__class__"),
    "graph-operator": legacy("TensorFlowOpLayer", node_def='{"op": "WriteFile", "name": "x"}'),
    "vocabulary-file": layer("StringLookup", vocabulary="/etc/passwd"),
}


@pytest.mark.parametrize("node", CODE.values(), ids=CODE)
def test_what_runs_code_is_refused_and_passes_with_trust(node: dict[str, Any]) -> None:
    with pytest.raises(BadInputError) as caught:
        check(node)

    assert caught.value.diagnostics[0].code == "EC230"
    check(node, trust=True)


UNKNOWN = {
    "module-of-python": layer("Popen", "subprocess"),
    "function-of-python": layer(activation={"class_name": "function", "config": "system", "module": "os"}),
    "builtin-function": layer(activation={"class_name": "function", "config": "exec", "module": "builtins"}),
    "keras-function-as-a-layer": layer("get_file", "keras.utils"),
    "keras-loader-as-a-layer": layer("load_model", "keras.models"),
    "other-class-of-keras": layer("ModelCheckpoint", "keras.callbacks"),
    "look-alike-module": layer("Dense", "kerasx.layers"),
    "application-function": layer("ResNet50", "keras.applications"),
    "registered-under-a-known-name": {**layer("system", "os"), "registered_name": "package>Mine"},
    "class-of-the-user": layer("Mine", "my.layers"),
    "class-without-module": {**legacy("Mine"), "module": None},
    "legacy-class": legacy("Mine"),
    "legacy-activation": legacy("Dense", activation="mine"),
}


@pytest.mark.parametrize("node", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_part_of_keras_is_refused_and_named(node: dict[str, Any]) -> None:
    with pytest.raises(BadInputError) as caught:
        check(node)

    said = caught.value.diagnostics[0]
    assert said.code == "EC231"
    assert said.location is not None and said.location.layer == "it"
    assert "--custom" in said.help[0]


def test_a_registered_name_does_not_vouch_for_another_class() -> None:
    with pytest.raises(BadInputError, match="EC231"):
        check(UNKNOWN["registered-under-a-known-name"], known=frozenset({"Mine"}))


@pytest.mark.parametrize("name", ["class-of-the-user", "class-without-module", "legacy-class"])
def test_a_class_of_the_user_s_module_passes(name: str) -> None:
    check(UNKNOWN[name], known=frozenset({"Mine"}))


def test_a_registered_class_is_known_without_its_package() -> None:
    check({**layer("Mine", "my.layers"), "registered_name": "my_package>Mine"}, known=frozenset({"Mine"}))


def test_trust_still_says_which_class_is_missing() -> None:
    with pytest.raises(BadInputError, match="EC231"):
        check(legacy("Mine"), trust=True)


@pytest.mark.parametrize(
    "operator", ["ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "SaveV2", "RestoreV2", "TFRecordDataset", "PrintV2"]
)
def test_operators_that_reach_beyond_the_model_are_known(operator: str) -> None:
    assert touches_files(operator)


@pytest.mark.parametrize(
    "operator", ["Conv2D", "ReadVariableOp", "AssignVariableOp", "MatMul", "While", "TensorListSetItem"]
)
def test_operators_that_compute_are_let_through(operator: str) -> None:
    assert not touches_files(operator)
