"""What a build asks of the recipe's steps, and what it tells of them; the steps run in the Keras process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgecompile.compress import recipe_check
from edgecompile.compress.wider import demand_wider, widths_of
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import BadInputError, bad_input
from edgecompile.core.project import Project
from edgecompile.core.recipe import Recipe, Scheme
from edgecompile.core.target import Target
from edgecompile.core.units import counted, format_size, group
from edgecompile.frontend.network_ports import not_in_floats
from edgecompile.frontend.source import ModelSource, open_model
from edgecompile.ir import reader
from edgecompile.ir.layer_names import short_name
from edgecompile.job import Job

_FLOAT_BYTES = 4
# What only a format made for it stores in fewer bytes.
_PACKED = frozenset({"sparsity", "sharing", "few bits"})


def request(
    project: Project, source: ModelSource, targets: Sequence[Target], schemes: Sequence[Scheme], cache: Path | None
) -> Mapping[str, Any] | None:
    """What ``keras_process.lower`` must know of the recipe's steps; None when there are none.

    Raises EC308 for a .tflite that they cannot change, and what :func:`foresee` raises.
    """
    recipe = project.recipe
    if not recipe.steps:
        return None
    if source.kind == "tflite":
        _check_network(source, recipe)
    foresee(project, targets, schemes)
    widths = widths_of(targets)
    return {
        "name": recipe.name,
        "title": " -> ".join(step.name for step in recipe.steps),
        "steps": [{"pass": step.name, "options": dict(step.options)} for step in recipe.steps],
        "forms": {target.id: list(target.weight_forms) for target in targets},
        "partly": widths.has("float"),
        "widely": widths.has("int16"),
        "metric": project.accuracy.metric,
        "device": project.train_on if recipe_check.trains(recipe) else "cpu",
        "cache": str(cache / "training") if cache is not None else None,
    }


def foresee(project: Project, targets: Sequence[Target], schemes: Sequence[Scheme]) -> None:
    """What these targets make of the recipe, whatever the model: told before steps train for hours, and by `check`.

    Raises EC306 for steps on integers in a scheme of floats, EC200 to EC207 for a teacher that cannot be opened, EC346
    where targets have nothing wider than 8 bits and a step wants it.
    """
    recipe = project.recipe
    wrong = [problem for scheme in schemes for problem in recipe_check.check_numerics(recipe, scheme.numerics)]
    if wrong:
        raise BadInputError(*dict.fromkeys(wrong))
    _check_teachers(recipe, project.base)
    demand_wider(recipe, targets, schemes)


def _check_network(source: ModelSource, recipe: Recipe) -> None:
    """Raises EC308 for a .tflite that the recipe's steps cannot change."""
    early = recipe_check.on_model(recipe)
    if early:
        raise bad_input(
            "EC308",
            f"`{early[0]}` changes layers of the Keras model, and `{source.name}` is converted already",
            source.name,
            notes=(
                "conversion folds batch norms into weights",
                f"steps of recipe `{recipe.name}` on layers: {', '.join(early)}",
            ),
            help=(f"take `{early[0]}` out of the recipe", "or give the Keras model that the .tflite was made from"),
        )
    assert source.path is not None
    stored = not_in_floats(reader.read(source.path.read_bytes(), source.name))
    if stored:
        raise bad_input(
            "EC308",
            f"recipe `{recipe.name}` has steps, and `{source.name}` is in {stored[0].dtype} already",
            source.name,
            notes=(
                "steps train and change a network of float32; what rounding took away they cannot give back",
                f"tensors that are not in float32: {len(stored)}, the first `{stored[0].name}`",
            ),
            help=("give the float model that it was made from, .tflite or Keras", "or leave the recipe out"),
        )


def _check_teachers(recipe: Recipe, base: Path) -> None:
    for index, step in enumerate(recipe.steps):
        teacher = step.options.get("teacher")
        if not teacher:
            continue
        try:
            open_model(teacher, base)
        except BadInputError as error:
            place = recipe.place(index, "`teacher`")
            found = f"the teacher of step {index + 1} is read from `{base / Path(teacher).expanduser()}`"
            told = (replace(one, location=place, notes=(found, *one.notes)) for one in error.diagnostics)
            raise BadInputError(*told) from None


def not_taken(job: Job, recipe: Recipe) -> None:
    """Say that ``check`` looked at the model without the recipe's steps."""
    if recipe.steps:
        job.diagnostics.append(
            Diagnostic(
                code="EC309",
                severity=Severity.NOTE,
                message=f"the steps of recipe `{recipe.name}` were not taken: `check` trains nothing",
                notes=("sizes and operators are those of the model before compression",),
                help=("`edgecompile build` takes them",),
            )
        )


