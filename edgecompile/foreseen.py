"""What is told before a model is loaded: labels that metric or training cannot take, flags that have no effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.training.ends import End
from edgecompile.compress.training.labels import tasks_of
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import BadInputError, bad_input
from edgecompile.core.project import Project
from edgecompile.frontend.data_set import DataSet
from edgecompile.frontend.data_spots import name_of
from edgecompile.frontend.output_foresee import Output, output_of
from edgecompile.frontend.source import ModelSource
from edgecompile.verify import metric
from edgecompile.verify.accuracy import uncheckable

Array = np.ndarray[Any, Any]
# Metrics that ask for classes; of others nothing can be said without the outputs.
_OF_CLASSES = ("top1", "auc", "miou")
# Settings of a conversion.
_OF_CONVERSION = ("numerics", "io_dtype", "calibration")


def demand_scorable(project: Project, data: DataSet, source: ModelSource, samples: int | None) -> None:
    """Raises BadInputError EC715 for a metric that the held-out labels can have no score of, whatever the outputs.

    ``samples`` bounds how many of them are scored, None: all.
    """
    name = project.accuracy.metric
    if name not in _OF_CLASSES or data.test is None or len(data.test.y) != 1 or len(data.test.x) != 1:
        return
    truth, inputs = (np.asarray(part)[:samples] for part in (data.test.y[0], data.test.x[0]))
    if truth.dtype.kind not in "biuf":
        return
    shape = _output_shape(truth, output_of(source))
    if shape is None or shape == inputs.shape[1:]:  # an autoencoder is scored otherwise
        return
    metric.score(name, (truth,), (np.zeros((len(truth), *shape), np.float32),), (inputs,), project.base)


def demand_labels(data: DataSet, source: ModelSource, *, trains: bool) -> None:
    """Raises BadInputError EC313 for labels that the output of a network that is to be trained cannot take."""
    output = output_of(source)
    if not trains or data.train is None or len(data.train.y) != 1 or output is None or not output.is_flat:
        return
    y = np.asarray(data.train.y[0])
    if y.dtype.kind not in "biuf":
        return
    end = End(kind=output.activation or "open", position=0, tensor=None, factor=1.0, shape=(output.classes,))
    try:
        tasks_of((end,), (y,), (np.zeros((1, output.classes), np.float32),))
    except BadInputError as error:
        place = Location(file=data.source, detail=f"array `{name_of(data, 'y', 'train', 0)}`")
        raise BadInputError(*(replace(one, location=place) for one in error.diagnostics)) from None


def demand_data(project: Project) -> None:
    """Raises BadInputError EC717 for a limit on the drop of a build without any data to score, EC716 for no metric."""
    _demand_metric_file(project)
    if project.accuracy.max_drop is not None and project.data.source is None:
        raise uncheckable(project.accuracy.max_drop, "there is no data, only noise")


def unheeded(project: Project, source: ModelSource) -> tuple[Diagnostic, ...]:
    """EC289 for flags that say how to convert a file that is converted already."""
    given = [name for name in _OF_CONVERSION if project.origins.get(name) == "flag"]
    if not given:
        return ()
    flags = " and ".join(f"`--{name.replace('_', '-')}`" for name in given)
    return (
        Diagnostic(
            code="EC289",
            severity=Severity.WARNING,
            message=f"{flags} {'has' if len(given) == 1 else 'have'} no effect: `{source.name}` is taken as it is",
            location=Location(file=source.name),
            notes=("a .tflite is converted already; only a recipe with steps converts a float one again",),
            help=("leave it out, or give the Keras model that the file was made from",),
        ),
    )


def _demand_metric_file(project: Project) -> None:
    """The file of a metric of the user's, which is asked for only when all is computed."""
    name = project.accuracy.metric or ""
    file = project.base / name.rpartition(":")[0]
    if ".py:" in name and not file.is_file():
        raise bad_input(
            "EC716",
            f"there is no file `{file.name}` with the metric",
            Location(file=str(file), detail="[accuracy] `metric`"),
            notes=(f"found: `{name}`",),
            help=("a metric of your own is `file.py:function`, called as function(y_true, y_pred)",),
        )


def _output_shape(truth: Array, output: Output | None) -> Sequence[int] | None:
    """Of the output without the batch; of an unknown one that which suits the labels best. None: nobody knows."""
    if output is not None and output.is_flat:
        return (output.classes,)
    if truth.ndim != 1:
        return None
    return (2,) if truth.dtype.kind == "f" else (max(2, int(truth.max(initial=0)) + 1),)
