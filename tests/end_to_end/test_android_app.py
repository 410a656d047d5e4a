"""A model on its way into an app: Gradle runs the generated script, and the package holds the model as it must."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import apk
import kotlin_dsl
import pytest
from pipeline_networks import classifier

from edgecompile.cli.main import main
from edgecompile.emit.android import play
from edgecompile.ir.writer import write

_PROGRAMS = {
    "aapt2": "aapt",
    "zipalign": "zipalign",
    "apksigner": "apksigner",
    "keytool": "openjdk-17-jdk-headless",
    "gradle": "gradle",
    "kotlinc": "kotlin",
    "cmake": "cmake",
    "make": "make",
}


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where a program is missing, naming the package that brings it."""
    missing = [program for program in programs if shutil.which(program) is None]
    packages = " ".join(dict.fromkeys(_PROGRAMS[program] for program in missing))
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} missing: apt-get install {packages}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of a .tflite for an app, and the app's module, which has a folder for assets and no Android plugin."""
    for name in ("ml", "app/src/main/assets", "bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "ml/small.tflite").write_bytes(write(classifier()))
    (tmp_path / "ml/edgecompile.toml").write_text(
        '[project]\nmodel = "small.tflite"\ntargets = ["android-nnapi"]\nemit = ["gradle", "java"]\n'
        '[android]\nmodule = "../app"\npackage = "org.example.small"\n'
    )
    (tmp_path / "app/build.gradle").write_text("apply plugin: 'base'\napply from: 'edgecompile.gradle'\n")
    (tmp_path / "settings.gradle").write_text("include ':app'\n")
    tool = tmp_path / "bin/edgecompile"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m edgecompile.cli "$@"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path / "ml")
    return tmp_path


def gradle(project: Path, *words: str) -> tuple[int, str]:
    """Exit code and output of Gradle in the project, with a home of its own."""
    done = subprocess.run(
        ["gradle", "--offline", "--console", "plain", "-Pedgecompile.project=ml", *words],
        cwd=project,
        capture_output=True,
        text=True,
        env={**os.environ, "GRADLE_USER_HOME": str(project / "home")},
    )
    return done.returncode, done.stdout + done.stderr


def apply_script(project: Path, language: str, plugin: str) -> None:
    """Let the module apply the script that was built, behind the plugin; ``language`` is "groovy" or "kotlin"."""
    built = project / "ml/build/android-nnapi"
    if language == "groovy":
        shutil.copy(built / "edgecompile.gradle", project / "app")
        top, applied = "", "apply from: 'edgecompile.gradle'\n"
    else:
        kotlin_dsl.compile_script(built / "edgecompile.gradle.kts", project / "script.jar")
        top, applied = kotlin_dsl.apply_line(project / "script.jar")
    (project / "app/build.gradle").write_text(f"{top}apply plugin: '{plugin}'\n{applied}")


LANGUAGES = pytest.mark.parametrize(
    "language",
    [
        "groovy",
        pytest.param(
            "kotlin",
            marks=[
                needs("kotlinc"),
                pytest.mark.skipif(not kotlin_dsl.is_there(), reason="apt-get install libgradle-kotlin-dsl-java"),
            ],
        ),
    ],
)


@pytest.mark.slow
@needs("gradle")
@LANGUAGES
def test_gradle_runs_the_script_once_and_again_when_the_model_changed(project: Path, language: str) -> None:
    assert main(["build", "-q"]) == 0
    apply_script(project, language, "base")
    task, asset = ":app:edgecompileSmall", project / "app/src/main/assets/small.tflite"
    try:
        first = gradle(project, ":app:assemble", "--build-cache")
        built = asset.read_bytes()
        second = gradle(project, ":app:assemble", "--build-cache")
        shutil.rmtree(project / "app/build")
        cached = gradle(project, ":app:assemble", "--build-cache")
        (project / "ml/small.tflite").write_bytes(write(classifier(channels=16)))
        third = gradle(project, ":app:assemble", "--build-cache")
        rebuilt = asset.read_bytes()
        shutil.rmtree(project / "app/src")
        without = gradle(project, ":app:assemble")
    finally:
        gradle(project, "--stop")

    assert first[0] == 0, first[1]
    assert f"{task} UP-TO-DATE" not in first[1]
    assert len(built) > 1000
    assert f"{task} UP-TO-DATE" in second[1]
    assert f"{task} FROM-CACHE" in cached[1]
    assert third[0] == 0, third[1]
    assert f"{task} UP-TO-DATE" not in third[1] and f"{task} FROM-CACHE" not in third[1]
    assert rebuilt != built
    assert without[0] != 0 and "has no folder src/main/assets" in without[1]


