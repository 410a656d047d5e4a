"""From the user's model and data to flatbuffers, one for each numeric scheme that the targets ask for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile import foreseen
from edgecompile.cache.store import Store
from edgecompile.compress import recipe_check
from edgecompile.convert import schemes as known_schemes
from edgecompile.convert.random_calibration import random_inputs
from edgecompile.core.diagnostic import Diagnostic, Location, Severity, from_dict
from edgecompile.core.errors import BadInputError, bad_input, did_you_mean, rejected
from edgecompile.core.progress import Progress
from edgecompile.core.project import Project
from edgecompile.core.recipe import NEEDS_CALIBRATION, NUMERICS, Scheme
from edgecompile.core.report import Stage
from edgecompile.core.target import Target
from edgecompile.core.units import counted
from edgecompile.frontend import data as frontend_data
from edgecompile.frontend.data_foresee import foresee
from edgecompile.frontend.data_labels import labels_of
from edgecompile.frontend.input_spec import InputSpec
from edgecompile.frontend.network_ports import is_quantized, ports_of
from edgecompile.frontend.source import ModelSource
from edgecompile.ir import reader
from edgecompile.ir.network import Network, Tensor
from edgecompile.keras_answers import answers, whole
from edgecompile.libs import child
from edgecompile.libs.keras_child import CONVERTER_DIED, environment

AS_FOUND = "as found"
# What a kind of model goes through when it is changed; all others are Keras models.
_PROCESSES = {"tflite": "edgecompile.network_process:lower"}

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lowered:
    """The model as flatbuffers, and what to hold them against.

    ``content`` maps a scheme's label (or AS_FOUND for a .tflite without steps) to the flatbuffer. ``inputs``
    and ``reference`` are samples first: held-out inputs and the float model's outputs for them;
    ``reference`` is empty for a .tflite as found. ``held_out`` False: ``inputs`` are noise, there was no data.
    """

    source: ModelSource
    content: Mapping[str, bytes]
    inputs: tuple[Array, ...] = ()
    reference: tuple[Array, ...] = ()
    truth: tuple[Array, ...] = ()
    held_out: bool = False
    dataset: frontend_data.DataSet | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)


def scheme_of(project: Project, target: Target) -> Scheme:
    """The scheme to compile for a target: flag or project or recipe, else what the profile recommends.

    Raises EC301 for numerics that the target does not run, EC401 for an input dtype that does not go with them.
    """
    numerics = project.numerics or project.recipe.numerics or target.numerics[0]
    if numerics not in target.numerics:
        raise rejected(
            "EC301",
            f"`{target.id}` does not run `{numerics}`",
            Location(detail=f"numerics = {numerics}"),
            notes=(f"numerics that the profile allows: {', '.join(target.numerics)}; known: {', '.join(NUMERICS)}",),
            help=(f"use `--numerics {target.numerics[0]}`", *did_you_mean(numerics, target.numerics)),
        )
    scheme = Scheme(
        numerics=numerics,
        io_dtype=project.io_dtype or _io_dtype(numerics, target),
        per_tensor_dense=target.per_tensor_dense and numerics in ("int8", "dynamic"),
        calibration=project.calibration if numerics in NEEDS_CALIBRATION else "minmax",
    )
    known_schemes.check(scheme)
    return scheme


def lower(
    project: Project,
    source: ModelSource,
    schemes: Sequence[Scheme],
    scratch: Path,
    progress: Progress,
    samples: int | None = None,
    compression: Mapping[str, Any] | None = None,
    store: Store | None = None,
    *,
    card: bool = False,
) -> Lowered:
    """Read the data, then run the Keras process; a .tflite without steps is taken as it is, so is what ``store`` knows.

    ``samples`` bounds how many held-out samples are predicted, None: all. ``compression`` is what the steps of the
    recipe need to know (see ``keras_process.lower``), None: no step is taken. ``card``: labels must fit an output of
    the model. Raises EC249 for a .tflite with shapes, EC302 when a scheme needs calibration data and there is none,
    EC760 for labels that fit none, and whatever data, load and convert raise; what is wrong with the data by
    themselves, or by what the model's file says of its outputs, before the model is loaded, EC313 and EC715 among it.
    """
    found = source.kind == "tflite" and compression is None
    _refuse_shapes(project, source)
    calibrated = not found and any(scheme.numerics in NEEDS_CALIBRATION for scheme in schemes)
    dataset = _open_data(project, scratch, progress, calibrated)
    if found:
        return _as_found(project, source, dataset, samples)
    if dataset is not None:
        foresee(dataset, source)
        foreseen.demand_scorable(project, dataset, source, samples)
        foreseen.demand_labels(dataset, source, trains=compression is not None and recipe_check.trains(project.recipe))
    _demand_calibration(project, source, schemes, dataset)
    unique = list(dict.fromkeys(schemes))
    arguments = {
        "source": _plain_source(source),
        "custom": project.custom,
        "trust": project.trust,
        "shapes": list(project.input_shape),
        "base": str(project.base),
        "data": str(scratch / "data") if dataset is not None else None,
        "random_calibration": project.data.most_calibration_samples if project.random_calibration else 0,
        "reference_samples": samples,
        "seed": project.seed,
        "threads": project.threads,
        "folder": str(scratch),
        "schemes": [dataclasses.asdict(scheme) for scheme in unique],
        "recipe": compression,
        "labels": _labels(project, dataset) if card else (),
    }
    answer = _answer(arguments, source, unique, dataset, store, scratch, progress)
    return _lowered(project, source, unique, dataset, answer, scratch)


def _labels(project: Project, dataset: frontend_data.DataSet | None) -> tuple[str, ...]:
    return dataset.labels if dataset is not None else labels_of(project.data, project.base)


def _answer(
    arguments: Mapping[str, Any],
    source: ModelSource,
    schemes: Sequence[Scheme],
    dataset: frontend_data.DataSet | None,
    store: Store | None,
    scratch: Path,
    progress: Progress,
) -> Mapping[str, Any]:
    """What the Keras process says of all schemes; it is asked only for what is not known."""
    kept = answers(store, source, schemes, dataset, arguments)
    asked = tuple(schemes) if kept is None else kept.missing()
    if kept is not None and asked is None:
        return kept.restore(scratch, (), None, source.name, progress)
    if dataset is not None and not (scratch / "data").is_dir():
        frontend_data.save(dataset, scratch / "data")
    fresh: dict[str, Any] = child.call(
        _PROCESSES.get(source.kind, "edgecompile.keras_process:lower"),
        {**arguments, "wanted": [scheme.label for scheme in asked or ()]},
        progress=progress,
        environment=environment(scratch, (arguments["recipe"] or {}).get("device", "cpu")),
        crash=CONVERTER_DIED,
    )
    if kept is None:
        return whole(fresh)
    kept.put(asked or (), fresh, scratch)
    return kept.restore(scratch, asked or (), fresh, source.name, progress)


def _lowered(
    project: Project,
    source: ModelSource,
    schemes: Sequence[Scheme],
    dataset: frontend_data.DataSet | None,
    answer: Mapping[str, Any],
    scratch: Path,
) -> Lowered:
    if dataset is not None:
        ports = ([InputSpec(**plain) for plain in answer[side]] for side in ("inputs", "outputs"))
        dataset = frontend_data.arrange(dataset, *ports)
    test = dataset.test if dataset is not None else None
    reference = tuple(np.load(scratch / name) for name in answer["reference_files"])
    inputs = tuple(np.load(scratch / name) for name in answer["input_files"])
    if test is not None:
        inputs = tuple(np.asarray(x)[: len(reference[0])] for x in test.x)
    return Lowered(
        source=source,
        content={scheme.label: (scratch / f"{scheme.label}.tflite").read_bytes() for scheme in schemes},
        inputs=inputs,
        reference=reference,
        truth=tuple(np.asarray(y)[: len(inputs[0])] for y in test.y) if test is not None else (),
        held_out=test is not None,
        dataset=dataset,
        facts={
            key: answer[key] for key in ("parameters", "inputs", "outputs", "bridge_difference", "records", "imported")
        },
        stages=tuple(
            Stage(**{key: stage[key] for key in ("name", "summary", "duration_s")}) for stage in answer["stages"]
        ),
        diagnostics=(
            *(dataset.diagnostics if dataset is not None else ()),
            *(from_dict(plain) for plain in answer["diagnostics"]),
            *_noise_warning(project, schemes, dataset),
        ),
        versions=answer["versions"],
    )


def _as_found(
    project: Project, source: ModelSource, dataset: frontend_data.DataSet | None, samples: int | None
) -> Lowered:
    assert source.path is not None
    content = source.path.read_bytes()
    diagnostics = foreseen.unheeded(project, source)
    if dataset is not None:
        network = reader.read(content, source.name)
        inputs, outputs = ports_of(network)
        diagnostics += (*dataset.diagnostics, *frontend_data.check_against(dataset, inputs, outputs))
        dataset = frontend_data.arrange(dataset, inputs, outputs)
        foreseen.demand_scorable(project, dataset, source, samples)
    test = dataset.test if dataset is not None else None
    return Lowered(
        source=source,
        content={AS_FOUND: content},
        inputs=tuple(np.asarray(x)[:samples] for x in test.x) if test is not None else (),
        truth=tuple(np.asarray(y)[:samples] for y in test.y) if test is not None else (),
        held_out=test is not None,
        dataset=dataset,
        diagnostics=diagnostics,
    )


def noise_for(network: Network, seed: int, samples: int = 64) -> tuple[Array, ...]:
    """Real-valued noise for a .tflite: uniform over what each quantized input can hold, else as for Keras models."""
    inputs, _ = ports_of(network)
    ranges = {port.name: _range(network.main.tensors[i]) for port, i in zip(inputs, network.main.inputs, strict=True)}
    known = {name: limits for name, limits in ranges.items() if limits is not None}
    return random_inputs(inputs, samples, seed, known)


def _range(tensor: Tensor) -> tuple[float, float] | None:
    if tensor.quantization is None or not is_quantized(tensor):
        return None
    limits = np.iinfo(tensor.dtype)
    scale, zero = tensor.quantization.scales[0], tensor.quantization.zero_points[0]
    return (float(limits.min) - zero) * scale, (float(limits.max) - zero) * scale


def _open_data(project: Project, scratch: Path, progress: Progress, calibrated: bool) -> frontend_data.DataSet | None:
    source = project.data.source
    if source is None:
        return None
    spec = project.data if calibrated else dataclasses.replace(project.data, calibration_samples=0)
    folder = scratch / "data"
    if frontend_data.is_entry(source):
        arguments = {
            "base": str(project.base),
            "spec": dataclasses.asdict(spec),
            "seed": project.seed,
            "folder": str(folder),
        }
        child.call(
            "edgecompile.keras_process:load_user_data",
            arguments,
            progress=progress,
            environment=environment(scratch),
            crash=_died_reading(source),
        )
        return frontend_data.restore(folder)
    return frontend_data.open_data(spec, project.base, project.seed)


def _died_reading(entry: str) -> child.Crash:
    """It is the user's function that runs there."""
    return child.Crash(
        code="EC279",
        message=f"data from `{entry}`: the function did not survive",
        help=("run the function by itself in Python", "it should return its arrays, and not exit"),
        error=BadInputError,
    )


