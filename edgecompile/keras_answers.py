"""What the Keras process answered before: the model's part once, and each scheme's flatbuffer by itself.

Kept are its JSON answer and the files that it wrote. The key holds the bytes of the model and of the user's modules,
the samples as they were opened, the schemes, steps and seed; modules that the user's code imported are known only
afterwards, so an entry names them with their hashes, which are compared when it is read.
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
from edgecompile.frontend.source import ModelSource, open_model

# Said of what happened to be on the disk, so no part of an answer.
_PASSING = "EC317"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Where answers to one question are kept; ``keys`` by scheme label, and "" for the model's part.

    ``alone``: each scheme is converted by itself, so that one may be asked for without the others.
    """

    store: Store
    base: Path
    schemes: tuple[Scheme, ...]
    keys: Mapping[str, str]
    alone: bool
    has_test: bool
    found: dict[str, Entry] = field(default_factory=dict)

    def missing(self) -> tuple[Scheme, ...]:
        """The schemes to ask for; none where all is known."""
        self.found.update({name: entry for name, key in self.keys.items() if (entry := self._get(key)) is not None})
        if len(self.found) == len(self.keys):
            return ()
        unknown = tuple(scheme for scheme in self.schemes if scheme.label not in self.found)
        # Recurrent layers are unrolled where any scheme is calibrated: the others must see the same model.
        same = _calibrated(unknown) == _calibrated(self.schemes)
        return unknown if self.alone and same and unknown else self.schemes

    def put(self, asked: Sequence[Scheme], answer: Mapping[str, Any], folder: Path) -> None:
        """Keep an answer whose files are in ``folder``."""
        if any(diagnostic["code"] == _PASSING for diagnostic in answer["diagnostics"]):
            return
        converted = [stage for stage in answer["stages"] if self._is_conversion(stage)]
        for index, scheme in enumerate(asked):
            stage = converted[index] if self.alone else None
            content = (folder / f"{scheme.label}.tflite").read_bytes()
            self._put(scheme.label, Entry(plain={"stage": stage}, blobs={"tflite": content}), answer)
        names = [*answer["reference_files"], *([] if self.has_test else answer["input_files"])]
        rest = [stage for stage in answer["stages"] if not self._is_conversion(stage)]
        plain = {**answer, "stages": rest, "input_files": [] if self.has_test else answer["input_files"]}
        self._put("", Entry(plain=plain, blobs={name: (folder / name).read_bytes() for name in names}), answer)

    def restore(self, folder: Path, asked: Sequence[Scheme], fresh: Mapping[str, Any] | None) -> dict[str, Any]:
        """The whole answer, its files in ``folder``: what was kept, and ``fresh`` for the schemes ``asked``."""
        kept = [scheme for scheme in self.schemes if scheme not in asked]
        for scheme in kept:
            (folder / f"{scheme.label}.tflite").write_bytes(self.found[scheme.label].blobs["tflite"])
        if fresh is None:
            for name, content in self.found[""].blobs.items():
                (folder / name).write_bytes(content)
        answer = dict(self.found[""].plain if fresh is None else fresh)
        if self.alone:
            new = iter([stage for stage in answer["stages"] if self._is_conversion(stage)])
            stages = [self.found[s.label].plain["stage"] if s in kept else next(new) for s in self.schemes]
            load, *rest = [stage for stage in answer["stages"] if not self._is_conversion(stage)]
            answer["stages"] = [load, *stages, *rest]
        return answer

    def tell(self, answer: Mapping[str, Any], name: str, progress: Progress) -> None:
        """Show the stages that did not run; ``name`` is the model's."""
        for stage in answer["stages"]:
            progress.begin(stage["name"].capitalize(), name if stage["name"] == "load" else "")
            progress.end(f"{stage['summary']}, cached".lstrip(", "))

    def _is_conversion(self, stage: Mapping[str, Any]) -> bool:
        return self.alone and stage["name"] == "convert"

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
        [arguments[name] for name in ("trust", "random_calibration", "reference_samples", "seed")],
        _samples(dataset),
        recipe,
        cards() if recipe.get("device") == "auto" else (),
        _calibrated(schemes) or bool(recipe),
    ]
    together = [scheme.label for scheme in schemes] if recipe else []
    prefix = fingerprint(*shared, together)
    return Answers(
        store=store,
        base=base,
        schemes=tuple(schemes),
        keys={name: fingerprint("keras", prefix, name) for name in ("", *(scheme.label for scheme in schemes))},
        alone=not recipe,
        has_test=dataset is not None and dataset.test is not None,
    )


def _samples(dataset: DataSet | None) -> tuple[object, ...]:
    if dataset is None:
        return ()
    return dataset.source, dataset.kind, dataset.labels, dataset.names, dataset.output_names, dataset.parts()


def _calibrated(schemes: Sequence[Scheme]) -> bool:
    return any(scheme.numerics in NEEDS_CALIBRATION for scheme in schemes)


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
