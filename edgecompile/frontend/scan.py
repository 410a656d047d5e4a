"""Reads a model's config before Keras does: nothing in it may run code, and every class must be one that is known.

Deserialization imports the modules that a config names and calls what it finds there, marshalled Python included
(CVE-2024-3660, CVE-2025-1550 and CVE-2025-8747 are of this kind), so names are held against an allow-list first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.frontend.graph_operators import touches_files

# Layers whose config holds code, or a path that is loaded.
CODE_LAYERS = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__"})
MODELS = frozenset({"Functional", "Model", "Sequential"})
# Plain TensorFlow functions that Keras 2 wrote as layers of their own.
_LEGACY_OPS = frozenset({"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "InstanceProperty", "InstanceMethod"})
_LEGACY_REFUSED = frozenset({"ClassMethod"})
_OPENED = MODELS | _LEGACY_OPS | _LEGACY_REFUSED | CODE_LAYERS
_PREFIX = re.compile(r"^(tensorflow\.(python\.)?|tf_)?keras(\.src)?(\.|$)")
_ROOMS = frozenset(
    {"layers", "initializers", "regularizers", "constraints", "activations", "dtype_policies", "ops", "random"}
    | {"mixed_precision", "models", "engine", "backend", "quantizers"}
)
_TOP_LEVEL = MODELS | {"DTypePolicy", "FloatDTypePolicy", "KerasTensor", "Variable", "Input", "InputLayer"}
_TYPE_SPECS = frozenset({"TensorShape", "TensorSpec"})
_APPLICATION_LAYERS = frozenset({"CustomScaleLayer", "LayerScale"})
_TF_FUNCTION = re.compile(
    r"^(compat\.v1\.)?((math|nn|linalg|image|signal|__operators__|bitwise|dtypes)\.\w+|keras\.backend\.[a-z]\w*|"
    r"(reshape|concat|stack|unstack|split|squeeze|expand_dims|transpose|identity|cast|clip_by_value|pad|tile|gather|"
    r"gather_nd|where|zeros_like|ones_like|shape|rank|size|slice|strided_slice|reverse|repeat|roll|einsum|matmul|"
    r"tensordot|broadcast_to|fill|zeros|ones|range|one_hot|boolean_mask|meshgrid|argsort|sort|sign|stop_gradient|"
    r"convert_to_tensor|constant|reduce_\w+|maximum|minimum|add|subtract|multiply|divide|abs|exp|sqrt|square|pow|"
    r"round|floor|tanh|sigmoid|norm|space_to_depth|depth_to_space|equal|greater|less|logical_\w+))$"
)
_METHOD = re.compile(r"^[a-z]\w*$")


def scan(
    config: dict[str, Any],
    *,
    file: str,
    known: frozenset[str],
    layers: frozenset[str],
    functions: frozenset[str],
    trust: bool = False,
) -> None:
    """Nothing when the config names Keras's own parts and the user's only; with ``trust`` nothing but
    names that no module is given for is looked at.

    ``known``: names from the user's module; ``layers`` and ``functions``: names of Keras's own layers and activations.
    Raises BadInputError EC230 for code inside the file, EC231 for a class or function that is nowhere defined.
    """
    for node, layer in _nodes(config, None):
        if not trust:
            _check(node, layer, file, known, layers, functions)
        elif _is_layer(node) and not node.get("module") and _last(node) not in layers | known | _OPENED:
            raise _unknown("class", _last(node), None, Location(file=file, layer=layer), layers | known)


def _last(node: dict[str, Any]) -> str:
    """The class's own name, without the package it was registered under."""
    return str(node.get("registered_name") or node["class_name"]).split(">")[-1]


