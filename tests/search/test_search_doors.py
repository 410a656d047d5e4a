"""Optuna, Dask and processes behind their doors: what is missing, silent, of another version, or dies."""

from __future__ import annotations

import gc
import importlib.util
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from search_cases import asked

from edgecompile.cli.main import main
from edgecompile.core.errors import BadInputError, EdgecompileError, MissingError
from edgecompile.core.project import Project
from edgecompile.frontend.source import ModelSource
from edgecompile.libs import child, dask, optuna
from edgecompile.search.executors import Lanes, pins
from edgecompile.search.trial import ATTEMPTS, Order, Place, work

FOUND = ModelSource(kind="keras", path=None, entry=None, sha256="0", size_bytes=1, name="m.keras")


def order(place: Place) -> Order:
    """Of a model that is not there."""
    project = Project(model="none.keras", base=Path("/"), targets=("cortex-m4",), output=Path("/nowhere"))
    return Order(project=project, target=asked().target, place=place)


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name in names else found(name, *more))


def test_without_optuna_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "optuna")

    with pytest.raises(MissingError, match="EC850"):
        optuna.demand()


def test_without_dask_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "distributed")

    with pytest.raises(MissingError, match="EC866"):
        dask.connect("tcp://127.0.0.1:1")


def test_a_scheduler_that_does_not_answer_is_told() -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))  # a port that nobody listens at
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"

        with pytest.raises(BadInputError, match="EC857"):
            dask.connect(address, patience_s=1.0)


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "http://host:8786", "tcp://host", "host:port"])
def test_what_is_no_address_is_told_at_once_and_leaves_nothing_behind(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    begun = time.monotonic()

    with pytest.raises(BadInputError, match="EC857"):
        dask.connect(address)
    gc.collect()

    assert time.monotonic() - begun < 8
    assert "Traceback" not in capsys.readouterr().err


class Client:
    """A cluster that says of itself what it is given."""

    def __init__(self, ours: dict[str, str], dasks: str) -> None:
        self._ours, self._dasks = ours, dasks

    def run(self, function: Any, on_error: str) -> dict[str, str]:
        return self._ours

    def get_versions(self) -> dict[str, Any]:
        here, there = ({"packages": {"dask": version, "distributed": "1"}} for version in ("1", self._dasks))
        return {"client": here, "scheduler": there, "workers": {}}


@pytest.mark.parametrize(
    "client, code",
    [
        pytest.param(Client({}, "1"), "EC857", id="no-workers"),
        pytest.param(Client({"tcp://w": "0.0.0"}, "1"), "EC858", id="our-version"),
        pytest.param(Client({"tcp://w": dask.version_here()}, "2"), "EC858", id="dasks-version"),
        pytest.param(Client({"tcp://w": dask.version_here()}, "1"), None, id="the-same"),
    ],
)
def test_a_cluster_must_be_of_the_same_versions(client: Client, code: str | None) -> None:
    said: tuple[str, ...] = ()
    try:
        dask._same_versions(client, "tcp://s")
    except EdgecompileError as error:
        said = tuple(one.code for one in error.diagnostics)

    assert said == ((code,) if code else ())


def test_what_the_pipeline_refuses_is_an_answer() -> None:
    answer = work(order(Place(cache=None)))

    assert answer["exit_code"] == 2
    assert answer["diagnostics"][0]["code"].startswith("EC")


def test_a_process_that_dies_is_begun_again_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def dies(self: child.Session, function: str, arguments: Any, *, crash: child.Crash) -> Any:
        begun.append(function)
        from edgecompile.libs.child_death import error_of, of_returncode

        raise error_of(crash, of_returncode(-signal.SIGKILL), None, b"")

    monkeypatch.setattr(child.Session, "call", dies)

    answer = work(order(Place(cache=None)))

    assert len(begun) == ATTEMPTS
    assert answer["diagnostics"][0]["code"] == "EC863"


def test_a_lane_runs_its_order_in_a_process_with_pinned_threads() -> None:
    lanes = Lanes(1)
    place = Place(cache=None, environment=pins(1))

    heard = lanes.submit(lambda order, session: session._environment, order(place)).result(timeout=60)
    lanes.stop()

    assert heard["OMP_NUM_THREADS"] == heard["TF_NUM_INTRAOP_THREADS"] == "1"
    assert pins(0) == {}


def test_stopping_ends_the_processes_that_run() -> None:
    lanes = Lanes(1)

    def slow(order: Order, session: child.Session) -> str:
        try:
            session.call("time:sleep", {"seconds": 60})
        except EdgecompileError as error:
            return error.diagnostics[0].code
        return "slept"

    future = lanes.submit(slow, order(Place(cache=None)))
    while not lanes._sessions:
        pass
    lanes.stop()

    assert future.result(timeout=20) != "slept"


@pytest.mark.parametrize(
    "words, code",
    [
        pytest.param(["m.keras", "-t", "cortex-m4", "-t", "coral"], "EC854", id="two-targets"),
        pytest.param(["m.keras", "-t", "cortex-m4", "--time", "soon"], "EC862", id="no-duration"),
        pytest.param(["m.keras", "-t", "cortex-m4", "--time", "-2h"], "EC862", id="negative-time"),
        pytest.param(
            ["m.keras", "-t", "cortex-m4", "--objective", "speed", "--data", "d.npz"], "EC851", id="objective"
        ),
        pytest.param(
            ["m.keras", "-t", "cortex-m4", "--objective", "energy", "--data", "d.npz"], "EC867", id="no-power"
        ),
        pytest.param(
            ["m.keras", "-t", "cortex-m4", "--numerics", "float16", "--data", "d.npz"], "EC301", id="numerics"
        ),
        pytest.param(["m.keras", "-t", "cortex-m4"], "EC852", id="no-data"),
        pytest.param(["m.keras", "-t", "cortex-m4", "--flash", "0", "--data", "d.npz"], "EC856", id="no-flash"),
        pytest.param(["m.keras", "-t", "cortex-m4", "--max-accuracy-drop", "-1", "--data", "d"], "EC125", id="drop"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_the_first_trial(
    words: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "m.keras").write_bytes(b"PK")
    monkeypatch.setattr("edgecompile.cli.tune_run.open_model", lambda name, base: FOUND)

    exit_code = main(["tune", *words])

    # Numbers that the target does not run: the model is rejected, as by `build`.
    assert exit_code == (1 if code == "EC301" else 2)
    assert code in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
