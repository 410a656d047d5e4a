"""A float .tflite through a recipe's steps, in the Keras process: what ``keras_process`` is for Keras models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgecompile.compress.context import Samples
from edgecompile.compress.run import outputs
from edgecompile.compress.structure.counts import count
from edgecompile.compress.subject import Subject
from edgecompile.compression import Compressed
from edgecompile.convert.integer_forms import with_integer_forms
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import Scheme
from edgecompile.core.units import group
from edgecompile.emit.model_card import foresee_labels
from edgecompile.frontend.network_ports import ports_of
from edgecompile.ir import reader
from edgecompile.ir.model_metadata import ENTRY
from edgecompile.keras_process import Opened, material_of, take_steps
from edgecompile.libs.keras import pin
from edgecompile.process_ends import (
    Known,
    Work,
    answered,
    given_for,
    made_of,
    predicted,
    reference_inputs,
    source_of,
    trained_on,
    versions,
)


def lower(
    *,
    source: dict[str, Any],
    custom: str | None,
    trust: bool,
    shapes: Sequence[str],
    base: str,
    schemes: Sequence[dict[str, Any]],
    data: str | None,
    random_calibration: int,
    reference_samples: int | None,
    seed: int,
    folder: str,
    wanted: Sequence[str],
    progress: Progress,
    recipe: dict[str, Any],
    labels: Sequence[str] = (),
    threads: int = 0,
) -> dict[str, Any]:
    """What ``keras_process.lower`` gives, by the same arguments, for a .tflite in float32 and a recipe with steps.

    Raises what checking the data, the steps and the quantizer raise.
    """
    pin(threads)
    out, work = Path(folder), Work(progress=progress)
    origin = source_of(source)
    with work.stage("Load", origin.name) as summary:
        assert origin.path is not None
        network = with_integer_forms(reader.read(origin.path.read_bytes(), origin.name))
        summary.append(f"{group(count(network, 'parameters'))} parameters")
    inputs, ends = ports_of(network)
    foresee_labels(() if ENTRY in network.metadata else labels, origin.name, ends)
    given = given_for(inputs, ends, data, random_calibration, seed)
    opened = Opened(custom=custom, trust=trust, base=Path(base), seed=seed)
    making, compressed = Work(progress=progress), Compressed()
    if wanted:
        material = material_of([Scheme(**plain) for plain in schemes], given, recipe, opened, making)
        compressed = take_steps(network, origin.name.removesuffix(".tflite"), material, recipe["title"], out, making)
    asked = reference_inputs(given.dataset, inputs, reference_samples, seed)
    samples = Samples(x=tuple(asked))
    answers = predicted(lambda: outputs(Subject(network=network), samples), len(samples), work)
    known = Known(
        parameters=count(network, "parameters"),
        inputs=inputs,
        outputs=ends,
        diagnostics=given.diagnostics,
        versions={**versions(threads), **trained_on(recipe)},
    )
    return answered(known, asked, answers, work, made_of(making, compressed), out)
