"""What the Keras process answered before: the model's part, each scheme's flatbuffer, and what a recipe's steps did.

Kept are its JSON answer and the files that it wrote, each under what it depends on: the model's part (with its answers
to the test samples) under all samples, a flatbuffer under those that it was calibrated and trained on. Further the
bytes of the model and of the user's modules, the schemes, steps and seed; modules that the user's code imported are
known only afterwards, so an entry names them with their hashes, which are compared when it is read.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecompile.cache.fingerprint import fingerprint, of_file
from edgecompile.cache.identity import cards, identity
from edgecompile.cache.store import Entry, Store
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import NEEDS_CALIBRATION, Scheme
from edgecompile.frontend.data import DataSet
from edgecompile.frontend.data_set import PARTS
from edgecompile.frontend.source import ModelSource, open_model

# Said of what happened to be on the disk, so no part of an answer.
_PASSING = "EC317"
_MODEL, _STEPS = "", "steps"
_TRAINED = ("train", "validation", "calibration")


def whole(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What was ``made`` beside the model's part put into it: stages behind the load, diagnostics, records."""
    made, (load, *rest) = answer["made"], answer["stages"]
    told = {
        "stages": [load, *made["stages"], *rest],
        "diagnostics": [*answer["diagnostics"], *made["diagnostics"]],
        "records": made["records"],
    }
    return {**{name: value for name, value in answer.items() if name != "made"}, **told}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Where answers to one question are kept; ``keys`` by scheme label, ``_MODEL`` for the model's part, ``_STEPS``.

    ``alone``: each scheme is converted by itself, so that one may be asked for without the others.
    """

    store: Store
    base: Path
    schemes: tuple[Scheme, ...]
    keys: Mapping[str, str]
    alone: bool
    has_test: bool
    found: dict[str, Entry] = field(default_factory=dict)

    def missing(self) -> tuple[Scheme, ...] | None:
        """The schemes to ask for, empty where the model's part alone is not known; None where all is."""
        self.found.update({name: entry for name, key in self.keys.items() if (entry := self._get(key)) is not None})
        unknown = [name for name in self.keys if name not in self.found]
        if not unknown:
            return None
        if self.alone:
            return tuple(scheme for scheme in self.schemes if scheme.label in unknown)
        return () if unknown == [_MODEL] else self.schemes

    def put(self, asked: Sequence[Scheme], answer: Mapping[str, Any], folder: Path) -> None:
        """Keep an answer whose files are in ``folder``."""
        made = answer["made"]
        if any(diagnostic["code"] == _PASSING for diagnostic in made["diagnostics"]):
            return
        for index, scheme in enumerate(asked):
            stage = made["stages"][index] if self.alone else None
            content = (folder / f"{scheme.label}.tflite").read_bytes()
            self._put(scheme.label, Entry(plain={"stage": stage}, blobs={"tflite": content}), answer)
        if asked and not self.alone:
            self._put(_STEPS, Entry(plain={"made": made}), answer)
        names = [*answer["reference_files"], *([] if self.has_test else answer["input_files"])]
        plain = {**answer, "made": None, "input_files": [] if self.has_test else answer["input_files"]}
        self._put(_MODEL, Entry(plain=plain, blobs={name: (folder / name).read_bytes() for name in names}), answer)

    def restore(
        self, folder: Path, asked: Sequence[Scheme], fresh: Mapping[str, Any] | None, name: str, progress: Progress
    ) -> dict[str, Any]:
        """The whole answer, its files in ``folder``: what was kept, and ``fresh`` for the schemes ``asked``.

        The stages that did not run are told; ``name`` is the model's.
        """
        kept = [scheme for scheme in self.schemes if scheme not in asked]
        for scheme in kept:
            (folder / f"{scheme.label}.tflite").write_bytes(self.found[scheme.label].blobs["tflite"])
        if fresh is None:
            for file, content in self.found[_MODEL].blobs.items():
                (folder / file).write_bytes(content)
        model = self.found[_MODEL].plain if fresh is None else fresh
        answer = whole({**model, "made": self._made(kept, fresh)})
        ran = [] if fresh is None else [*fresh["stages"], *fresh["made"]["stages"]]
        for stage in answer["stages"]:
            if stage not in ran:
                progress.begin(stage["name"].capitalize(), name if stage["name"] == "load" else stage["detail"])
                progress.end(f"{stage['line']}, cached".lstrip(", "))
        return answer

    def _made(self, kept: Sequence[Scheme], fresh: Mapping[str, Any] | None) -> dict[str, Any]:
        if not self.alone:
            made: dict[str, Any] = self.found[_STEPS].plain["made"] if kept or fresh is None else fresh["made"]
            return made
        new = iter(fresh["made"]["stages"] if fresh is not None else ())
        stages = [self.found[s.label].plain["stage"] if s in kept else next(new) for s in self.schemes]
        return {"stages": stages, "diagnostics": [], "records": {}}

    def _get(self, key: str) -> Entry | None:
        entry = self.store.get(key)
        if entry is None or any(of_file(self.base / name) != old for name, old in entry.plain["imported"].items()):
            return None
        return entry

    def _put(self, name: str, entry: Entry, answer: Mapping[str, Any]) -> None:
        imported = {os.path.relpath(path, self.base): content for path, content in answer["imported"].items()}
        self.store.put(self.keys[name], dataclasses.replace(entry, plain={**entry.plain, "imported": imported}))


