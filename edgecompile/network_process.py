"""A float .tflite through a recipe's steps, in the Keras process: what ``keras_process`` is for Keras models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from edgecompile.compress.context import Samples
from edgecompile.compress.run import outputs
from edgecompile.compress.structure.counts import count
from edgecompile.compress.subject import Subject
from edgecompile.convert.integer_forms import with_integer_forms
from edgecompile.core.progress import Progress
from edgecompile.frontend.network_ports import ports_of
from edgecompile.frontend.source import ModelSource
from edgecompile.ir import reader
from edgecompile.ir.model_metadata import ENTRY
from edgecompile.ir.network import Network
from edgecompile.keras_process import Opened, material_of, take_steps
from edgecompile.process_frame import Asked, Loaded, Made, Task, lowered


def lower(*, progress: Progress, **asked: Any) -> dict[str, Any]:
    """What ``keras_process.lower`` gives, by the same arguments, for a .tflite in float32 and a recipe with steps."""
    wish = Asked(**asked)
    return lowered(wish, progress, partial(_loaded, wish))


def _loaded(asked: Asked, origin: ModelSource) -> Loaded:
    assert origin.path is not None
    network = with_integer_forms(reader.read(origin.path.read_bytes(), origin.name))
    inputs, ends = ports_of(network)
    return Loaded(
        parameters=count(network, "parameters"),
        inputs=inputs,
        outputs=ends,
        make=partial(_made, network, origin.name.removesuffix(".tflite"), asked),
        predict=lambda x: outputs(Subject(network=network), Samples(x=tuple(x))),
        names_classes=ENTRY in network.metadata,
    )


def _made(network: Network, name: str, asked: Asked, task: Task) -> Made:
    if not asked.wanted:
        return Made()
    assert asked.recipe is not None
    opened = Opened(custom=asked.custom, trust=asked.trust, base=Path(asked.base), seed=asked.seed)
    material = material_of(asked.numerics, task.given, asked.recipe, opened, task.work)
    return Made(compressed=take_steps(network, name, material, asked.recipe["title"], asked.out, task.work))
