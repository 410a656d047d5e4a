"""What is wrong with putting this model into an app, before anything is written."""

from __future__ import annotations

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError
from edgecompile.emit.android import module, play
from edgecompile.emit.android.names import check_package
from edgecompile.emit.emission import Emission

_NO_PACKAGE = "org.example.model"


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """Warnings. Raises EC692 for a module that takes no assets, EC694 for a model too large for the store."""
    android = emission.android
    into = module.read_module(android.module) if android.module else None
    return _weighed(emission, asset_pack=into is not None and into.asset_pack, must=True)


def review_asset(emission: Emission) -> tuple[Diagnostic, ...]:
    """Of the model alone, which some app will take in by a way that nobody told: the store's usual limit is a warning.

    Raises EC694 over a limit that the project states. The module that it names need not be there.
    """
    limit = emission.android.download_limit_bytes
    return _weighed(emission, asset_pack=_seems_pack(emission), must=limit is not None)


def _weighed(emission: Emission, *, asset_pack: bool, must: bool) -> tuple[Diagnostic, ...]:
    limit = emission.android.download_limit_bytes
    size = play.download_bytes(emission.content, limit)
    return tuple(
        play.hold(size, f"{emission.name}.tflite", asset_pack=asset_pack, limit_bytes=limit, must=must),
    )


def _seems_pack(emission: Emission) -> bool:
    try:
        return emission.android.module is not None and module.read_module(emission.android.module).asset_pack
    except BadInputError:
        return False


def package_of(emission: Emission) -> str:
    """The Java package of wrappers: as asked, else the module's namespace, else an example's. Raises EC691."""
    android = emission.android
    if android.package:
        return check_package(android.package)
    return (module.read_module(android.module).namespace if android.module else "") or _NO_PACKAGE
