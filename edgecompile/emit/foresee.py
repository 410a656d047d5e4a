"""What emitters refuse of the app that takes the model in, told before there is a model to put there."""

from __future__ import annotations

from edgecompile.core.project import Android
from edgecompile.core.target import Target
from edgecompile.emit.android import module
from edgecompile.emit.android.names import check_package
from edgecompile.emit.emit import known_of

# Emitters that write for a Gradle module.
_MODULAR = ("gradle", "java", "kotlin")


def foresee(target: Target, asked: tuple[str, ...], app: Android) -> None:
    """Nothing to say of an app that can take the model. ``asked`` are emitters beside the profile's own.

    Raises BadInputError EC621 for an emitter that does not exist, EC691 for a package that Java would not take, EC692
    for a Gradle module without a place for assets.
    """
    names = (*target.emit, *asked)
    known_of(names, target.id)
    if app.package:
        check_package(app.package)
    # Another machine may build the model alone: the app's module need not be there.
    if app.module and any(name in _MODULAR for name in names):
        module.read_module(app.module)
