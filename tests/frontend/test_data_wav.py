"""WAV files: decoding against Python's own writer, resampling against the sine itself."""

from __future__ import annotations

import struct
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.frontend.data import open_data
from edgecompile.frontend.resample import integer_ratio, resample
from edgecompile.frontend.wav import decode


def sound(path: Path, values: Any, rate: int = 8000, width: int = 2) -> None:
    """A WAV file of integers [n] or [n, channels], written by Python's wave module."""
    array = np.atleast_2d(np.asarray(values, dtype=np.int64).T).T
    path.parent.mkdir(parents=True, exist_ok=True)
    little = [int(v).to_bytes(width, "little", signed=width > 1) for v in array.reshape(-1)]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(array.shape[1])
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(b"".join(little))


@pytest.mark.parametrize(
    ("width", "integers", "reals"),
    [
        pytest.param(1, [0, 64, 128, 255], [-1.0, -0.5, 0.0, 127 / 128], id="8-bit"),
        pytest.param(2, [-32768, -1, 0, 16384], [-1.0, -1 / 32768, 0.0, 0.5], id="16-bit"),
        pytest.param(3, [-(2**23), -1, 0, 2**22], [-1.0, -1 / 2**23, 0.0, 0.5], id="24-bit"),
        pytest.param(4, [-(2**31), -(2**20), 0, 2**30], [-1.0, -(2**-11), 0.0, 0.5], id="32-bit"),
    ],
)
def test_integers_are_divided_by_their_range(
    tmp_path: Path, width: int, integers: list[int], reals: list[float]
) -> None:
    sound(tmp_path / "a.wav", integers, rate=11025, width=width)

    clip = decode((tmp_path / "a.wav").read_bytes())

    assert clip.sample_rate == 11025
    assert clip.samples.dtype == np.float32
    assert clip.samples[:, 0].tolist() == reals


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A RIFF file of these chunks."""
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for name, c in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(tag: int, bits: int, channels: int = 1, rate: int = 8000) -> bytes:
    """A format chunk."""
    frame = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)


def test_extensible_and_floating_point_files_are_read() -> None:
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    extensible = form(0xFFFE, 16) + struct.pack("<HHI", 22, 16, 4) + guid
    reals = np.asarray([0.25, -1.5], dtype="<f4").tobytes()

    first = decode(riff((b"fmt ", extensible), (b"odd ", b"abc"), (b"data", struct.pack("<2h", 16384, -32768))))
    second = decode(riff((b"fmt ", form(3, 32)), (b"data", reals)))

    assert first.samples[:, 0].tolist() == [0.5, -1.0]
    assert second.samples[:, 0].tolist() == [0.25, -1.5]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        pytest.param(b"", "RIFF", id="empty"),
        pytest.param(b"ID3" + b"\0" * 40, "RIFF", id="mp3"),
        pytest.param(riff((b"fmt ", form(1, 16))), "no `data` chunk", id="no-samples"),
        pytest.param(riff((b"data", b"\0\0")), "before their format", id="no-format"),
        pytest.param(riff((b"fmt ", b"\1\0"), (b"data", b"")), "cut off", id="format-cut"),
        pytest.param(riff((b"fmt ", form(1, 16)), (b"data", b"\0")), "no samples", id="less-than-a-sample"),
        pytest.param(riff((b"fmt ", form(1, 16)), (b"data", b"\0" * 99))[:-40], "cut off: 99", id="samples-cut"),
        pytest.param(riff((b"fmt ", form(0x11, 4)), (b"data", b"\0" * 9)), "format 17", id="adpcm"),
        pytest.param(riff((b"fmt ", form(1, 16, channels=0)), (b"data", b"\0" * 9)), "0 channels", id="no-channels"),
    ],
)
def test_what_is_no_wav_says_why(content: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        decode(content)


def test_no_cut_of_a_file_crashes() -> None:
    whole = riff((b"fmt ", form(1, 16)), (b"data", b"\1\2" * 50))

    for length in range(len(whole)):
        with pytest.raises(ValueError):
            decode(whole[:length])


@pytest.mark.parametrize(
    ("source", "rate"),
    [
        pytest.param(48000, 16000, id="down-3"),
        pytest.param(16000, 8000, id="down-2"),
        pytest.param(8000, 16000, id="up-2"),
    ],
)
def test_a_tone_that_both_rates_can_hold_stays_as_it_is(source: int, rate: int) -> None:
    def tone(at: int) -> np.ndarray[Any, Any]:
        return np.sin(2 * np.pi * 1000 * np.arange(at // 10) / at).astype(np.float32)

    found = resample(tone(source), source, rate)

    assert len(found) == rate // 10
    # Within 0.5 % away from the ends, where the filter reaches beyond the sound.
    np.testing.assert_allclose(found[50:-50], tone(rate)[50:-50], atol=0.005)


def test_a_tone_above_the_lower_rates_half_is_damped_by_40_db() -> None:
    t = np.arange(4800) / 48000
    high = np.sin(2 * np.pi * 11000 * t).astype(np.float32)

    assert np.abs(resample(high, 48000, 16000)[50:-50]).max() < 0.01


def test_only_multiples_are_whole_ratios() -> None:
    assert integer_ratio(48000, 16000, 64) and integer_ratio(8000, 16000, 64)
    assert not integer_ratio(44100, 16000, 64)
    assert not integer_ratio(16000 * 65, 16000, 64)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Two classes of eight sounds of 100 samples at 8 kHz."""
    for index, name in enumerate(("no", "yes")):
        for number in range(8):
            sound(tmp_path / "words" / name / f"{number}.wav", np.full(100, (index + 1) * 1024))
    return tmp_path


