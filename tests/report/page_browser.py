"""A real browser looks at a page: Chromium without a window, told what to do over a pair of pipes."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--no-first-run",
)
_SCROLLING = """JSON.stringify([...document.querySelectorAll("body *:not(svg *)")]
  .filter(e => e.getClientRects().length)
  .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display != "inline"
               || e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.tagName.toLowerCase() + " " + e.textContent.trim().slice(0, 40)))"""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a page was like: what it complained of, what it asked for, how wide and high it came out, and a picture.

    ``scrolling``: elements whose content is wider than they are, or that reach beyond the window.
    """

    complaints: tuple[str, ...]
    requests: tuple[str, ...]
    width: int
    height: int
    background: str
    png: bytes
    scrolling: tuple[str, ...]


class Browser:
    """One Chromium; commands and events are JSON between zero bytes (the DevTools protocol)."""

    def __init__(self, out: int, back: int) -> None:
        self._out, self._back = os.fdopen(out, "wb"), os.fdopen(back, "rb")
        self._numbers, self._rest = itertools.count(1), b""
        self._events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """One command to its answer; events on the way are kept."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        self._out.write(json.dumps({"id": number, "method": method, "params": params, **session}).encode() + b"\0")
        self._out.flush()
        while True:
            message = self._message()
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._events.append(message)

    def look(self, page: Path, width: int, scheme: str = "light", media: str = "screen") -> Look:
        """The page in a window of that width, the whole of it in the picture."""
        self._events.clear()
        phone = width < 600
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=phone)
        self.do("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.do("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._message())
        size = json.loads(
            self._value("JSON.stringify([document.documentElement.scrollWidth, document.documentElement.scrollHeight])")
        )
        background = self._value("getComputedStyle(document.body).backgroundColor")
        clip = {"x": 0, "y": 0, "width": width, "height": size[1], "scale": 1}
        picture = self.do("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        return Look(
            complaints=tuple(self._complaints()),
            requests=tuple(e["params"]["request"]["url"] for e in self._of("Network.requestWillBeSent")),
            width=size[0],
            height=size[1],
            background=background,
            png=base64.b64decode(picture),
            scrolling=tuple(json.loads(self._value(_SCROLLING))),
        )

    def close(self) -> None:
        """End it."""
        self._session = None
        self.do("Browser.close")

    def _value(self, expression: str) -> Any:
        return self.do("Runtime.evaluate", expression=expression)["result"]["value"]

    def _of(self, method: str) -> Iterator[dict[str, Any]]:
        return (event for event in self._events if event.get("method") == method)

    def _complaints(self) -> Iterator[str]:
        yield from (event["params"]["entry"]["text"] for event in self._of("Log.entryAdded"))
        yield from (str(event["params"]["args"]) for event in self._of("Runtime.consoleAPICalled"))
        yield from (str(event["params"]["exceptionDetails"]) for event in self._of("Runtime.exceptionThrown"))

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._back.fileno(), 1 << 16)
            assert more, "the browser is gone"
            self._rest += more
        first, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


@contextmanager
def browser() -> Iterator[Browser]:
    """A running Chromium with an empty profile; it reads descriptor 3 and writes 4."""
    assert PROGRAM is not None
    (their_in, out), (back, their_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory() as profile:
        words = [PROGRAM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        # High descriptors first, so that none of the two is overwritten before it was copied.
        shell = f'exec "$@" 3<&{their_in} 4>&{their_out}'
        process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *words],
            pass_fds=(their_in, their_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        os.close(their_in)
        os.close(their_out)
        try:
            found = Browser(out, back)
            yield found
            found.close()
            process.wait(20)
        finally:
            process.kill()
            process.wait()
