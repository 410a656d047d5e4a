"""The real delegates, where they cannot answer: a process that dies, a library that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from edgecompile.core.errors import EdgecompileError
from edgecompile.libs import child, delegates, litert


def test_a_death_of_the_interpreter_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    known = litert.RuntimeInfo(name="ai-edge-litert", version="2.3.0", available=True)
    call = child.call

    def die(function: str, arguments: Any, **options: Any) -> Any:
        return call("child_samples:leave", {"code": 7}, **options)

    monkeypatch.setattr(litert, "runtimes", lambda: (known,))
    monkeypatch.setattr(child, "call", die)

    with pytest.raises(EdgecompileError) as caught:
        delegates.ask("xnnpack", [b"TFL3"])

    assert caught.value.diagnostics[0].code == "EC756"


def test_without_any_interpreter_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litert, "runtimes", lambda: ())

    with pytest.raises(EdgecompileError) as caught:
        delegates.ask("xnnpack", [b"TFL3"])

    assert caught.value.diagnostics[0].code == "EC190"
    assert caught.value.exit_code == 3
