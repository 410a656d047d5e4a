"""The Kotlin script run by a real Gradle: compiled against Gradle's own Kotlin DSL, and made an object of the build.

Debian's Gradle runs no `.kts` by itself: its Kotlin DSL (libgradle-kotlin-dsl-java) does not go with the Kotlin
compiler that Debian has. What a `.kts` holds is the body of a class that extends KotlinBuildScript, so it is compiled
as one, with the imports that Gradle gives scripts, and the build script of the module makes such an object.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

GRADLE = Path("/usr/share/gradle/lib")
DSL = GRADLE / "gradle-kotlin-dsl.jar"
_GROOVY = Path("/usr/share/java/groovy-all.jar")
_RECEIVER = Path("/usr/share/java/kotlin-sam-with-receiver-compiler-plugin.jar")
# A few of those that Gradle imports into every script: all that the script needs, and none that it would not have.
_IMPORTS = ("org.gradle.api.*", "org.gradle.api.tasks.*", "org.gradle.kotlin.dsl.*", "java.io.*")


def is_there() -> bool:
    """Whether Gradle's Kotlin DSL is installed."""
    return DSL.is_file() and _RECEIVER.is_file() and _GROOVY.is_file()


def compile_script(script: Path, to: Path) -> None:
    """A jar with the class ``KotlinScript``, whose constructor does what the script says to the project it is given."""
    source = to.with_suffix(".kt")
    head = "".join(f"import {name}\n" for name in _IMPORTS)
    source.write_text(
        f"{head}\nclass KotlinScript(project: Project) : KotlinBuildScript(project) {{\n"
        f"init {{\n{script.read_text()}\n}}\n}}\n"
    )
    places = [*sorted(GRADLE.glob("*.jar")), *sorted((GRADLE / "plugins").glob("*.jar")), _GROOVY]
    receiver = "plugin:org.jetbrains.kotlin.samWithReceiver:annotation=org.gradle.api.HasImplicitReceiver"
    command = ["kotlinc", str(source), "-d", str(to), "-cp", ":".join(map(str, places)), "-jvm-target", "1.8"]
    command += ["-no-stdlib", "-no-reflect", f"-Xplugin={_RECEIVER}", "-P", receiver]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def apply_line(jar: Path) -> tuple[str, str]:
    """How a Groovy build script takes it in: what stands at its top, and what stands where a script is applied."""
    places = ", ".join(f"'{place}'" for place in (jar, DSL, GRADLE / "kotlin-stdlib.jar"))
    return f"buildscript {{ dependencies {{ classpath files({places}) }} }}\n", "new KotlinScript(project)\n"