_PLUGIN = """
import org.gradle.api.*
class Folders { List<File> srcDirs = []; def srcDir(File folder) { srcDirs << folder } }
class Source {
    final String name
    Folders assets = new Folders()
    Folders java = new Folders()
    Source(String name) { this.name = name }
}
class Resources {
    Collection<String> noCompress = new LinkedHashSet<>()
    def noCompress(String one) { noCompress << one }
}
class Android {
    NamedDomainObjectContainer<Source> sourceSets
    Resources OPTIONS = new Resources()
    Android(NamedDomainObjectContainer<Source> sets) { sourceSets = sets; sets.create('main') }
}
class AndroidPlugin implements Plugin<Project> {
    void apply(Project project) {
        def android = project.extensions.create('android', Android, project.container(Source))
        project.tasks.create('preBuild')
        project.tasks.create('lintDebug')
        def merge = project.tasks.create('mergeDebugAssets', org.gradle.api.tasks.Copy)
        project.afterEvaluate { merge.from(android.sourceSets.main.assets.srcDirs) }
        merge.into("${project.buildDir}/merged")
        merge.doLast { println "stored: ${android.OPTIONS.noCompress}, ${android.sourceSets.main.java.srcDirs*.name}" }
    }
}
"""


@pytest.mark.slow
@needs("gradle")
@LANGUAGES
@pytest.mark.parametrize("options", ["androidResources", "aaptOptions"], ids=["7.0 and later", "before 7.0"])
def test_gradle_puts_the_model_among_an_android_modules_assets(project: Path, language: str, options: str) -> None:
    """By a plugin of the same id and names as Android's, which cannot be had here; no task waits for preBuild."""
    assert main(["build", "-q"]) == 0
    shutil.rmtree(project / "app/src")
    sources = project / "buildSrc/src/main"
    (sources / "groovy").mkdir(parents=True)
    (sources / "groovy/AndroidPlugin.groovy").write_text(_PLUGIN.replace("OPTIONS", options))
    (sources / "resources/META-INF/gradle-plugins").mkdir(parents=True)
    named = sources / "resources/META-INF/gradle-plugins/com.android.application.properties"
    named.write_text("implementation-class=AndroidPlugin\n")
    (project / "buildSrc/build.gradle").write_text(
        "apply plugin: 'groovy'\ndependencies { compile gradleApi(); compile localGroovy() }\n"
    )
    apply_script(project, language, "com.android.application")
    try:
        code, said = gradle(project, ":app:mergeDebugAssets")
        _, lint = gradle(project, ":app:lintDebug", "--dry-run")
    finally:
        gradle(project, "--stop")

    assert code == 0, said
    assert (project / "app/build/merged/small.tflite").stat().st_size > 1000
    assert "stored: [tflite], [java]" in said
    assert ":app:edgecompileSmall" in lint


def test_labels_that_do_not_match_the_output_are_told_without_a_wrapper_too(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "ml/labels.txt").write_text("a\nb\nc\n")

    exit_code = main(
        ["build", "small.tflite", "-t", "android-cpu", "--project", "edgecompile.toml", "--emit", "gradle"]
    )
    assert exit_code == 0
    with (project / "ml/edgecompile.toml").open("a") as file:
        file.write('[data]\nlabels = "labels.txt"\n')
    capsys.readouterr()

    assert main(["build", "-t", "android-cpu", "--emit", "gradle"]) == 2
    err = capsys.readouterr().err
    assert "error[EC760]" in err and "found: 3 labels, from `a` to `c`" in err


