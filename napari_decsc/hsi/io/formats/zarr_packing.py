"""How the chunks of a Zarr array are packed, as its metadata say, and whether a chunk is what they say.

A store hands every chunk through `CheckedStore` before the package zarr sees it, see `packed`.
"""

import math
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from zarr.abc.store import ByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.packed import UNPACKED, fault_of

#: Checksums, which add four bytes: at the end, or at the beginning unless they say otherwise.
_SUMS = {"crc32c": "end", "fletcher32": "end", "crc32": "start", "adler32": "start"}
#: Codecs that leave the number of bytes as it is.
_KEEP = {"bytes", "transpose", "bitround", "shuffle"}
#: Most bytes that others make of a value.
_WIDEST = 16
#: What a shard's index says of a chunk that is not there.
_ABSENT = np.uint64(2**64 - 1)
#: Files of a store that are no chunks.
_METADATA = {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}


@dataclass(frozen=True)
class Packing:
    """How a chunk is packed.

    Parameters
    ----------
    codec : str
        The compression; empty if there is none.
    size : int
        Bytes that it becomes.
    exact : bool
        Whether it becomes just as many, or no more.
    before, behind : int
        Bytes of checksums around what is compressed.
    """

    codec: str
    size: int
    exact: bool
    before: int = 0
    behind: int = 0

    def fault(self, chunk: memoryview) -> str:
        """What is wrong with the bytes of a chunk; empty if nothing is."""
        if len(chunk) < self.before + self.behind:
            return f"has {len(chunk)} bytes, fewer than its checksum"
        return fault_of(self.codec, chunk[self.before : len(chunk) - self.behind], self.size, self.exact)


@dataclass(frozen=True)
class Shard:
    """How a shard holds its chunks: an index of where each lies, at its end or at its beginning.

    Parameters
    ----------
    chunks : int
        How many it holds.
    order : str
        NumPy's sign of the index's order of bytes.
    is_first : bool
        Whether the index lies at the beginning.
    length : int
        Bytes of the index.
    """

    chunks: int
    order: str
    is_first: bool
    length: int

    def is_index(self, asked: ByteRequest) -> bool:
        """Whether a part of a shard is its index."""
        if self.is_first:
            return isinstance(asked, RangeByteRequest) and asked.start == 0 and asked.end == self.length
        return isinstance(asked, SuffixByteRequest) and asked.suffix == self.length

    def parts(self, shard: memoryview) -> "list[tuple[int, int]] | None":
        """Begin and end of each chunk that is there; None if the shard is shorter than its index."""
        if len(shard) < self.length:
            return None
        index = shard[: self.length] if self.is_first else shard[len(shard) - self.length :]
        places = np.frombuffer(index[: 16 * self.chunks], f"{self.order}u8").reshape(-1, 2)
        there = [(int(begin), int(length)) for begin, length in places if begin != _ABSENT or length != _ABSENT]
        return [(begin, begin + length) for begin, length in there]


@dataclass(frozen=True)
class Chunks:
    """What is known of an array's chunks before they are read.

    Parameters
    ----------
    place : str
        The array in its file, for messages.
    packing : Packing
        Of a chunk, in shards of each that it holds.
    shard : Shard, optional
        If chunks lie in shards.
    most : int
        Bytes that a file of chunks may have.
    """

    place: str
    packing: Packing
    shard: Shard | None
    most: int

    def check(self, key: str, found: memoryview, asked: "ByteRequest | None") -> None:
        """Raise FileFormatError, which names file, array, chunk and cure, if what was read of a chunk is damaged."""
        if self.shard is None:
            self._refuse(key, self.packing.fault(found) if asked is None else "")
        elif asked is None:
            parts = self.shard.parts(found)
            if parts is None:
                self._refuse(key, "is shorter than its index")
            for begin, end in parts or ():
                beyond = "" if end <= len(found) else f"has a chunk at {begin}, behind its end"
                self._refuse(key, beyond or self.packing.fault(found[begin:end]))
        elif not self.shard.is_index(asked):
            self._refuse(key, self.packing.fault(found))

    def check_length(self, key: str, length: int) -> None:
        """Raise FileFormatError if a file is far longer than what it can hold."""
        self._refuse(key, f"has {length} bytes, more than {self.most}" if length > self.most else "")

    def _refuse(self, key: str, fault: str) -> None:
        if fault:
            raise FileFormatError(
                f"{self.place}: chunk {key} {fault}; it is damaged: copy the store again from where it came, or "
                f"remove that file, and the fill value stands in its place"
            )


