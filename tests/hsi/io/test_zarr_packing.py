"""Chunks of Zarr stores are held against their array before a library unpacks them; sound ones are let through."""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, GzipCodec, ZstdCodec

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.hsi.io.formats.packed import fault_of

numcodecs = pytest.importorskip("numcodecs")

DATA = np.arange(8 * 20 * 24, dtype=np.int32).reshape(8, 20, 24) // 7
PACKERS = {
    "blosc": numcodecs.Blosc("lz4", blocksize=256),
    "zstd": numcodecs.Zstd(),
    "lz4": numcodecs.LZ4(),
    "zlib": numcodecs.Zlib(),
    "gzip": numcodecs.GZip(),
    "bz2": numcodecs.BZ2(),
    "lzma": numcodecs.LZMA(),
}
Change = Callable[[bytearray], bytearray]


def version_2(path: Path, packer: Any, filters: Any = None) -> Path:
    array = zarr.create_array(
        path, data=DATA, chunks=(4, 10, 24), zarr_format=2, compressors=packer, filters=filters, overwrite=True
    )
    assert array.shape == DATA.shape
    return path


def version_3(path: Path, packers: Any, shards: tuple[int, ...] | None = None) -> Path:
    array = zarr.create_array(path, data=DATA, chunks=(4, 10, 12), shards=shards, compressors=packers)
    assert array.shape == DATA.shape
    return path


def chunk(path: Path) -> Path:
    """The first file of chunks."""
    return next(one for one in sorted(path.rglob("*")) if one.is_file() and not one.name.startswith((".z", "zarr")))


def word(at: int, value: int) -> Change:
    """Write a number of four bytes."""

    def change(held: bytearray) -> bytearray:
        struct.pack_into("<I", held, at, value)
        return held

    return change


def values(path: Path) -> np.ndarray:
    return np.asarray(open_cube(path, band_axis=0).data)


@pytest.mark.parametrize("name", PACKERS)
def test_sound_chunks_of_version_2_are_read(tmp_path: Path, name: str) -> None:
    np.testing.assert_array_equal(values(version_2(tmp_path / "x.zarr", PACKERS[name])), DATA)


@pytest.mark.parametrize("inner", ["blosclz", "lz4", "lz4hc", "zlib", "zstd"])
@pytest.mark.parametrize("shuffle", [0, 1, 2])
@pytest.mark.parametrize("kind", ["u1", "<f8"])
def test_sound_chunks_of_blosc_have_no_fault(inner: str, shuffle: int, kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, 5000)
    for array in (DATA.astype(kind), noise.astype(kind), np.zeros(3, kind)):
        for block in (0, 64, 1000):
            packed = numcodecs.Blosc(inner, 5, shuffle, block).encode(array)
            assert fault_of("blosc", memoryview(packed), array.nbytes, exact=True) == ""


@pytest.mark.parametrize(
    "filters",
    [
        [numcodecs.Shuffle(4)],
        [numcodecs.Delta("<i4", "<i2")],
        [numcodecs.FixedScaleOffset(0, 1, "<i4", "<f8")],
        [numcodecs.Fletcher32()],
        [numcodecs.CRC32()],
    ],
)
def test_filters_before_the_compression_are_undone(tmp_path: Path, filters: list[Any]) -> None:
    np.testing.assert_array_equal(values(version_2(tmp_path / "x.zarr", PACKERS["blosc"], filters)), DATA)


@pytest.mark.parametrize("shards", [None, (8, 20, 24)])
@pytest.mark.parametrize(
    "packers",
    [None, ZstdCodec(), ZstdCodec(checksum=True), GzipCodec(), BloscCodec(), [BloscCodec(cname="zstd"), Crc32cCodec()]],
)
def test_sound_chunks_of_version_3_are_read(tmp_path: Path, packers: Any, shards: Any) -> None:
    path = version_3(tmp_path / "x.zarr", packers, shards)
    np.testing.assert_array_equal(values(path), DATA)
    part = open_cube(path, band_axis=0).data[:2, 3:5, 13:15]
    np.testing.assert_array_equal(np.asarray(part), DATA[:2, 3:5, 13:15])
    # as a cluster would hand it to another process
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(part))), DATA[:2, 3:5, 13:15])


DAMAGED: list[tuple[str, Change, str]] = [
    ("blosc", word(12, 9_999_999), "says that it has 9999999 bytes, but has"),
    ("blosc", word(4, 9_999_999), "says that it unpacks to 9999999 bytes, not 3840"),
    ("blosc", word(8, 9_999_999), "has blocks of 9999999 bytes"),
    ("blosc", word(8, 1), "ends within its table of blocks"),
    ("blosc", word(20, 9_999_999), "has blocks outside itself"),
    ("blosc", word(20, 2**32 - 1), "has blocks outside itself"),
    ("blosc", word(0, 0x04010005), "has no Blosc header"),
    ("blosc", word(0, 0x04E10102), "has no Blosc header"),
    ("blosc", word(0, 0x00210102), "has no Blosc header"),
    ("blosc", word(0, 0x04230102), "is a copy of 3840 bytes that has"),
    ("blosc", lambda held: held[:9], "has 9 bytes, fewer than a Blosc header"),
    ("blosc", lambda held: held[:40], "says that it has .* bytes, but has 40"),
    ("lz4", word(0, 1 << 30), "says that it unpacks to 1073741824 bytes, not 3840"),
    ("lz4", lambda held: held[:2], "has 2 bytes, fewer than a length"),
    ("zstd", word(0, 7), "is no whole Zstandard frame"),
    ("zstd", lambda held: held[:20], "is no whole Zstandard frame"),
    ("zstd", lambda held: held + held, "says that it unpacks to 7680 bytes, not 3840"),
]