@pytest.mark.parametrize(
    "target, exit_code, told",
    [
        pytest.param("android-cpu", 2, "error[EC760]", id="would go into the model"),
        pytest.param("coral", 0, "warning[EC284]: there are 3 class names for 4 outputs", id="would go beside it"),
    ],
)
def test_check_tells_labels_that_match_no_output(
    project: Path, capsys: pytest.CaptureFixture[str], target: str, exit_code: int, told: str
) -> None:
    (project / "ml/labels.txt").write_text("a\nb\nc\n")
    with (project / "ml/edgecompile.toml").open("a") as file:
        file.write('[data]\nlabels = "labels.txt"\n')

    assert main(["check", "-t", target]) == exit_code
    wrong = capsys.readouterr().err
    (project / "ml/labels.txt").write_text("a\nb\nc\nd\n")
    assert main(["check", "-t", target]) == 0
    right = capsys.readouterr().err

    assert told in wrong
    assert "EC760" not in right and "EC284" not in right


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize(
    "emit, limit, target, exit_code, told",
    [
        pytest.param("[]", "", "android-cpu", 0, "warning[EC694]", id="the store's limit, no glue"),
        pytest.param('["gradle", "cmake"]', "", "android-cpu", 1, "error[EC694]", id="the store's limit, glue"),
        pytest.param("[]", 'download_limit = "1 kB"', "android-gpu", 1, "error[EC694]", id="the project's limit"),
        pytest.param("[]", 'download_limit = "1 MB"', "android-cpu", 0, "", id="a larger limit of the project"),
        pytest.param("[]", 'download_limit = "1 kB"', "cortex-m4", 0, "", id="no phone"),
    ],
)
def test_a_model_over_the_stores_limit_is_told_in_build_and_check_with_glue_and_without(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    emit: str,
    limit: str,
    target: str,
    exit_code: int,
    told: str,
) -> None:
    monkeypatch.setattr(play, "BASE_LIMIT_BYTES", 1000)
    monkeypatch.setattr(play, "OLD_LIMIT_BYTES", 500)
    (project / "ml/edgecompile.toml").write_text(
        f'[project]\nmodel = "small.tflite"\ntargets = ["{target}"]\nemit = {emit}\n[android]\n{limit}\n'
    )

    assert main([command]) == exit_code

    err = capsys.readouterr().err
    assert err.count("EC694]") == (1 if told else 0)
    assert told in err
    assert (project / "ml/build").exists() == (command == "build" and exit_code == 0)


