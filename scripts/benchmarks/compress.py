"""Compression beside TF-MOT's own recipes: ResNet-8, KWS and MNIST, same data and epochs, the emitted int8 artifact.

scripts/bench compress [--model NAME] [--only ENTRY] [--epochs N] [--work DIR] [--json FILE]

Resumable: each entry is kept in --work, and done once. All start from the given model and have twice --epochs epochs:
half of fine-tuning in float, half of compression; ours with blocks of zeros spend them all on compression, most of
them with the zeros. TF-MOT gets the best of three learning rates by validation accuracy; ours are the defaults. Epochs
are chosen on held-out training samples, accuracy is on test samples. Bytes are the weights as the C library stores
them (the same account for both), beside entropy and gzip. Behind each point of TF-MOT stands the first of ours that is
no worse in accuracy and in bytes, and better in one. Exits with 1 when there is none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data_folder, edgecompile, loaders, table

MODELS = {
    "resnet8": "models/mlperf_ic_resnet8.h5",
    "kws": "models/kws_dscnn.h5",
    "mnist": "models/tinymaix_mnist_valid.h5",
}
HELD_OUT = {"resnet8": 2000, "kws": 1000, "mnist": 1000}
RATES = (1e-3, 3e-4, 1e-4)
# The Pareto front is drawn through these; the bars are on the first three.
BLOCKS = {"pattern": "block2x2"}
_TOO_SMALL = "EC331"  # the model has too few channels for half of them to go: an answer, no failure
Steps = list[tuple[str, float, dict[str, Any]]]  # pass, its epochs over --epochs, options


def _blocks(sparsity: float, *then: tuple[str, float, dict[str, Any]]) -> Steps:
    return [("prune", 1.75, {"sparsity": sparsity, **BLOCKS}), *then, ("quantize", 0.25, {})]


_FLOAT: Steps = [("finetune", 1, {})]
_SHARED = ("cluster", 0, {"k": 16})
OURS: dict[str, Steps] = {
    "int8": _FLOAT,
    "qat": [*_FLOAT, ("quantize", 1, {})],
    "cluster16": [*_FLOAT, ("cluster", 0.5, {"k": 16}), ("quantize", 0.5, {})],
    "blocks50-cluster16": _blocks(0.5, _SHARED),
    "blocks50": _blocks(0.5),
    "blocks30-cluster16": _blocks(0.3, _SHARED),
    "blocks70-cluster16": _blocks(0.7, _SHARED),
    "cluster4": [*_FLOAT, ("cluster", 0.75, {"k": 4}), ("quantize", 0.25, {})],
    "channels50": [*_FLOAT, ("prune_channels", 0.75, {"macs": 0.5}), ("quantize", 0.25, {})],
}
THEIRS = ("qat", "cluster16", "prune50", "prune50-cluster16", "pcqat")
ONE_SHOT: dict[str, list[dict[str, Any]]] = {
    "int8 as given": [],
    "one-shot int8": [{"pass": "batch_norm"}],
    "one-shot 15 codes": [{"pass": "batch_norm"}, {"pass": "cluster", "k": 15, "epochs": 0}],
    "one-shot 30 % zeros, 15 codes": [
        {"pass": "batch_norm"},
        {"pass": "prune", "sparsity": 0.3, "epochs": 0},
        {"pass": "cluster", "k": 15, "epochs": 0},
    ],
}


def main() -> int:
    """Run what is not done, print a table for each model, exit 1 when an entry failed or a point is not beaten."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", choices=sorted(MODELS), default=[])
    parser.add_argument("--only", action="append", default=[], help="an entry: `float`, `ours qat`, `tfmot pcqat`...")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--work", type=Path, default=Path("build/bench-compress"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    failed = 0
    found: dict[str, Any] = {}
    unbeaten: list[str] = []
    for name in arguments.model or MODELS:
        bench = Bench(name, arguments.work.absolute() / f"{name}-{arguments.epochs}", arguments.epochs)
        rows = bench.rows(arguments.only)
        found[name] = rows
        failed += sum("failed" in row and _TOO_SMALL not in row["failed"] for row in rows.values())
        print(f"\n{name}: {len(bench.data['x_test'])} test samples, {arguments.epochs} + {arguments.epochs} epochs")
        print(table(_shown(rows)))
        unbeaten += [f"{name} {entry}" for entry, by in _beaten(rows).items() if by is None]
    if unbeaten:
        print(f"\nnot beaten: {', '.join(unbeaten)}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if failed or unbeaten else 0


class Bench:
    """One model's entries; what is done lies in ``folder``."""

    def __init__(self, name: str, folder: Path, epochs: int) -> None:
        self.name, self.folder, self.epochs = name, folder, epochs
        self.shared = data_folder()
        self.model = self.shared / MODELS[name]
        folder.mkdir(parents=True, exist_ok=True)
        self.data = _data(name, self.shared)
        if not (folder / "split.npz").exists():
            np.savez(folder / "user.npz", **_as_user(self.data))
            np.savez(folder / "split.npz", **self.data)

    def rows(self, only: list[str]) -> dict[str, dict[str, Any]]:
        """Every entry's figures, in order, run where they are not there yet."""
        entries: dict[str, Any] = {"float": self._float}
        entries |= {name: lambda steps=steps: self._ours(steps) for name, steps in ONE_SHOT.items()}
        entries |= {f"ours {name}": lambda steps=steps: self._ours(self._steps(steps)) for name, steps in OURS.items()}
        entries |= {f"tfmot {name}": lambda name=name: self._theirs(name) for name in THEIRS}
        done = {}
        for name, work in entries.items():
            if only and name not in only:
                continue
            place = self.folder / f"{name.replace(' ', '_').replace('%', 'percent').replace(',', '')}.json"
            if not place.exists():
                started = time.monotonic()
                row = work()
                row["seconds"] = round(time.monotonic() - started)
                print(f"{self.name}: {name}: {json.dumps(row)}", file=sys.stderr, flush=True)
                if "failed" in row:
                    done[name] = row
                    continue
                place.write_text(json.dumps(row) + "\n")
            done[name] = json.loads(place.read_text())
        return done

    def _steps(self, steps: Steps) -> list[dict[str, Any]]:
        augment = ["flip"] if self.name == "resnet8" else []
        shared = {"augment": augment} if augment else {}
        return [{"pass": "batch_norm"}] + [
            {"pass": name, "epochs": round(share * self.epochs), **shared, **options} for name, share, options in steps
        ]

    def _float(self) -> dict[str, Any]:
        return self._built(self._steps(_FLOAT), "float32")

    def _ours(self, steps: list[dict[str, Any]]) -> dict[str, Any]:
        return self._built(steps, "int8")

    def _built(self, steps: list[dict[str, Any]], numerics: str) -> dict[str, Any]:
        """Through `edgecompile build`, as a user would."""
        lines = ", ".join("{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in step.items()) + " }" for step in steps)
        recipe = self.folder / "recipe.toml"
        recipe.write_text(f"schema = 1\nsteps = [{lines}]\n")
        share = HELD_OUT[self.name] / (HELD_OUT[self.name] + len(self.data["x_train"]))
        project = self.folder / "edgecompile.toml"
        project.write_text(
            f'[project]\nmodel = "{self.model}"\n[data]\nsource = "user.npz"\nvalidation = {share:.6f}\n'
            '[accuracy]\nmetric = "top1"\n'
        )
        target = "android-cpu" if numerics == "float32" else "android-nnapi"
        words = ["build", "--project", project, "-t", target, "--numerics", numerics, "--recipe", recipe]
        _, answer, errors = edgecompile(*words, "--verify-samples", "100", "-o", self.folder / "out", cwd=self.folder)
        reports = answer.get("reports") or [answer]
        if reports[0].get("status") not in ("built", "verified"):
            return {"failed": f"{reports[0].get('status')} {errors[-600:]}"}
        records = reports[0]["details"].get("compression records", {}).get("steps", [])
        content = next((self.folder / "out" / target).glob("*.tflite")).read_bytes()
        return {**self._scored(content), "steps": [[r["step"], r["score"], r["duration_s"]] for r in records]}

    def _theirs(self, recipe: str) -> dict[str, Any]:
        """The best of the learning rates by validation accuracy, from the model fine-tuned with the best of them."""
        start = self._best("finetune", self.model, "h5")
        if "failed" in start:
            return start
        best = self._best(recipe, Path(start["path"]), "tflite")
        if "failed" in best:
            return best
        return {**self._scored(Path(best["path"]).read_bytes()), "rate": best["rate"], "validation": best["validation"]}

    def _best(self, recipe: str, model: Path, suffix: str) -> dict[str, Any]:
        tried = []
        for rate in RATES:
            place = self.folder / f"tfmot-{recipe}-{rate:g}.json"
            if not place.exists():
                out = place.with_suffix(f".{suffix}")
                order = {
                    "model": str(model), "data": str(self.folder / "split.npz"), "recipe": recipe, "rate": rate,
                    "epochs": self.epochs, "flip": self.name == "resnet8", "out": str(out),
                }  # fmt: skip
                script = Path(__file__).parent / "_tfmot.py"
                done = subprocess.run(
                    [sys.executable, script, json.dumps(order)], capture_output=True, text=True, env=os.environ
                )
                if done.returncode:
                    return {"failed": done.stderr[-600:]}
                row = {**json.loads(done.stdout.splitlines()[-1]), "rate": rate, "path": str(out)}
                place.write_text(json.dumps(row))
            tried.append(json.loads(place.read_text()))
        return max(tried, key=lambda row: row["validation"])

    def _scored(self, content: bytes) -> dict[str, Any]:
        from _artifact import top1, weights

        return {"top1": round(top1(content, self.data["x_test"], self.data["y_test"]), 4), **weights(content)}


def _data(name: str, folder: Path) -> dict[str, Any]:
    """Samples as the model takes them, float32, and class indices."""
    if name == "resnet8":
        (x, y), (x_test, y_test) = loaders(folder).cifar10()
    elif name == "kws":
        (x, y), (x_test, y_test) = loaders(folder).speech_commands()
        # These come sorted by class: unshuffled, whole words would be held out, and missing from TF-MOT's training.
        drawn = np.random.default_rng(0).permutation(len(x))
        x, y = x[drawn], y[drawn]
    else:
        held = np.load(folder / "datasets" / "mnist.npz")
        x, x_test = (held[key][..., None] / np.float32(255) for key in ("x_train", "x_test"))
        y, y_test = held["y_train"], held["y_test"]
    x, x_test = x.astype(np.float32), x_test.astype(np.float32)
    held_out = HELD_OUT[name]
    return {
        "x_train": x[:-held_out], "y_train": y[:-held_out].astype(np.int64),
        "x_val": x[-held_out:], "y_val": y[-held_out:].astype(np.int64),
        "x_test": x_test, "y_test": y_test.astype(np.int64),
    }  # fmt: skip


def _as_user(data: dict[str, Any]) -> dict[str, Any]:
    """Train and held-out samples together, as a user has them: the tool splits them itself."""
    return {
        "x_train": np.concatenate([data["x_train"], data["x_val"]]),
        "y_train": np.concatenate([data["y_train"], data["y_val"]]),
        "x_test": data["x_test"],
        "y_test": data["y_test"],
    }


def _beaten(rows: dict[str, dict[str, Any]]) -> dict[str, str | None]:
    """For each of TF-MOT's points the first of ours that dominates it; nothing where ours were not run."""
    ours = {name: row for name, row in rows.items() if name.startswith(("ours", "one-shot")) and "failed" not in row}
    theirs = {name: row for name, row in rows.items() if name.startswith("tfmot") and "failed" not in row}
    if not ours:
        return {}
    return {name: next((mine for mine, one in ours.items() if _dominates(one, row)), None)
            for name, row in theirs.items()}  # fmt: skip


def _dominates(one: dict[str, Any], other: dict[str, Any]) -> bool:
    pairs = ((-one["top1"], -other["top1"]), (one["stored_bytes"], other["stored_bytes"]))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1][:80]


def _shown(rows: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    beaten = _beaten(rows)
    shown: list[tuple[str, ...]] = [
        ("entry", "top-1", "zeros", "values", "stored", "dense", "entropy", "gzip", "seconds", "beaten by")
    ]
    for name, row in rows.items():
        if "failed" in row:
            word = f"refused, {_TOO_SMALL}" if _TOO_SMALL in row["failed"] else "failed: " + _last_line(row["failed"])
            shown.append((name, word, *[""] * 8))
            continue
        keys = ("values", "stored_bytes", "dense_bytes", "entropy_bytes", "gzip_bytes", "seconds")
        figures = (str(row[key]) for key in keys)
        by = (beaten[name] or "none") if name in beaten else ""
        shown.append((name, f"{row['top1']:.4f}", f"{100 * row['zeros']:.0f} %", *figures, by))
    return shown


if __name__ == "__main__":
    sys.exit(main())