def chunks_of(place: str, array: Mapping[str, Any], shape: tuple[int, ...], width: int) -> Chunks:
    """How the chunks of an array are packed.

    Parameters
    ----------
    place : str
        The array in its file, for messages.
    array : mapping
        Its metadata, of either version.
    shape : tuple of int
        Of a chunk as it is stored: of a whole shard where there are shards.
    width : int
        Bytes of a value.

    Returns
    -------
    Chunks

    Raises
    ------
    FileFormatError
        If codecs follow each other in an order that cannot be checked.
    """
    codecs = [*(array.get("codecs") or []), *(array.get("filters") or []), array.get("compressor")]
    named = [(_name(codec), _settings(codec)) for codec in codecs if codec]
    values = math.prod(shape)
    shards = [settings for name, settings in named if name == "sharding_indexed"]
    if not shards:
        return Chunks(place, _packing(place, named, values, width), None, _most(values * width))
    if len(named) > 1:
        raise FileFormatError(f"{place}: has shards within other codecs, which are not unpacked; save it without")
    inner = [int(side) for side in shards[0].get("chunk_shape") or ()]
    if len(inner) != len(shape) or any(side < 1 for side in inner):
        raise FileFormatError(f"{place}: has no chunk_shape for its shards; the store is damaged")
    count = math.prod(-(-whole // side) for whole, side in zip(shape, inner, strict=True))
    within = [(_name(codec), _settings(codec)) for codec in shards[0].get("codecs") or () if codec]
    packing = _packing(place, within, math.prod(inner), width)
    return Chunks(place, packing, _shard(place, shards[0], count), _most(values * width) + 20 * count)


def _shard(place: str, settings: Mapping[str, Any], count: int) -> Shard:
    listed = list(settings.get("index_codecs") or [])
    names = [_name(codec) for codec in listed]
    if names not in (["bytes"], ["bytes", "crc32c"]):
        raise FileFormatError(f"{place}: has shards whose index is packed by {names}; save it with bytes and crc32c")
    order = ">" if _settings(listed[0]).get("endian") == "big" else "<"
    is_first = settings.get("index_location", "end") == "start"
    return Shard(count, order, is_first, 16 * count + 4 * (len(names) - 1))


def _packing(place: str, codecs: list[tuple[str, Mapping[str, Any]]], values: int, width: int) -> Packing:
    """What is undone first stands last: checksums, then one compression, then what makes values of its bytes."""
    around = {"start": 0, "end": 0}
    left = list(codecs)
    while left and left[-1][0] in _SUMS:
        name, settings = left.pop()
        side = str(settings.get("location") or _SUMS[name])
        around[side] = around.get(side, 0) + 4
    codec = left.pop()[0] if left and left[-1][0] in UNPACKED else ""
    twice = next((name for name, _ in left if name in UNPACKED or name == "sharding_indexed"), None)
    if twice or set(around) != {"start", "end"}:
        raise FileFormatError(
            f"{place}: is packed by {', '.join(name for name, _ in codecs)}, an order that is not unpacked; save it "
            f"with one compression, the last but for checksums"
        )
    exact = all(name in _KEEP for name, _ in left)
    size = values * width if exact else values * _WIDEST + 64
    return Packing(codec, size, exact, around["start"], around["end"])


def _name(codec: Any) -> str:
    said = str(codec.get("name") or codec.get("id")) if isinstance(codec, dict) else str(codec)
    return said.removeprefix("numcodecs.")


def _settings(codec: Any) -> Mapping[str, Any]:
    """The settings of a codec, which version 2 has beside its name."""
    if not isinstance(codec, dict):
        return {}
    inner = codec.get("configuration", codec)
    return inner if isinstance(inner, dict) else {}


def _most(size: int) -> int:
    """No compression makes much more of what it is given; shards may hold chunks that were replaced."""
    return 4 * size + (1 << 20)


class CheckedStore(WrapperStore[Store]):
    """A store whose chunks are looked at before they are handed on.

    Parameters
    ----------
    store : zarr.abc.store.Store
        The one that reads.
    chunks : Chunks
        Of the only array that is read from it.
    """

    def __init__(self, store: Store, chunks: Chunks) -> None:
        super().__init__(store)
        self.chunks = chunks

    def _with_store(self, store: Store) -> "CheckedStore":
        return type(self)(store, self.chunks)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """What lies under a key, if it is sound."""
        if key.rpartition("/")[2] in _METADATA:
            return await self._store.get(key, prototype, byte_range)
        try:
            self.chunks.check_length(key, await self._store.getsize(key))
        except FileNotFoundError:
            return None
        found = await self._store.get(key, prototype, byte_range)
        if found is not None:
            self.chunks.check(key, found.as_numpy_array().view(np.uint8).data, byte_range)
        return found

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Several of them."""
        return [await self.get(key, prototype, asked) for key, asked in key_ranges]

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        for key, prototype, asked in requests:
            yield key, await self.get(key, prototype, asked)