def _io_dtype(numerics: str, target: Target) -> str:
    if numerics == "int8":
        return target.io_dtype
    return "int16" if numerics == "int16x8" else "float32"


def _refuse_shapes(project: Project, source: ModelSource) -> None:
    if source.kind == "tflite" and project.input_shape:
        raise bad_input(
            "EC249",
            "a .tflite keeps the shapes that it was converted with",
            source.name,
            (f"found: {', '.join(f'`--input-shape {shape}`' for shape in project.input_shape)}",),
            ("leave the option out, or hand in the Keras model",),
        )


def _demand_calibration(
    project: Project, source: ModelSource, schemes: Sequence[Scheme], dataset: frontend_data.DataSet | None
) -> None:
    needing = sorted({scheme.numerics for scheme in schemes if scheme.numerics in NEEDS_CALIBRATION})
    if not needing or project.random_calibration or (dataset is not None and dataset.calibration is not None):
        return
    raise bad_input(
        "EC302",
        f"`{', '.join(needing)}` needs data to calibrate with, and none is given",
        source.name,
        notes=(
            "calibration takes the range of every tensor from "
            f"{counted(project.data.most_calibration_samples, 'sample')}",
            "samples found: 0",
        ),
        help=(
            'give data with `--data FILE` or `source = "data.npz"` under [data]; only `x_train` is needed for this',
            "`--random-calibration` uses noise instead: good for a first look at size and speed, useless for accuracy",
            "`--numerics float32` needs no data",
        ),
    )


def _noise_warning(
    project: Project, schemes: Sequence[Scheme], dataset: frontend_data.DataSet | None
) -> tuple[Diagnostic, ...]:
    calibrated = any(scheme.numerics in NEEDS_CALIBRATION for scheme in schemes)
    if not calibrated or not project.random_calibration or (dataset is not None and dataset.calibration is not None):
        return ()
    return (
        Diagnostic(
            code="EC303",
            severity=Severity.WARNING,
            message="CALIBRATED ON RANDOM NOISE: the ranges are made up, accuracy on real input is unknown",
            notes=(f"samples of noise: {project.data.most_calibration_samples}, seed {project.seed}",),
            help=("give real samples with `--data` before you ship this",),
        ),
    )


def _plain_source(source: ModelSource) -> dict[str, Any]:
    plain = dataclasses.asdict(source)
    plain["path"] = str(source.path) if source.path is not None else None
    return plain
