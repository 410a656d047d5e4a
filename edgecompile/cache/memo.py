"""Work that is done once for the same inputs: looked up in the store, else done and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edgecompile.cache.codec import decode, encode
from edgecompile.cache.fingerprint import fingerprint
from edgecompile.cache.identity import identity
from edgecompile.cache.store import Store
from edgecompile.core.diagnostic import Diagnostic, Location, Severity

T = TypeVar("T")
_USUAL = (Diagnostic, Location, Severity)


@dataclass(kw_only=True)
class Memo:
    """``store`` None: everything is done each time. ``found`` and ``done`` count what was there and what was not."""

    store: Store | None = None
    found: int = 0
    done: int = 0

    def of(
        self,
        name: str,
        inputs: Sequence[object],
        kinds: Sequence[type],
        work: Callable[[], T],
        keep: Callable[[T], bool] = lambda value: True,
    ) -> T:
        """What ``work`` gives. ``inputs`` are all that decides it besides the tool, its libraries and the processor.

        ``kinds``: dataclasses in the result, besides those of diagnostics. ``keep``: whether a result may be kept. What
        ``work`` raises is raised each time.
        """
        if self.store is None:
            self.done += 1
            return work()
        key = fingerprint(name, identity(), self.store.setting, list(inputs))
        entry = self.store.get(key)
        if entry is not None:
            self.found += 1
            found: T = decode(entry, (*_USUAL, *kinds))
            return found
        self.done += 1
        value = work()
        if keep(value):
            self.store.put(key, encode(value))
        return value
