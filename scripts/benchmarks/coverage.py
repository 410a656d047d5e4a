"""What each pass makes of one small model for each kind of layer (105 of them); what is lost silently counts as failed.

scripts/bench coverage [--only NAME] [--applications] [--json FILE]

--applications: four whole networks with fresh weights instead, through prune, cluster and quantize.
--json: where the table is kept as it grows; rows that are there already are not made again.

Each model is loaded, converted and compressed by recipe as a build does it, in a process of its own that a crash of the
converter ends alone. A row is right when the integer network computes nothing in float, every weight tensor that the
pass may touch has its zeros or at most 16 values, and the integers of a trained network are those of its simulation.
A model that leaves sizes open is compiled for the one in ``INPUT_SHAPES``, as `--input-shape` does it for a user.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

RECIPES: dict[str, list[dict[str, Any]]] = {
    "ptq": [],
    "prune": [{"pass": "prune", "sparsity": 0.5, "epochs": 1}],
    "cluster": [{"pass": "cluster", "k": 16, "epochs": 1}],
    "qat": [{"pass": "quantize", "epochs": 1}],
    "pcqat": [
        {"pass": "prune", "sparsity": 0.5, "epochs": 0},
        {"pass": "cluster", "k": 16, "epochs": 0},
        {"pass": "quantize", "epochs": 1},
    ],
}
# What TF-MOT 0.8.1 and TensorFlow's own quantizer do not do, of the 105: facts measured with tf-keras 2.21.
TFMOT_FAILS = {"ptq": 7, "prune": 22, "cluster": 16, "qat": 56}
INPUT_SHAPES = {"dynamic H,W (None,None,3)": ["16x16x3"]}
SAMPLES = 64
VALUES = 16
SMALL = 16  # weights; a tensor of no more need not share, nor hold half zeros
AGREEMENT = 0.99


def main() -> None:
    """Print a line for each model as it is done, and the count of right rows for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="a model's name")
    parser.add_argument("--applications", action="store_true", help="four networks of keras.applications")
    parser.add_argument("--json", help="where the table is, or will be")
    parser.add_argument("--work", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        _work(arguments.work)
        return
    from _zoo import APPLICATIONS, KINDS

    names = arguments.only or list(APPLICATIONS if arguments.applications else KINDS)
    table = Path(arguments.json) if arguments.json else None
    kept = json.loads(table.read_text()) if table is not None and table.exists() else {}
    rows: dict[str, dict[str, str]] = {name: kept[name] for name in names if name in kept}
    while waiting := [name for name in names if name not in rows]:
        _run(waiting, rows, table)
    print()
    for recipe in RECIPES:
        right = sum(row.get(recipe) == "ok" for row in rows.values())
        if not any(recipe in row for row in rows.values()):
            continue
        beside = (
            f"   (TF-MOT: {len(KINDS) - TFMOT_FAILS[recipe]})" if recipe in TFMOT_FAILS and names == list(KINDS) else ""
        )
        print(f"{recipe:<8} {right} of {len(rows)}{beside}")
    for name, row in rows.items():
        if any(verdict != "ok" for verdict in row.values()):
            print(
                f"  {name}: " + "; ".join(f"{recipe} {verdict}" for recipe, verdict in row.items() if verdict != "ok")
            )


def _run(waiting: list[str], rows: dict[str, dict[str, str]], table: Path | None) -> None:
    """Work through the names in one process until it ends; the model it died of is a row too."""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, __file__, "--work", *waiting]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        partial: dict[str, str] = {}
        for line in process.stdout:
            if not line.startswith("row "):
                continue
            name, recipe, verdict = json.loads(line[4:])
            partial[recipe] = verdict
            if len(partial) == len(_recipes(name)):
                rows[name], partial = partial, {}
                _show(name, rows[name])
                _keep(rows, table)
    left = [name for name in waiting if name not in rows]
    if left:
        rows[left[0]] = {recipe: partial.get(recipe, "the process died") for recipe in _recipes(left[0])}
        _show(left[0], rows[left[0]])
        _keep(rows, table)


def _keep(rows: dict[str, dict[str, str]], table: Path | None) -> None:
    if table is not None:
        whole = table.with_suffix(".part")
        whole.write_text(json.dumps(rows, indent=1) + "\n")
        whole.replace(table)


def _recipes(name: str) -> list[str]:
    """Whole networks take long: the chain of all passes alone."""
    from _zoo import APPLICATIONS

    return ["pcqat"] if name in APPLICATIONS else list(RECIPES)


def _show(name: str, row: dict[str, str]) -> None:
    print(f"{name:<38} " + "  ".join(f"{recipe} {verdict}" for recipe, verdict in row.items()), flush=True)


def _work(names: list[str]) -> None:
    for name in names:
        for recipe in _recipes(name):
            print("row " + json.dumps([name, recipe, _verdict(name, recipe)]), flush=True)


