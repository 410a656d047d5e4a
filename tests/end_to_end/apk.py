"""A signed Android package from the programs that Debian has: what Android's own build does around a model."""

from __future__ import annotations

import struct
import subprocess
import zipfile
from pathlib import Path

_FIXED = (1981, 1, 1, 1, 1, 2)
_PASS = "pass:secret1"


def run(*argv: str | Path, cwd: Path | None = None) -> str:
    """A program's output; it must end well."""
    done = subprocess.run([str(word) for word in argv], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, argv))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make_key(folder: Path) -> Path:
    """A key for signing, one for all packages that are compared."""
    store = folder / "key.jks"
    words = ["-keyalg", "RSA", "-keysize", "2048", "-alias", "app", "-dname", "CN=test", "-validity", "10000"]
    run("keytool", "-genkeypair", "-keystore", store, "-storepass", "secret1", "-keypass", "secret1", *words)
    return store


def package(
    folder: Path, manifest: Path, assets: Path, key: Path, dex: Path | None = None, platform: Path | None = None
) -> Path:
    """``app.apk`` in ``folder``: linked by aapt2 with models uncompressed, aligned, signed with scheme 2.

    ``platform`` is the android.jar that attributes of the manifest are looked up in.
    """
    linked, aligned, signed = (folder / f"{stage}.apk" for stage in ("linked", "aligned", "app"))
    levels = ["--min-sdk-version", "27", "--target-sdk-version", "34"]
    known = ["-I", platform, *levels] if platform else []
    run("aapt2", "link", "-o", linked, "--manifest", manifest, "-A", assets, "-0", ".tflite", *known)
    if dex is not None:
        with zipfile.ZipFile(linked, "a") as archive:
            # Without a fixed date the package would differ each time.
            archive.writestr(zipfile.ZipInfo("classes.dex", _FIXED), dex.read_bytes(), zipfile.ZIP_DEFLATED)
    run("zipalign", "-f", "4", linked, aligned)
    sign = ["--ks", key, "--ks-pass", _PASS, "--min-sdk-version", "27", "--v1-signing-enabled", "false"]
    run("apksigner", "sign", *sign, "--out", signed, aligned)
    run("apksigner", "verify", "--min-sdk-version", "27", signed)
    return signed


def placed(apk: Path, name: str) -> tuple[int, int]:
    """How an entry is stored (0: as it is), and where in the package its bytes begin."""
    with zipfile.ZipFile(apk) as archive:
        info = archive.getinfo(name)
    with apk.open("rb") as file:
        file.seek(info.header_offset + 26)
        name_size, extra_size = struct.unpack("<HH", file.read(4))
    return info.compress_type, info.header_offset + 30 + name_size + extra_size