def tell(job: Job) -> None:
    """Put what each step cost and bought into the report: a line a step, weights as this target stores them."""
    if parameters := job.lowered.facts.get("parameters"):
        job.details["float model"] = {"parameters": parameters, "bytes": _FLOAT_BYTES * parameters}
    records = job.lowered.facts.get("records") or {}
    if job.scheme.label not in records:
        return
    rows = records[job.scheme.label]
    job.details["compression"] = [_row(row, job.target.id) for row in rows]
    job.obtained("compression", _of_steps(rows))
    measured = [one for row in rows for one in row.get("sensitivity") or ()]
    if measured:
        job.details["sensitivity"] = [_sensitivity(one) for one in measured]
        job.obtained("sensitivity", _OF_SENSITIVITY)
    job.details["compression records"] = {"steps": rows}
    job.diagnostics.extend(_dense(job.target, job.scheme.numerics, job.project.recipe, rows))
    last = rows[-1]
    method = "counted in the weights after the recipe's last step"
    job.count("sparsity", round(last["sparsity"], 4), "ratio", method)
    job.count("distinct_values", last["distinct"], "count", f"{method}: the most that any tensor has")


def _dense(target: Target, numerics: str, recipe: Recipe, rows: Sequence[Mapping[str, Any]]) -> tuple[Diagnostic, ...]:
    """EC356 where steps made values that a runtime stores one by one all the same: its profile cites how we know."""
    known = target.sources.get("weights")
    if known is None or target.weight_forms != ("dense",):
        return ()
    # That rewrite takes zeros out of weights in floats alone.
    sparse = "sparse_weights" in target.rewrites and numerics not in recipe_check.INTEGER
    vain = _PACKED - ({"sparsity"} if sparse else frozenset())
    steps = zip(recipe.steps, recipe_check.steps_of(recipe), strict=True)
    names = list(dict.fromkeys(f"`{step.name}`" for step, one in steps if one.makes & vain))
    if not names:
        return ()
    first, last = rows[0], rows[-1]
    stored = [format_size(row["stored_bytes"][target.id]) for row in (first, last)]
    packed = [format_size(row["gzip_bytes"]) for row in (first, last)]
    return (
        Diagnostic(
            code="EC356",
            severity=Severity.NOTE,
            message=f"`{target.id}` stores every weight: {' and '.join(names)} saved it nothing but download size",
            notes=(
                f"weights as stored: {stored[0]} before the recipe, {stored[1]} after it",
                f"as a download (gzip): {packed[0]} before, {packed[1]} after",
                known,
            ),
            help=("`prune_channels` and `low_rank` make fewer weights, which every runtime gains from",),
        ),
    )


def _of_steps(rows: Sequence[Mapping[str, Any]]) -> str:
    """How the table's figures were obtained; the first row, the model as given, says on how many samples."""
    samples = rows[0].get("samples")
    return f"{_OF_SCORE.format(counted(samples, 'validation sample'))}; {_OF_STEPS}" if samples else _OF_STEPS


_OF_SCORE = "the score is measured on {}, the network computed as that step leaves it"
_OF_STEPS = (
    "everything but the score is counted in the step's weights; parameters are those of the converted network, batch "
    "norms folded; stored is in the shortest form that the target reads, which a C library leaves aside where its code "
    "or RAM costs more; entropy is the least that a coder of single values could reach, gzip what it does"
)
_OF_SENSITIVITY = (
    "measured on at most 256 validation samples, else on calibration samples: this operator alone in integers, the "
    "others in floats; the error is the mean squared change of the outputs over their mean square"
)


def _row(row: Mapping[str, Any], target: str) -> dict[str, str]:
    score = "-" if row["score"] is None else f"{row['score']:.4f}"
    return {
        "step": row["step"],
        "score": score,
        "zeros": f"{100 * row['sparsity']:.0f} %",
        "values": str(row["distinct"]),
        "MACs": group(row["macs"]),
        "parameters": group(row["parameters"]),
        "stored": format_size(row["stored_bytes"][target]),
        "gzip": format_size(row["gzip_bytes"]),
        "entropy": format_size(row["entropy_bytes"]),
    }


def _sensitivity(one: Mapping[str, Any]) -> dict[str, str]:
    """An operator that alone is in integers: how far outputs move, and how much worse the score is."""
    return {
        "layer": short_name(one["name"]),
        "operator": one["operator"],
        "output error": f"{100 * one['output_error']:.3g} %",
        "drop": "-" if one["drop"] is None else f"{one['drop']:+.4f}",
    }