def _verdict(name: str, recipe: str) -> str:
    from edgecompile.core.errors import EdgecompileError

    try:
        return _judge(name, recipe)
    except EdgecompileError as error:
        return f"{error.diagnostics[0].code} {error.diagnostics[0].message}"
    except Exception as error:
        return f"BUG {type(error).__name__}: {str(error)[:160]}"


def _judge(name: str, recipe: str) -> str:
    from edgecompile.compress.context import Samples
    from edgecompile.compress.device import agreement
    from edgecompile.compression import Material, compress
    from edgecompile.convert.integer_forms import with_integer_forms
    from edgecompile.convert.unroll import unroll
    from edgecompile.core.progress import Silent
    from edgecompile.core.recipe import Recipe, Scheme, Step
    from edgecompile.keras_process import _floats

    model = _load(name)
    unroll(model.model)
    network = with_integer_forms(_floats(model, 0))
    samples = _samples(model)
    steps = tuple(
        Step(name=step["pass"], options={key: value for key, value in step.items() if key != "pass"})
        for step in RECIPES[recipe]
    )
    scheme = Scheme(numerics="int8", io_dtype="int8")
    with tempfile.TemporaryDirectory() as folder:
        material = Material(
            recipe=Recipe(name=recipe, steps=steps),
            schemes=[scheme],
            forms={},
            calibration=samples.x,
            train=samples,
            validation=samples,
            teachers={},
            metric=None,
            partly=False,
            widely=False,
            base=Path(folder),
            seed=0,
            folder=Path(folder),
            progress=Silent(),
        )
        made = compress(network, name, material).networks[scheme.label]
    wrong = _in_float(made) or _not_done(made, recipe)
    if not wrong and recipe in ("qat", "pcqat"):
        # Optimized kernels first, then the reference kernels: of every operator by itself, and of the whole.
        found = agreement(made, Samples(x=samples.x))
        share = min(max(one.whole for one in found), *(one.each for one in found)) if found else 0.0
        if share < AGREEMENT:
            wrong = f"{100 * share:.1f} % of the integers agree with the simulation"
    return wrong or "ok"


def _load(name: str) -> Any:
    """The model through the front door: ``module:function``, with whatever repair that brings."""
    from edgecompile.core.input_shape import parse_input_shape
    from edgecompile.frontend.keras_model import load
    from edgecompile.frontend.source import open_model

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "entry.py"
        place.write_text(
            f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom _zoo import MODELS\n"
            "import tensorflow as tf\nimport tf_keras\n\n"
            f"def make():\n    tf_keras.utils.set_random_seed(0)\n    return MODELS[{name!r}](tf, tf_keras)\n"
        )
        shapes = [parse_input_shape(shape) for shape in INPUT_SHAPES.get(name, ())]
        return load(open_model("entry.py:make", Path(folder)), None, True, Path(folder), shapes)


def _samples(model: Any) -> Any:
    import numpy as np

    from edgecompile.compress.context import Samples

    draw = np.random.default_rng(0)
    x = tuple(
        draw.integers(0, 32, (SAMPLES, *port.shape[1:])).astype(port.dtype)
        if port.dtype.startswith("int")
        else draw.normal(size=(SAMPLES, *port.shape[1:])).astype(np.float32)
        for port in model.inputs
    )
    y = tuple(
        draw.integers(0, port.shape[-1], SAMPLES)
        if len(port.shape) == 2
        else draw.normal(size=(SAMPLES, *_sizes(port))).astype(np.float32)
        for port in model.outputs
    )
    return Samples(x=x, y=y)


def _sizes(port: Any) -> tuple[int, ...]:
    return tuple(size or 16 for size in port.shape[1:])


def _in_float(network: Any) -> str:
    from edgecompile.compress.passes.quantize import computing_in_float

    found = computing_in_float(network)
    return f"in float: {found[0][0]}" if found else ""


def _not_done(network: Any, recipe: str) -> str:
    """What a pass passed over without a word."""
    import numpy as np

    from edgecompile.compress.sites import sites_of, weights_of

    weights = [(site, weights_of(network, site)) for site in sites_of(network)]
    large = [(site, array) for site, array in weights if array.size > SMALL]
    if recipe in ("prune", "pcqat"):
        zeros = sum(int(np.count_nonzero(array == 0)) for _, array in large)
        total = sum(array.size for _, array in large)
        if total and zeros < 0.49 * total:
            return f"{100 * zeros / total:.0f} % zeros"
        # Layers take unlike shares; a whole kind without zeros was passed over.
        for kind in {site.operator for site, _ in large}:
            if not any(np.any(array == 0) for site, array in large if site.operator == kind):
                return f"no zeros in any {kind}"
    if recipe in ("cluster", "pcqat"):
        most = max(((len(np.unique(array)), site) for site, array in large), key=lambda one: one[0], default=None)
        if most is not None and most[0] > VALUES:
            return f"{most[0]} values in {most[1].operator}"
    return ""


if __name__ == "__main__":
    main()