def opened(base: Path, **preprocess: Any) -> Any:
    """The folder `words` as data."""
    spec = DataSpec(source="words", calibration_samples=4, preprocess=Preprocess(**preprocess))
    return open_data(spec, base, seed=0)


def told(base: Path, **preprocess: Any) -> Any:
    """The one diagnostic that opening raises."""
    with pytest.raises(BadInputError) as caught:
        opened(base, **preprocess)
    (problem,) = caught.value.diagnostics
    return problem


def test_a_folder_of_sounds_becomes_rows(words: Path) -> None:
    data = opened(words)

    assert (data.kind, data.labels) == ("wav", ("no", "yes"))
    assert data.train.x[0].shape[1:] == (100,)
    np.testing.assert_array_equal(data.train.x[0][:, 0] * 32, data.train.y[0] + 1)


def test_channels_are_averaged(words: Path) -> None:
    for number in range(8):
        sound(words / "words" / "yes" / f"{number}.wav", np.tile([4096, -2048], (100, 1)))

    data = opened(words)

    assert set(data.test.x[0][data.test.y[0] == 1].reshape(-1).tolist()) == {1024 / 32768}


@pytest.mark.parametrize(("length", "kept"), [pytest.param(60, 60, id="cut"), pytest.param(150, 100, id="padded")])
def test_sounds_are_cut_or_padded_with_zeros_at_the_end(words: Path, length: int, kept: int) -> None:
    x = opened(words, length=length).train.x[0]

    assert x.shape[1] == length
    assert np.all(x[:, :kept] != 0)
    assert np.all(x[:, kept:] == 0)


def test_sounds_are_resampled_by_whole_ratios_when_asked(words: Path) -> None:
    assert opened(words, sample_rate=16000).train.x[0].shape[1] == 200
    assert opened(words, sample_rate=4000).train.x[0].shape[1] == 50


@pytest.mark.parametrize(
    ("values", "rate", "preprocess", "code"),
    [
        pytest.param(100, 44100, {"sample_rate": 8000}, "EC276", id="no-whole-ratio"),
        pytest.param(100, 16000, {}, "EC276", id="rates-differ-and-none-is-asked-for"),
        pytest.param(90, 8000, {}, "EC276", id="lengths-differ"),
    ],
)
def test_sounds_that_do_not_fit_each_other_are_told(
    words: Path, values: int, rate: int, preprocess: dict[str, int], code: str
) -> None:
    sound(words / "words" / "yes" / "zz.wav", np.zeros(values), rate=rate)

    problem = told(words, **preprocess)

    assert problem.code == code
    assert str(problem.location) == "words, yes/zz.wav"
    assert "found" in problem.render() or "has 90 samples" in problem.render()


def test_a_file_that_is_no_sound_is_named(words: Path) -> None:
    (words / "words" / "no" / "bad.wav").write_bytes(b"ID3")

    problem = told(words)

    assert problem.code == "EC275"
    assert str(problem.location) == "words, no/bad.wav"
