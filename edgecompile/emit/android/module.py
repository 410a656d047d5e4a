"""The Gradle module that takes the model in, where the project names one: is there a place for assets in it?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.errors import bad_input

_SCRIPTS = ("build.gradle", "build.gradle.kts")
_ANDROID = re.compile(r"com\.android\.(application|library|dynamic-feature)")
_PACK = re.compile(r"com\.android\.asset-pack\b(?!-bundle)")
# Plugins named through a version catalogue: alias(libs.plugins.android.application).
_CATALOGUE = re.compile(r"libs\.plugins\.\w*android[\w.]*", re.IGNORECASE)
_NAMESPACE = re.compile(r"""^\s*namespace\s*=?\s*["']([\w.]+)["']""", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Module:
    """``asset_pack``: delivered by Play beside the app. ``namespace``: the Java package it declares, "" for none."""

    asset_pack: bool
    namespace: str = ""


def read_module(folder: Path) -> Module:
    """What the build script of a module says. Raises BadInputError EC692 for one without a place for assets."""
    scripts = [folder / name for name in _SCRIPTS if (folder / name).is_file()]
    if not scripts:
        raise bad_input(
            "EC692",
            f"`{folder.name}` is no Gradle module",
            str(folder),
            notes=(f"limit: a folder with {' or '.join(f'`{name}`' for name in _SCRIPTS)}", "found: neither"),
            help=("name the module that takes the model in, such as `app`, as `module` under [android]",),
        )
    text = scripts[0].read_text(encoding="utf-8", errors="replace")
    namespace = _NAMESPACE.search(text)
    pack = bool(_PACK.search(text))
    if not (pack or _ANDROID.search(text) or _CATALOGUE.search(text) or (folder / "src/main/assets").is_dir()):
        raise bad_input(
            "EC692",
            f"the Gradle module `{folder.name}` has no folder for assets",
            str(scripts[0]),
            notes=(
                "limit: a module that applies an Android plugin, or one with a folder src/main/assets",
                f"found: no such plugin in {scripts[0].name}, no such folder",
            ),
            help=(f"make it: mkdir -p {folder / 'src/main/assets'}", "or name another module under [android]"),
        )
    return Module(asset_pack=pack, namespace=namespace[1] if namespace else "")
