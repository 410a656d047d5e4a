"""What is asked before anything is written for an app: its module, the store's limits; and how to build again."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest
import wrapped

from edgecompile.config.project import merge, read_project
from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.core.project import Android
from edgecompile.emit.android import literals, module, play
from edgecompile.emit.android.fill import fill
from edgecompile.emit.android.names import class_name, parameters
from edgecompile.emit.android.review import package_of, review
from edgecompile.emit.emitters import cmake, gradle
from edgecompile.emit.rebuild import Rebuild, rebuild_of

MB = 1_000_000


def module_with(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    "name, text, pack, namespace",
    [
        pytest.param("build.gradle", "apply plugin: 'com.android.application'", False, "", id="groovy"),
        pytest.param(
            "build.gradle.kts",
            'plugins { id("com.android.library") }\nandroid {\n  namespace = "org.example.lib"\n}',
            False,
            "org.example.lib",
            id="kotlin-with-namespace",
        ),
        pytest.param("build.gradle", "plugins { id 'com.android.asset-pack' }", True, "", id="asset-pack"),
        pytest.param(
            "build.gradle.kts", "plugins { alias(libs.plugins.android.application) }", False, "", id="catalogue"
        ),
    ],
)
def test_an_android_module_is_known_by_its_plugin(
    tmp_path: Path, name: str, text: str, pack: bool, namespace: str
) -> None:
    found = module.read_module(module_with(tmp_path / "app", name, text))

    assert (found.asset_pack, found.namespace) == (pack, namespace)
    emission = dataclasses.replace(wrapped.MODELS["int8"], android=Android(module=tmp_path / "app"))
    assert package_of(emission) == (namespace or "org.example.model")


def test_a_plain_module_needs_the_folder(tmp_path: Path) -> None:
    folder = module_with(tmp_path / "server", "build.gradle", "apply plugin: 'java'")

    with pytest.raises(BadInputError) as caught:
        module.read_module(folder)
    (folder / "src/main/assets").mkdir(parents=True)

    assert caught.value.diagnostics[0].code == "EC692"
    assert "mkdir -p" in caught.value.diagnostics[0].help[0]
    assert not module.read_module(folder).asset_pack


def test_a_folder_that_is_no_module_is_ec692(tmp_path: Path) -> None:
    emission = dataclasses.replace(wrapped.MODELS["int8"], android=Android(module=tmp_path / "nowhere"))

    with pytest.raises(BadInputError) as caught:
        review(emission)

    assert caught.value.diagnostics[0].code == "EC692"


@pytest.mark.parametrize(
    "size, pack, own, told",
    [
        pytest.param(150 * MB, False, None, None, id="small-enough"),
        pytest.param(150 * MB + 1, False, None, "EC693", id="over-the-old-limit"),
        pytest.param(200 * MB, False, None, "EC693", id="at-the-limit"),
        pytest.param(200 * MB + 1, False, None, "EC694", id="over-the-limit"),
        pytest.param(200 * MB + 1, True, None, None, id="asset-pack"),
        pytest.param(1500 * MB + 1, True, None, "EC694", id="over-the-limit-of-a-pack"),
        pytest.param(200 * MB + 1, False, 500 * MB, None, id="larger-limit-of-the-user"),
        pytest.param(10 * MB + 1, False, 10 * MB, "EC694", id="smaller-limit-of-the-user"),
    ],
)
def test_the_stores_limits(size: int, pack: bool, own: int | None, told: str | None) -> None:
    try:
        found = list(play.hold(size, "m.tflite", asset_pack=pack, limit_bytes=own))
    except RejectedError as error:
        found = list(error.diagnostics)
        assert told == "EC694"
    else:
        assert all(diagnostic.severity is Severity.WARNING for diagnostic in found)

    assert [diagnostic.code for diagnostic in found] == ([told] if told else [])
    if found:
        assert any(note.startswith("found: ") for note in found[0].notes) and any("source" in n for n in found[0].notes)


def test_a_download_is_weighed_compressed() -> None:
    assert play.download_bytes(bytes(1000)) == 1000
    assert play.download_bytes(bytes(1000), enough=999) < 100
    assert play.download_bytes(bytes(play.OLD_LIMIT_BYTES + 1)) < MB


@pytest.mark.parametrize(
    "write, text, written",
    [
        pytest.param(literals.java, 'a"\\\n\x01é🐈', '"a\\"\\\\\\n\\001\\u00e9\\ud83d\\udc08"', id="java"),
        pytest.param(literals.kotlin, 'a"$x\\é', '"a\\"\\$x\\\\\\u00e9"', id="kotlin"),
        pytest.param(literals.groovy, "it's $5\\", "'it\\'s $5\\\\'", id="groovy"),
        pytest.param(literals.cpp, "é??/1", '"\\303\\251\\?\\?/1"', id="cpp"),
        pytest.param(literals.cmake, 'a"${B}\\;', 'a\\"\\${B}\\\\;', id="cmake"),
        pytest.param(literals.comment, "*/ \\u002a/* \n", "* / /u002a/ *  ", id="comment"),
    ],
)
def test_texts_are_escaped_for_each_language(write: object, text: str, written: str) -> None:
    assert callable(write)
    assert write(text) == written


@pytest.mark.parametrize(
    "name, expected", [("kws-small", "KwsSmall"), ("7 segments", "Model7Segments"), ("interpreter", "InterpreterModel")]
)
def test_a_class_is_called_after_the_model(name: str, expected: str) -> None:
    assert class_name(name) == expected


def test_parameters_are_distinct_and_no_keywords() -> None:
    names = ["serving_default_image:0", "image", "class", "StatefulPartitionedCall:1", "2nd", "UP", "a.b/c-d"]

    found = parameters(names, "input", taken=("up",))

    assert found == ("image", "imageInput1", "classValue", "input3", "input4", "upInput5", "aBCD")


def test_a_template_is_filled_with_blocks_and_indentation() -> None:
    text = "@if yes@\n  @rows@\n@end@\n@unless yes@\nno\n@end@\n@each items@\n<@name@@suffix@>\n@end@\n"

    assert (
        fill(text, {"yes": True, "rows": "a\nb", "suffix": "!", "items": [{"name": "x"}, {"name": "y"}]})
        == "  a\n  b\n<x!>\n<y!>\n"
    )
    with pytest.raises(KeyError):
        fill("@nobody@", {})


def test_a_build_by_a_project_file_is_built_again_by_it(tmp_path: Path) -> None:
    (tmp_path / "edgecompile.toml").write_text(
        '[project]\nmodel = "m.tflite"\ntargets = ["t"]\n[data]\nlabels = "l.txt"\n'
    )
    for name in ("m.tflite", "l.txt"):
        (tmp_path / name).write_bytes(b"")
    project = merge(read_project(tmp_path / "edgecompile.toml"), {"numerics": "int8"}, {"EDGECOMPILE_SEED": "3"})

    found = rebuild_of(project, str(tmp_path / "m.tflite"), tmp_path / "build" / "t", ("java",))

    assert found.base == "../.."
    assert found.arguments == ("build", "--project", "edgecompile.toml")
    assert dict(found.environment) == {"EDGECOMPILE_SEED": "3", "EDGECOMPILE_NUMERICS": "int8"}
    assert found.files == ("m.tflite", "l.txt", "edgecompile.toml")


def test_a_build_by_flags_is_built_again_by_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("sub/m.tflite", "sub/d.npz"):
        (tmp_path / name).write_bytes(b"")
    flags = {
        "model": "sub/m.tflite",
        "targets": ["t"],
        "data.source": "sub/d.npz",
        "data.preprocess.scale": "0.5,0.25",
        "trust": True,
    }

    found = rebuild_of(merge(None, flags, {}), str(tmp_path / "sub/m.tflite"), tmp_path / "out" / "t", ())

    assert found.arguments == ("build", "sub/m.tflite", "--trust")
    assert dict(found.environment) == {
        "EDGECOMPILE_DATA_SOURCE": "sub/d.npz",
        "EDGECOMPILE_DATA_PREPROCESS_SCALE": "0.5,0.25",
    }
    assert found.files == ("sub/m.tflite", "sub/d.npz")


def test_scripts_hold_nothing_of_this_machine_and_are_the_same_each_time(tmp_path: Path) -> None:
    rebuild = Rebuild(
        base="..", arguments=("build", "it's.tflite"), environment=(), files=("it's.tflite",), emit=("gradle", "java")
    )
    emission = dataclasses.replace(wrapped.MODELS["int8"], rebuild=rebuild)
    for again in ("a", "b"):
        (tmp_path / again).mkdir()
        gradle.emit(emission, tmp_path / again)
        cmake.emit(emission, tmp_path / again)

    for name in ("edgecompile.gradle", "edgecompile.gradle.kts", "edgecompile.cmake"):
        text = (tmp_path / "a" / name).read_text()
        assert text == (tmp_path / "b" / name).read_text()
        assert str(tmp_path) not in text and "@" not in text
    assert r"'it\'s.tflite'" in (tmp_path / "a" / "edgecompile.gradle").read_text()
    assert "'--emit', 'java'" in (tmp_path / "a" / "edgecompile.gradle").read_text()


@pytest.mark.slow
@pytest.mark.skipif(not wrapped.has("kotlinc"), reason="kotlinc is missing: apt-get install kotlin")
def test_the_kotlin_script_parses_and_lacks_nothing_but_gradles_names(tmp_path: Path) -> None:
    rebuild = Rebuild(
        base="..",
        arguments=("build", 'a "$x".tflite'),
        environment=(("EDGECOMPILE_SEED", "3"),),
        files=("m",),
        emit=("gradle", "kotlin"),
    )
    gradle.emit(dataclasses.replace(wrapped.MODELS["int8"], rebuild=rebuild), tmp_path)

    done = subprocess.run(
        ["kotlinc", "-script", "edgecompile.gradle.kts"], cwd=tmp_path, capture_output=True, text=True
    )

    said = [line.partition(": error: ")[2] for line in done.stderr.splitlines() if ": error: " in line]
    # There are no packages of Gradle's Kotlin types to compile against; what is left is the grammar.
    assert said and [one for one in said if "unresolved reference" not in one and "'invoke()'" not in one] == []
