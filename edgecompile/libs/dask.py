"""The door to Dask: a cluster that runs functions, asked first whether it is there and is of our version."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import warnings
from dataclasses import dataclass
from typing import Any

from edgecompile import __version__
from edgecompile.core.errors import EdgecompileError, bad_input, missing

_PATIENCE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Link:
    """A client of a cluster. ``executor`` is its ``concurrent.futures`` interface, ``workers`` how many it has."""

    client: Any
    executor: Any
    workers: int

    def close(self) -> None:
        """Cancel what was submitted and leave."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.executor.shutdown(wait=False)
            self.client.close(timeout=2)


def connect(address: str, patience_s: float = _PATIENCE_S) -> Link:
    """Raises MissingError EC866 without the library; BadInputError EC857 where no scheduler answers or it has no
    workers, EC858 for versions that differ."""
    if importlib.util.find_spec("distributed") is None:
        raise missing(
            "EC866",
            "`--scheduler` needs Dask's distributed, and it is not installed",
            help=("pip install 'edgecompile[dask]'", "or leave `--scheduler` out: trials then run on this machine"),
        )
    distributed: Any = importlib.import_module("distributed")
    for name in ("distributed", "distributed.comm", "distributed.client", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        _parse(address)  # a client of no address at all hangs for 20 s when it is thrown away, and writes a trace
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = distributed.Client(address, timeout=patience_s, set_as_default=False)
    except Exception as error:  # whatever the network, the address or the protocol makes of it
        raise _silent(address, patience_s, error) from None
    try:
        _same_versions(client, address)
    except BaseException:
        client.close(timeout=2)
        raise
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    return Link(client=client, executor=client.get_executor(pure=False, retries=2), workers=workers)


def _parse(address: str) -> None:
    """Raises ValueError for what is no `protocol://host:port`, where the protocol may be left out."""
    addressing: Any = importlib.import_module("distributed.comm.addressing")
    registry: Any = importlib.import_module("distributed.comm.registry")
    scheme, place = addressing.parse_address(address)
    registry.get_backend(scheme)
    addressing.parse_host_port(place)


def version_here() -> str:
    """The version of this package where it is called: on a worker."""
    return __version__


def _same_versions(client: Any, address: str) -> None:
    try:
        found = client.run(version_here, on_error="return")
    except Exception as error:
        raise _other(address, {"scheduler": f"{type(error).__name__}: {error}"}) from None
    if not found:
        raise bad_input(
            "EC857",
            "the scheduler has no workers",
            address,
            notes=("limit: at least 1 worker; found: 0",),
            help=("start some with `dask worker ADDRESS`, where edgecompile is installed",),
        )
    own = {name: value for name, value in found.items() if value != __version__}
    libraries = _libraries(client)
    if own or libraries:
        raise _other(address, {**own, **libraries})


def _libraries(client: Any) -> dict[str, str]:
    """Dask's own versions that differ from ours, by where they are."""
    versions = client.get_versions()
    ours = versions["client"]["packages"]
    sides = {"scheduler": versions["scheduler"], **versions["workers"]}
    found = {}
    for side, one in sides.items():
        theirs = (one or {}).get("packages", {})
        differing = [
            f"{name} {theirs.get(name)} (here {ours.get(name)})"
            for name in ("dask", "distributed")
            if theirs.get(name) != ours.get(name)
        ]
        if differing:
            found[str(side)] = ", ".join(differing)
    return found


def _silent(address: str, patience_s: float, error: Exception) -> EdgecompileError:
    return bad_input(
        "EC857",
        "the scheduler does not answer",
        address,
        notes=(f"limit: {patience_s:g} s; found: {type(error).__name__}: {str(error)[:200]}",),
        help=(
            "start it with `dask scheduler`, and give the address that it prints, as in `tcp://10.0.0.5:8786`",
            "leave `--scheduler` out: trials then run on this machine",
        ),
    )


def _other(address: str, found: dict[str, str]) -> EdgecompileError:
    return bad_input(
        "EC858",
        "the cluster runs another version",
        address,
        notes=(
            f"here: edgecompile {__version__}",
            *(f"{side}: {str(version)[:200]}" for side, version in list(found.items())[:5]),
        ),
        help=("install the same versions of edgecompile, dask and distributed everywhere",),
    )