@pytest.mark.parametrize(("name", "change", "said"), DAMAGED)
def test_the_library_is_not_asked_for_what_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, change: Change, said: str
) -> None:
    path = version_2(tmp_path / "x.zarr", PACKERS[name])
    place = chunk(path)
    place.write_bytes(change(bytearray(place.read_bytes())))

    def reached(*_: object) -> None:
        raise AssertionError("the library was asked")

    asked = open_cube(path, band_axis=0).data
    sound = np.asarray(asked[4:, 10:])
    np.testing.assert_array_equal(sound, DATA[4:, 10:])
    monkeypatch.setattr(type(PACKERS[name]), "decode", reached)
    with pytest.raises(FileFormatError, match=rf"x\.zarr: chunk {place.name} {said}.*; it is damaged: copy the store"):
        np.asarray(asked[:4, :10])


@pytest.mark.parametrize("shards", [None, (8, 20, 24)])
@pytest.mark.parametrize("part", [np.s_[:], np.s_[:1, :1, :1]])
def test_chunks_of_version_3_and_of_shards_too(tmp_path: Path, shards: Any, part: Any) -> None:
    path = version_3(tmp_path / "x.zarr", BloscCodec(), shards)
    place = chunk(path)
    held = bytearray(place.read_bytes())
    struct.pack_into("<I", held, 12, 9_999_999)
    place.write_bytes(held)
    with pytest.raises(FileFormatError, match=r"x\.zarr: chunk c/0/0/0 says that it has 9999999 bytes"):
        np.asarray(open_cube(path, band_axis=0).data[part])


def test_a_shard_that_points_behind_its_end(tmp_path: Path) -> None:
    array = zarr.create_array(tmp_path / "x.zarr", shape=DATA.shape, dtype="i4", chunks=(4, 10, 12), shards=DATA.shape)
    array[:] = DATA
    place = chunk(tmp_path / "x.zarr")
    held = bytearray(place.read_bytes())
    # the index: eight chunks, two numbers each, and a checksum, which is not what is looked at here
    struct.pack_into("<Q", held, len(held) - 132, 10**12)
    place.write_bytes(held)
    with pytest.raises(FileFormatError, match=r"chunk c/0/0/0 has a chunk at 1000000000000, behind its end"):
        values(tmp_path / "x.zarr")
    place.write_bytes(held[:50])
    with pytest.raises(FileFormatError, match=r"chunk c/0/0/0 is shorter than its index"):
        values(tmp_path / "x.zarr")


@pytest.mark.parametrize("packers", [[BloscCodec(), ZstdCodec()], [ZstdCodec(), GzipCodec()]])
def test_chunks_that_are_packed_twice_are_refused(tmp_path: Path, packers: Any) -> None:
    with pytest.raises(FileFormatError, match=r"x\.zarr: is packed by .*, an order that is not unpacked; save it with"):
        values(version_3(tmp_path / "x.zarr", packers))


def test_a_file_far_longer_than_a_chunk_is_not_read(tmp_path: Path) -> None:
    path = version_2(tmp_path / "x.zarr", PACKERS["zstd"])
    with chunk(path).open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(FileFormatError, match=r"chunk 0\.0\.0 has 1099511627776 bytes, more than"):
        values(path)


def frame(*blocks: tuple[int, int, bytes], size: int | None = None) -> bytes:
    """A Zstandard frame (RFC 8878) of blocks (kind, length, content) that says what it becomes, or does not."""
    head = b"\x00\x58" if size is None else b"\xa0" + struct.pack("<I", size)
    told = [((number == len(blocks)) | kind << 1 | length << 3) for number, (kind, length, _) in enumerate(blocks, 1)]
    listed = b"".join(struct.pack("<I", one)[:3] + block[2] for one, block in zip(told, blocks, strict=True))
    return struct.pack("<I", 0xFD2FB528) + head + listed


def test_frames_that_do_not_say_what_they_become(tmp_path: Path) -> None:
    raw = DATA[:4, :10].tobytes()
    path = version_2(tmp_path / "x.zarr", PACKERS["zstd"])
    skipped = struct.pack("<2I", 0x184D2A53, 3) + b"abc"
    for sound in (
        frame((0, len(raw), raw)),
        skipped + frame((0, 90, raw[:90])) + frame((0, len(raw) - 90, raw[90:])),
        frame((0, 90, raw[:90]), size=90) + frame((0, len(raw) - 90, raw[90:]), size=len(raw) - 90),
    ):
        chunk(path).write_bytes(sound)
        np.testing.assert_array_equal(values(path), DATA)
    # the same byte again and again: a few bytes that would become many
    chunk(path).write_bytes(frame(*[(1, 128 << 10, b"x")] * 9))
    with pytest.raises(FileFormatError, match="says that it unpacks to 1179648 bytes, not 3840"):
        values(path)


@pytest.mark.parametrize("name", ["zlib", "gzip", "bz2", "lzma"])
def test_streams_that_would_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = version_2(tmp_path / "x.zarr", PACKERS[name])
    monkeypatch.setattr("napari_decsc.hsi.io.formats.packed.fits_in_memory", lambda size: size < 1 << 10)
    np.testing.assert_array_equal(values(path), DATA)
    sound = chunk(path).read_bytes()
    chunk(path).write_bytes(bytes(PACKERS[name].encode(bytes(3 << 20))))
    with pytest.raises(FileFormatError, match="unpacks to more than 3840 bytes"):
        values(path)
    chunk(path).write_bytes(sound + sound)
    with pytest.raises(FileFormatError, match="has something behind its end"):
        values(path)