def answers(
    store: Store | None,
    source: ModelSource,
    schemes: Sequence[Scheme],
    dataset: DataSet | None,
    arguments: Mapping[str, Any],
) -> Answers | None:
    """Where answers to these ``arguments`` of ``keras_process.lower`` are kept; None where they cannot be.

    What a function of the user's makes may come from anything: it is made anew each time, and that is told (EC820).
    """
    if store is None:
        return None
    base = Path(arguments["base"])
    recipe = {name: value for name, value in (arguments["recipe"] or {}).items() if name != "cache"}
    models = [source, *_teachers(recipe, base)]
    functions = [model.name for model in models if model.kind == "python"]
    functions += [name for name in (recipe.get("metric"),) if name and ":" in name]
    if functions:
        store.tell(_made_anew(functions[0]))
        return None
    custom = arguments["custom"]
    shared = [
        identity(),
        store.setting,
        [(model.kind, model.name, model.sha256) for model in models],
        (custom, of_file(base / custom) if custom else None),
        [arguments[name] for name in ("trust", "shapes", "random_calibration", "seed", "threads")],
        recipe,
        # Recurrent layers are unrolled where any scheme is calibrated: the others must see the same model.
        bool(recipe) or any(scheme.numerics in NEEDS_CALIBRATION for scheme in schemes),
        cards() if recipe.get("device") == "auto" else (),
    ]
    prefix = fingerprint(*shared)
    every = (arguments["reference_samples"], dataset.labels if dataset else (), _samples(dataset, PARTS))
    keys = {_MODEL: fingerprint("model", prefix, *every)}
    if recipe:
        trained = fingerprint("made", prefix, [scheme.label for scheme in schemes], _samples(dataset, _TRAINED))
        keys.update({name: fingerprint(trained, name) for name in (_STEPS, *(scheme.label for scheme in schemes))})
    else:
        keys.update({one.label: fingerprint("made", prefix, one.label, _calibrated(dataset, one)) for one in schemes})
    return Answers(
        store=store,
        base=base,
        schemes=tuple(schemes),
        keys=keys,
        alone=not recipe,
        has_test=dataset is not None and dataset.test is not None,
    )


def _samples(dataset: DataSet | None, parts: Sequence[str]) -> tuple[object, ...]:
    if dataset is None:
        return ()
    held = [(name, part) for name, part in dataset.parts() if name in parts]
    return dataset.source, dataset.kind, dataset.names, dataset.output_names, held


def _calibrated(dataset: DataSet | None, scheme: Scheme) -> tuple[object, ...]:
    return _samples(dataset, ("calibration",)) if scheme.numerics in NEEDS_CALIBRATION else ()


def _teachers(recipe: Mapping[str, Any], base: Path) -> list[ModelSource]:
    """The models that steps learn from, but those that cannot be opened: their step will tell."""
    found = []
    for step in recipe.get("steps", ()):
        with suppress(EdgecompileError):
            found += [open_model(name, base) for name in (step["options"].get("teacher"),) if name]
    return found


def _made_anew(name: str) -> Diagnostic:
    return Diagnostic(
        code="EC820",
        severity=Severity.NOTE,
        message=f"`{name}` is a function, and so what it leads to is not kept in the cache",
        notes=("a function may read files and draw numbers that cannot be seen from outside",),
        help=("save the model as a .keras file to build faster next time",),
    )
