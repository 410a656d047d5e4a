"""What is wrong with putting this model into an app, before anything is written."""

from __future__ import annotations

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.emit.android import module, play
from edgecompile.emit.android.names import check_package
from edgecompile.emit.emission import Emission

_NO_PACKAGE = "org.example.model"


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """Warnings. Raises EC692 for a module that takes no assets, EC694 for a model too large for the store."""
    android = emission.android
    into = module.read_module(android.module) if android.module else None
    size, name = play.download_bytes(emission.content), f"{emission.name}.tflite"
    pack = into is not None and into.asset_pack
    return tuple(play.hold(size, name, asset_pack=pack, limit_bytes=android.download_limit_bytes))


def package_of(emission: Emission) -> str:
    """The Java package of wrappers: as asked, else the module's namespace, else an example's. Raises EC691."""
    android = emission.android
    if android.package:
        return check_package(android.package)
    return (module.read_module(android.module).namespace if android.module else "") or _NO_PACKAGE