def _nodes(plain: Any, layer: str | None) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Every dict that names a class, with the layer that it stands in."""
    if isinstance(plain, (list, tuple)):
        for item in plain:
            yield from _nodes(item, layer)
    if not isinstance(plain, dict):
        return
    if isinstance(plain.get("class_name"), str):
        inner = plain.get("config")
        own = inner.get("name") if isinstance(inner, dict) else None
        layer = own if isinstance(own, str) else layer
        yield plain, layer
    for key, value in plain.items():
        if key != "compile_config":  # models are opened with compile=False: it is never read
            yield from _nodes(value, layer)


def _check(
    node: dict[str, Any],
    layer: str | None,
    file: str,
    known: frozenset[str],
    layers: frozenset[str],
    functions: frozenset[str],
) -> None:
    name = node["class_name"]
    place = Location(file=file, layer=layer)
    if name in CODE_LAYERS and name not in known:
        raise _code(name, place)
    _check_wrapped_function(node, place)
    if name in known:
        return
    if name == "function":
        _check_function(node, place, known, functions)
        return
    _check_activations(node, place, known, functions)
    _check_vocabulary(node, place)
    module = node.get("module")
    if module is None:
        if "module" in node or (_is_layer(node) and name not in layers | MODELS | _LEGACY_OPS):
            raise _unknown("class", name, None, place, layers | known)
        return
    if not allowed(str(module), name):
        raise _unknown("class", name, str(module), place, layers | known)


def allowed(module: str, name: str) -> bool:
    """Whether a class ``name`` of ``module`` is one of Keras's own building blocks."""
    match = _PREFIX.match(module)
    if module == "builtins" and name in ("__tuple__", "slice", "__typespec__", "__ellipsis__", "__slice__", "type"):
        return True
    if module.startswith("tensorflow.python.framework") or module == "tensorflow":
        return name in _TYPE_SPECS
    if match is None or not re.match(r"^[A-Z]\w*$|^__(keras_tensor|tensor|numpy|bytes|typespec)__$", name):
        return False
    rest = module[match.end() :]
    if not rest:
        return name in _TOP_LEVEL
    room = rest.split(".")[0]
    if room == "applications":
        return name in _APPLICATION_LAYERS
    if room == "models":
        return name in MODELS
    return room in _ROOMS


def _is_layer(node: dict[str, Any]) -> bool:
    """Old configs name no modules; layers are told by what only layers have."""
    inner = node.get("config")
    return "inbound_nodes" in node or (isinstance(inner, dict) and "name" in inner and "trainable" in inner)


def _check_function(node: dict[str, Any], place: Location, known: frozenset[str], functions: frozenset[str]) -> None:
    name, module = str(node.get("config")), node.get("module")
    if name in known or name.split(">")[-1] in known:
        return
    own = module in (None, "builtins") or (_PREFIX.match(str(module)) and str(module).split(".")[-1] == "activations")
    if own and name in functions:
        return
    raise _unknown("function", name, module if isinstance(module, str) else None, place, functions | known)


def _check_activations(node: dict[str, Any], place: Location, known: frozenset[str], functions: frozenset[str]) -> None:
    inner = node.get("config")
    if not isinstance(inner, dict):
        return
    for key in ("activation", "recurrent_activation"):
        name = inner.get(key)
        if isinstance(name, str) and name.split(">")[-1] not in functions | known:
            raise _unknown("function", name, None, place, functions | known)


def _check_wrapped_function(node: dict[str, Any], place: Location) -> None:
    """Keras 2's layers around plain TensorFlow functions: only functions that compute."""
    name, inner = node["class_name"], node.get("config")
    if name in _LEGACY_REFUSED:
        raise _code(name, place)
    if name not in _LEGACY_OPS or not isinstance(inner, dict):
        return
    if name == "TFOpLambda" and not _TF_FUNCTION.match(str(inner.get("function"))):
        raise _code(f"{name}({inner.get('function')})", place)
    if name == "InstanceMethod" and not _METHOD.match(str(inner.get("method_name"))):
        raise _code(name, place)
    if name == "InstanceProperty" and not _METHOD.match(str(inner.get("attr_name"))):
        raise _code(name, place)
    if name == "TensorFlowOpLayer":
        found = re.search(r"\"?op\"?:\s*\"(\w+)\"", str(inner.get("node_def")))
        if found is None or touches_files(found[1]):
            raise _code(f"{name}({found[1] if found else '?'})", place)


def _check_vocabulary(node: dict[str, Any], place: Location) -> None:
    """Look-up layers take a vocabulary or the path of a file to read it from."""
    inner = node.get("config")
    if isinstance(inner, dict) and isinstance(inner.get("vocabulary"), str):
        raise _code(f"{node['class_name']}(vocabulary={inner['vocabulary']!r})", place)


def _code(name: str, place: Location) -> EdgecompileError:
    return bad_input(
        "EC230",
        f"layer `{place.layer}` would run code from the model file" if place.layer else "the model file holds code",
        place,
        (f"found `{name}`, which may run any Python code or read any file",),
        ("if you trust where the file is from, give --trust", "or replace the layer by one of Keras's own"),
    )


def _unknown(kind: str, name: str, module: str | None, place: Location, near: Iterable[str]) -> EdgecompileError:
    notes = (f"the file says it comes from module `{module}`; only Keras's own layers are imported",) if module else ()
    where = f" of layer `{place.layer}`" if place.layer else ""
    return bad_input(
        "EC231",
        f"the {kind} `{name}`{where} is not part of Keras",
        place,
        notes,
        (f"name the module that defines it: --custom {_guess(module)}", *did_you_mean(name, near)),
    )


def _guess(module: str | None) -> str:
    return module if module and not _PREFIX.match(module) and module != "builtins" else "layers.py"
