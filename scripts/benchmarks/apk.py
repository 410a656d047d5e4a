"""A signed APK around a generated class and its model, twice, from Debian's packages; and Gradle running the script."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from _shared import CHECKOUT, edgecompile, table

sys.path.insert(0, str(CHECKOUT / "tests" / "end_to_end"))
import apk

PROGRAMS = {
    **{"aapt2": "aapt", "zipalign": "zipalign", "apksigner": "apksigner"},
    **{"mmdebstrap": "mmdebstrap", "gradle": "gradle"},
}
# Debian has dx and an android.jar in bullseye only; they are unpacked, not installed.
OLD = ("dalvik-exchange", "libandroid-23-java", "android-sdk-platform-23")


def install() -> None:
    """Get the programs that are not here, as root on a system with apt; else say what is needed."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    missing += [] if shutil.which("javac") else ["openjdk-17-jdk-headless"]
    if not missing:
        return
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"this benchmark needs: sudo apt-get install {' '.join(missing)}")
    subprocess.run(["apt-get", "-q", "update"], check=True, stdout=sys.stderr)
    words = ["apt-get", "-q", "-y", "install", "--no-install-recommends", *missing]
    subprocess.run(words, check=True, stdout=sys.stderr, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def old_tools(cache: Path) -> tuple[Path, Path]:
    """dx.jar and android.jar, kept in the cache folder."""
    root = cache / "bullseye"
    if not (root / "done").is_file():
        shutil.rmtree(root, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        words = ["--quiet", "--variant=extract", "--mode=chrootless", "--arch=amd64", f"--include={','.join(OLD)}"]
        subprocess.run(["mmdebstrap", *words, "bullseye", str(root)], check=True, stdout=sys.stderr)
        (root / "done").touch()
    java = root / "usr/share/java"
    return (java / "com.android.dx.jar").resolve(), (java / "com.android.android-23.jar").resolve()


def classes(folder: Path, sources: list[Path], platform: Path) -> Path:
    """The app's own classes; those of the interpreter are only signatures and stay out of the package."""
    stubs = folder / "stubs"
    signatures = sorted((CHECKOUT / "tests/android_stubs/org").rglob("*.java"))
    for into, files, known in ((stubs, signatures, platform), (folder / "app", sources, f"{platform}:{stubs}")):
        into.mkdir()
        apk.run("javac", "--release", "8", "-Xlint:-options", "-cp", known, "-d", into, *files)
    return folder / "app"


def build(folder: Path, project: Path, key: Path, dx: Path, platform: Path) -> Path:
    """The package, all anew from the project's files."""
    code, answer, stderr = edgecompile("build", "--project", project / "edgecompile.toml", "-o", folder / "built")
    if code:
        sys.exit(f"{answer}\n{stderr[-3000:]}")
    built = folder / "built" / "android-nnapi"
    sources = sorted([*(project / "app/src/main/java").rglob("*.java"), *(built / "java").rglob("*.java")])
    compiled = classes(folder, sources, platform)
    dex = folder / "classes.dex"
    apk.run(
        "java", "-cp", dx, "com.android.dx.command.Main", "--dex", "--min-sdk-version=26", f"--output={dex}", compiled
    )
    manifest = folder / "AndroidManifest.xml"
    text = (project / "app/src/main/AndroidManifest.xml").read_text(encoding="utf-8")
    # What the Android plugin does with `namespace`.
    manifest.write_text(text.replace("<manifest ", '<manifest package="org.example.digits" ', 1), encoding="utf-8")
    return apk.package(folder, manifest, built / "assets", key, dex, platform)


def main() -> None:
    """Make the example's app twice; exits 1 where the packages differ or the model is not stored as it must be."""
    started = time.monotonic()
    install()
    dx, platform = old_tools(Path(os.environ.get("EDGECOMPILE_CACHE", Path.home() / ".cache/edgecompile")))
    ready = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        edgecompile("init", folder / "project", "--example", "android")
        trained = time.monotonic()
        key, packages = apk.make_key(folder), []
        for again in ("first", "second"):
            (folder / again).mkdir()
            packages.append(build(folder / again, folder / "project", key, dx, platform))
        done = time.monotonic()
        same = packages[0].read_bytes() == packages[1].read_bytes()
        digest = hashlib.sha256(packages[0].read_bytes()).hexdigest()
        method, start = apk.placed(packages[0], "assets/digits.tflite")
        dex = zipfile.ZipFile(packages[0]).read("classes.dex")
        rows = [
            ("what", "found"),
            (
                "package",
                f"{packages[0].stat().st_size} bytes, sha256 {digest[:16]}",
            ),
            ("signature", "verified by apksigner"),
            ("twice the same bytes", str(same)),
            ("model stored uncompressed", str(method == zipfile.ZIP_STORED)),
            ("model at", f"{start}, {'4-byte aligned' if start % 4 == 0 else 'NOT aligned'}"),
            ("wrapper in classes.dex", str(b"Lorg/example/digits/Digits;" in dex)),
            (
                "set-up, training, two packages",
                f"{ready - started:.0f} s, {trained - ready:.0f} s, {done - trained:.0f} s",
            ),
        ]
    print(table(rows))
    tests = subprocess.run([sys.executable, "-m", "pytest", "-v", "tests/end_to_end/test_android_app.py"], cwd=CHECKOUT)
    good = (
        tests.returncode == 0
        and same
        and method == zipfile.ZIP_STORED
        and start % 4 == 0
        and b"Lorg/example/digits/Digits;" in dex
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
