"""`edgecompile tune`: its front beside the shipped recipes and TF-MOT's, killed and restarted, on a cluster, by two.

scripts/bench tune [--model NAME] [--part PART] [--trials N] [--epochs N] [--samples N] [--tfmot FILE] [--work DIR]

front     a search, then each shipped recipe built by `build`: each of their points must have one on the front that is
          no worse in every objective and better in one, on the test part. With --tfmot, the JSON that
          `scripts/bench compress --json` wrote or the folder of its rows, TF-MOT's points as well, by stored bytes of
          weights.
restart   the same search twice, one killed (SIGKILL) within a trial and started again: the fronts must be equal.
dask      a local Dask cluster of two workers, one killed within the search: no finished trial may be lost.
workers   the same trials by one worker and by two: trials an hour; two must do at least 1.6 times those of one.

Parts other than `front` train nothing and take --quick trials each. Every run has a cache of its own, but `front`,
which is resumable. --samples bounds the training part, to measure where there is little time: what is left out is told.
The model `toy` is trained on the spot, on seeded noise, and needs no shared data.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from _artifact import weights
from _shared import data_folder, loaders, table

TARGET = "cortex-m4"
MODELS = {"kws": "models/kws_dscnn.h5", "resnet8": "models/mlperf_ic_resnet8.h5", "toy": "toy.h5"}
PARTS = ("front", "restart", "dask", "workers")
SHIPPED = ("int8", "int16x8", "shared-weights", "sparse", "small", "tiny", "low-rank", "distilled")
_SPEEDUP = 1.6


def main() -> int:
    """Run the parts asked for; exit 1 when one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=sorted(MODELS), default="kws")
    parser.add_argument("--part", action="append", choices=PARTS, default=[])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--quick", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tfmot", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/bench-tune"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    bench = Bench(arguments)
    found: dict[str, Any] = {}
    for part in arguments.part or PARTS:
        found[part] = row = getattr(bench, part)()
        print(f"{part}: {'holds' if row['holds'] else 'DOES NOT HOLD'}: {row['told']}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if all(row["holds"] for row in found.values()) else 1


class Bench:
    """One model's parts; all that is written lies in ``folder``."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.folder = arguments.work.absolute() / arguments.model
        self.folder.mkdir(parents=True, exist_ok=True)
        toy = arguments.model == "toy"
        self.model = (self.folder if toy else data_folder()) / MODELS[arguments.model]
        self.data = self.folder / f"data-{arguments.samples or 'all'}.npz"
        if toy and not self.data.exists():
            _toy(self.model, self.data)
        if not self.data.exists():
            _data(arguments.model, arguments.samples, self.data)

    def front(self) -> dict[str, Any]:
        """The search beside the shipped recipes, and TF-MOT's where they are given."""
        cache = self.folder / "cache"
        words = ["--trials", self.arguments.trials, "--epochs", self.arguments.epochs, "--objective", "flash"]
        words += ["--objective", "weights", "--workers", self.arguments.workers]
        front = self._tune("front", words, cache)
        ours = [{**_point(one), "stored": self._stored("front", one["trial"])} for one in front["points"]]
        theirs = {name: self._shipped(name, cache) for name in SHIPPED}
        rows: list[tuple[str, ...]] = [("point", "top-1", "flash", "weights", "dominated by trial")]
        rows += [(f"trial {one['trial']}", f"{one['top1']:.4f}", str(one["flash"]),
                  f"{one['weights']} ({one['stored']})", one["title"]) for one in ours]  # fmt: skip
        beaten = {name: _dominating(ours, one, ("flash", "weights")) for name, one in theirs.items() if one is not None}
        rows += [(name, f"{one['top1']:.4f}", str(one["flash"]), str(one["weights"]), beaten[name] or "none")
                 for name, one in theirs.items() if one is not None]  # fmt: skip
        for name, one in self._tfmot().items():
            beaten[name] = _dominating(ours, one, ("stored",))
            rows.append((name, f"{one['top1']:.4f}", "-", f"{one['stored']} (*)", beaten[name] or "none"))
        print(table(rows))
        print("(*) and in brackets: weights alone, as `scripts/bench compress` counts them; else with biases")
        left = [name for name, by in beaten.items() if by is None]
        missing = [name for name, one in theirs.items() if one is None]
        told = f"{len(beaten) - len(left)} of {len(beaten)} points are dominated, of {front['trials']['built']} trials"
        told += f"; {self.arguments.samples} training samples only" if self.arguments.samples else ""
        told += f"; not: {', '.join(left)}" if left else ""
        told += f"; could not be built: {', '.join(missing)}" if missing else ""
        return {"holds": not left, "told": told, "front": front}

    def restart(self) -> dict[str, Any]:
        """Killed within a trial and started again, against not killed."""
        words = ["--trials", self.arguments.quick, "--epochs", 0]
        whole = self._tune("restart-whole", words, self._fresh("restart-whole"))
        cache = self._fresh("restart-killed")
        with self._running("restart-killed", words, cache) as process:
            self._await("restart-killed", process, lambda states: states.count("COMPLETE") >= 2 and "RUNNING" in states)
            time.sleep(2)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        left = self._states("restart-killed")
        again = self._tune("restart-killed", words, cache)
        same = _without_times(again) == _without_times(whole)
        done = left.count("COMPLETE")
        told = f"killed with {done} of {self.arguments.quick} trials done and {left.count('RUNNING')} running; "
        return {"holds": same, "told": told + f"the fronts are {'equal' if same else 'not equal'}"}

    def dask(self) -> dict[str, Any]:
        """Two workers, one of which is killed."""
        from distributed import LocalCluster

        words = ["--trials", self.arguments.quick, "--epochs", 0, "--workers", 2]
        cache = self._fresh("dask")
        with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            words += ["--scheduler", cluster.scheduler_address]
            with self._running("dask", words, cache) as process:
                self._await("dask", process, lambda states: "COMPLETE" in states and "RUNNING" in states)
                before = self._finished("dask")
                os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
                self._await("dask", process, lambda states: states.count("COMPLETE") >= self.arguments.quick)
        after = self._finished("dask")
        lost = [number for number, row in before.items() if after.get(number) != row]
        built = sum(state == "COMPLETE" for state in self._states("dask"))
        holds = not lost and built == self.arguments.quick
        told = f"{len(before)} trials were done when a worker was killed, {len(lost)} of them lost; {built} in the end"
        return {"holds": holds, "told": told}

    def workers(self) -> dict[str, Any]:
        """Trials an hour by one and by two."""
        rates = {}
        for count in (1, 2):
            name = f"workers-{count}"
            cache = self._fresh(name)
            started = time.monotonic()
            with self._running(name, ["--trials", self.arguments.quick, "--epochs", 0, "--workers", count],
                               cache) as process:  # fmt: skip
                self._await(name, process, lambda states: states.count("COMPLETE") >= self.arguments.quick)
                rates[count] = 3600 * self.arguments.quick / (time.monotonic() - started)
                os.killpg(process.pid, signal.SIGKILL)
        ratio = rates[2] / rates[1]
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        told = f"{rates[1]:.1f} trials an hour by one, {rates[2]:.1f} by two: {ratio:.2f} times (load now {load}, "
        return {"holds": ratio >= _SPEEDUP, "told": told + f"{len(os.sched_getaffinity(0))} processors)"}

    def _command(self, name: str, words: list[Any]) -> list[str]:
        fixed = [self.model, "-t", TARGET, "--data", self.data, "--metric", "top1", "--study", self.folder / name]
        fixed += ["-o", self.folder / f"{name}-out", "--json"]
        return [sys.executable, "-m", "edgecompile.cli", "tune", *map(str, [*fixed, *words])]

    def _tune(self, name: str, words: list[Any], cache: Path) -> dict[str, Any]:
        """Through the command line, to its end; ``front.json``."""
        done = subprocess.run(
            self._command(name, words), env=_environment(cache), stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode not in (0, 1):
            sys.exit(f"tune ended with {done.returncode}: {done.stdout[-2000:]}")
        return dict(json.loads(done.stdout))

    @contextmanager
    def _running(self, name: str, words: list[Any], cache: Path) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            self._command(name, words), env=_environment(cache), stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _await(self, name: str, process: subprocess.Popen[bytes], ready: Callable[[list[str]], bool]) -> None:
        while not ready(self._states(name)):
            if process.poll() is not None:
                return
            time.sleep(0.3)

    def _states(self, name: str) -> list[str]:
        return [row["state"] for row in self._rows(name).values()]

    def _finished(self, name: str) -> dict[int, dict[str, Any]]:
        return {number: row for number, row in self._rows(name).items() if row["state"] == "COMPLETE"}

    def _rows(self, name: str) -> dict[int, dict[str, Any]]:
        """State and figures of each trial, read from the journal by its lines."""
        journal = self.folder / name / "journal.log"
        states = {0: "RUNNING", 1: "COMPLETE", 2: "PRUNED", 3: "FAIL"}
        rows: dict[int, dict[str, Any]] = {}
        for line in journal.read_text().splitlines() if journal.exists() else ():
            plain = json.loads(line)
            if plain["op_code"] == 4:  # a trial begins
                rows[len(rows)] = {"state": states[plain["state"]]}
            elif plain["op_code"] == 6:  # it ends
                rows[plain["trial_id"]]["state"] = states[plain["state"]]
            elif plain["op_code"] == 8:  # a fact is added
                rows[plain["trial_id"]] |= {key: value for key, value in plain["user_attr"].items() if key == "figures"}
        return rows

    def _stored(self, name: str, number: int) -> int:
        """Bytes of the weights alone, as `scripts/bench compress` counts them for everybody's artifacts."""
        (file,) = (self.folder / name / "final" / f"{number:04d}" / TARGET).glob("*.tflite")
        return int(weights(file.read_bytes())["stored_bytes"])

    def _fresh(self, name: str) -> Path:
        for folder in (name, f"{name}-out", f"{name}-cache"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        return self.folder / f"{name}-cache"

    def _shipped(self, name: str, cache: Path) -> dict[str, Any] | None:
        """A shipped recipe through `build`, scored on the test part; done once."""
        place = self.folder / f"shipped-{name}.json"
        if not place.exists():
            out = self.folder / "shipped" / name
            words = [self.model, "-t", TARGET, "--data", self.data, "--metric", "top1", "--recipe", name, "-o", out]
            done = subprocess.run([sys.executable, "-m", "edgecompile.cli", "build", *map(str, words), "--json"],
                                  env=_environment(cache), stdout=subprocess.PIPE, text=True)  # fmt: skip
            report = json.loads(done.stdout)
            if report["status"] not in ("built", "verified"):
                print(f"{name}: {report['status']}: {report['diagnostics'][:1]}", file=sys.stderr)
                return None
            values = {one["name"]: one["value"] for one in report["measures"]}
            row = {"top1": values["metric"], "flash": values["flash_bytes"], "weights": values["weights_bytes"]}
            place.write_text(json.dumps(row))
        return dict(json.loads(place.read_text()))

    def _tfmot(self) -> dict[str, dict[str, Any]]:
        place = self.arguments.tfmot
        if place is None:
            return {}
        if place.is_dir():
            rows = {f"tfmot {one.stem.removeprefix('tfmot_')}": json.loads(one.read_text())
                    for one in sorted(place.glob("tfmot_*.json"))}  # fmt: skip
        else:
            rows = json.loads(place.read_text())[self.arguments.model]
        return {
            name: {"top1": row["top1"], "stored": row["stored_bytes"]}
            for name, row in rows.items()
            if name.startswith("tfmot ") and "failed" not in row
        }


def _point(one: dict[str, Any]) -> dict[str, Any]:
    values = one["test"]["values"]
    return {"trial": one["trial"], "title": one["title"], "top1": values["accuracy"], "flash": values["flash"],
            "weights": values["weights"]}  # fmt: skip


def _dominating(ours: list[dict[str, Any]], other: dict[str, Any], sizes: tuple[str, ...]) -> str | None:
    """The first of ours that is no worse in everything and better in something."""
    for one in ours:
        pairs = [(-one["top1"], -other["top1"]), *((one[size], other[size]) for size in sizes)]
        if all(a <= b for a, b in pairs) and any(a < b for a, b in pairs):
            return f"trial {one['trial']}"
    return None


def _without_times(front: dict[str, Any]) -> Any:
    return {name: value for name, value in front.items() if name != "files"}


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "EDGECOMPILE_CACHE": str(cache)}


def _data(name: str, samples: int | None, path: Path) -> None:
    """The .npz that a user would have, the training part cut to ``samples``, evenly spaced."""
    folder = data_folder()
    (x, y), (x_test, y_test) = loaders(folder).speech_commands() if name == "kws" else loaders(folder).cifar10()
    if samples is not None and samples < len(x):
        kept = np.linspace(0, len(x) - 1, samples).astype(int)
        x, y = x[kept], y[kept]
    np.savez(path, x_train=x.astype(np.float32), y_train=y, x_test=x_test.astype(np.float32), y_test=y_test)


def _toy(model: Path, path: Path) -> None:
    """Four patterns under noise, and a small convolutional network that knows most of them."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    from edgecompile.libs.keras import tf_keras

    keras, draw = tf_keras(), np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    layers = keras.layers
    net = keras.Sequential([
        layers.Input((8, 8, 2)), layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(10, "softmax"),
    ])  # fmt: skip
    patterns = draw.normal(size=(10, 8, 8, 2))
    y = draw.integers(0, 10, 3500)
    x = (patterns[y] + 3.2 * draw.normal(size=(len(y), 8, 8, 2))).astype(np.float32)
    net.compile("adam", "sparse_categorical_crossentropy")
    net.fit(x[:2000], y[:2000], epochs=3, verbose=0)
    net.save(model)
    np.savez(path, x_train=x[:2500], y_train=y[:2500], x_test=x[2500:], y_test=y[2500:])


if __name__ == "__main__":
    sys.exit(main())