def test_a_plain_build_knows_the_asset_pack_and_needs_no_module(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(play, "BASE_LIMIT_BYTES", 1000)
    monkeypatch.setattr(play, "OLD_LIMIT_BYTES", 500)
    (project / "ml/edgecompile.toml").write_text(
        '[project]\nmodel = "small.tflite"\ntargets = ["android-cpu"]\n[android]\nmodule = "../pack"\n'
    )

    assert main(["build"]) == 0
    without = capsys.readouterr().err
    (project / "pack").mkdir()
    (project / "pack/build.gradle").write_text("apply plugin: 'com.android.asset-pack'\n")
    assert main(["build"]) == 0
    with_pack = capsys.readouterr().err

    assert "warning[EC694]" in without and "EC694" not in with_pack


def test_most_of_the_stores_limit_is_one_warning_however_many_ask(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(play, "OLD_LIMIT_BYTES", 500)

    assert main(["build", "-t", "android-cpu", "--emit", "gradle,java,cmake"]) == 0

    assert capsys.readouterr().err.count("warning[EC693]") == 1


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize(
    "line, code",
    [
        pytest.param('module = "../server"', "EC692", id="a module that takes no assets"),
        pytest.param('package = "Small"', "EC691", id="no package of Java"),
        pytest.param('package = "org.example.small"', "EC621", id="an emitter that is not there"),
    ],
)
def test_what_is_wrong_with_the_app_is_told_before_the_model_is_looked_at(
    project: Path, capsys: pytest.CaptureFixture[str], command: str, line: str, code: str
) -> None:
    emit = '["gradle", "jaba"]' if code == "EC621" else '["gradle", "java"]'
    (project / "ml/edgecompile.toml").write_text(
        f'[project]\nmodel = "none_such.tflite"\ntargets = ["android-nnapi"]\nemit = {emit}\n[android]\n{line}\n'
    )

    assert main([command]) == 2

    assert f"error[{code}]" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize(
    "app, flags, code",
    [
        pytest.param('[android]\npackage = "my-app.model"\n', [], "EC691", id="a package, with no class asked for"),
        pytest.param("", ["--min-runtime", "99"], "EC761", id="a runtime that there is not"),
    ],
)
def test_a_setting_that_cannot_be_is_told_before_the_model_is_looked_at(
    project: Path, capsys: pytest.CaptureFixture[str], command: str, app: str, flags: list[str], code: str
) -> None:
    (project / "ml/edgecompile.toml").write_text(
        f'[project]\nmodel = "none_such.tflite"\ntargets = ["android-nnapi"]\n{app}'
    )

    assert main([command, *flags]) == 2

    assert f"error[{code}]" in capsys.readouterr().err


def test_labels_of_a_tflite_go_into_its_metadata(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "ml/labels.txt").write_text("a\nb\nc\nd\n")
    with (project / "ml/edgecompile.toml").open("a") as file:
        file.write('[data]\nlabels = "labels.txt"\n')

    assert main(["build", "-q"]) == 0
    assert main(["inspect", "build/android-nnapi/small.tflite"]) == 0

    told = capsys.readouterr().out
    assert "labels in labels.txt" in told and "file labels.txt, 8 B" in told


@needs("aapt2", "zipalign", "apksigner", "keytool")
@pytest.mark.slow
def test_a_package_holds_the_model_as_it_is_aligned_and_the_same_twice(project: Path) -> None:
    assert main(["build", "-q"]) == 0
    assets = project / "ml/build/android-nnapi/assets"
    manifest = project / "AndroidManifest.xml"
    manifest.write_text('<?xml version="1.0"?>\n<manifest package="org.example.small"><application /></manifest>\n')
    key = apk.make_key(project)
    packages = []
    for again in ("a", "b"):
        (project / again).mkdir()
        # Another time of the files must not show in the package.
        os.utime(assets / "small.tflite", (time.time() - 9_000 * len(packages),) * 2)
        packages.append(apk.package(project / again, manifest, assets, key))

    assert packages[0].read_bytes() == packages[1].read_bytes()
    method, start = apk.placed(packages[0], "assets/small.tflite")
    assert method == zipfile.ZIP_STORED
    assert start % 4 == 0
    model = (assets / "small.tflite").read_bytes()
    assert packages[0].read_bytes()[start : start + len(model)] == model


@needs("cmake", "make")
def test_cmake_builds_the_model_once_and_again_when_it_changed(project: Path) -> None:
    assert main(["build", "-q", "--emit", "cmake"]) == 0
    shutil.copytree("build/android-nnapi", project / "glue")
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(app NONE)\ninclude(glue/edgecompile.cmake)\n"
    )
    apk.run("cmake", "-S", project, "-B", project / "out", f"-DEDGECOMPILE_PROJECT={project / 'ml'}")
    built = project / "out/edgecompile/android-nnapi"

    said = []
    for again in range(3):
        if again == 2:
            (project / "ml/small.tflite").write_bytes(write(classifier(channels=16)))
        said.append(apk.run("cmake", "--build", project / "out", "--target", "small_model_build"))

    assert [("Compiling the model" in text) for text in said] == [True, False, True]
    assert (built / "include/small.hpp").is_file() and (built / "assets/small.tflite").is_file()
