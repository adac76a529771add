"""Damaged and hostile files: one sentence, no code run, no other file read, no absurd memory."""

import contextlib
import io
import logging
import lzma
import os
import pickle
import struct
import threading
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_decsc.errors import AmbiguousFileError, DecscError, FileFormatError
from napari_decsc.hsi.io.files import can_open, open_cube, save_cube
from napari_decsc.hsi.io.formats import hdf5_values, tiff_checks, tiff_files
from napari_decsc.hsi.io.formats.guards import overflows
from napari_decsc.hsi.io.formats.hdf5_check import GroupCheck

DATA = np.arange(5 * 12 * 17, dtype=np.int16).reshape(5, 12, 17)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def npy_header(shape, descr="<f8", more=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + more


def zipped(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def refusal(path, **asked):
    """What is said of the file, within little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError) as refused:
            open_cube(path, **asked)
        can_open(path)
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_pickled_objects_are_never_loaded(tmp_path):
    array = np.array([[[Bomb(tmp_path / "mark")] * 5] * 5] * 5, dtype=object)
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    np.savez(tmp_path / "x.npz", allow_pickle=True, cube=array)
    zipped(tmp_path / "raw.npz", {"metadata.npy": pickle.dumps(Bomb(tmp_path / "mark"))})
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(Bomb(tmp_path / "mark")))
    assert "holds Python objects, which could run code" in refusal(tmp_path / "x.npy")
    assert "holds Python objects, which could run code" in refusal(tmp_path / "x.npz")
    refusal(tmp_path / "raw.npz")
    refusal(tmp_path / "raw.npy")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("shape", [(10**6, 10**6, 10**6), (2**40, 2**40, 2**40), (7, 8, 9)])
def test_npy_files_that_claim_more_than_they_hold(tmp_path, shape):
    (tmp_path / "x.npy").write_bytes(npy_header(shape, more=b"12345678"))
    assert "the file is cut short" in refusal(tmp_path / "x.npy", band_axis=0)
    zipped(tmp_path / "x.npz", {"cube.npy": npy_header(shape, more=b"12345678")})
    assert "is not as long as it says" in refusal(tmp_path / "x.npz", band_axis=0)


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    # 64 MiB in 64 KiB; the free memory is made small rather than the bomb large
    monkeypatch.setattr("napari_decsc.hsi.io.formats.guards.fits_in_memory", lambda size: size < 1 << 20)
    bomb = npy_header((4, 4096, 4096), "|u1", bytes(4 * 4096 * 4096))
    zipped(tmp_path / "x.npz", {"cube.npy": bomb}, zipfile.ZIP_DEFLATED)
    assert (tmp_path / "x.npz").stat().st_size < 100_000
    assert "more than is free" in refusal(tmp_path / "x.npz")


def test_a_zip_whose_directory_lies_about_places(tmp_path):
    np.savez(tmp_path / "x.npz", cube=DATA)
    raw = bytearray((tmp_path / "x.npz").read_bytes())
    # the length of the local header's extra field, which moves the values beyond the end of the file
    raw[28:30] = struct.pack("<H", 65535)
    (tmp_path / "x.npz").write_bytes(raw)
    refusal(tmp_path / "x.npz")


def test_matlab_files_that_claim_more_than_they_hold(tmp_path):
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"cube": DATA})
    raw = path.read_bytes()
    sizes = struct.pack("<3i", *DATA.shape)
    assert raw.count(sizes) == 1
    path.write_bytes(raw.replace(sizes, struct.pack("<3i", 5, 2**30, 2**30)))
    assert "cube does not hold as many values as it describes" in refusal(path, band_axis=0)


def test_a_matlab_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_decsc.hsi.io.formats.guards.fits_in_memory", lambda size: size < 1 << 20)
    scipy.io.savemat(tmp_path / "x.mat", {"cube": np.zeros((400, 400, 40))}, do_compression=True)
    assert (tmp_path / "x.mat").stat().st_size < 100_000
    assert "more than is free" in refusal(tmp_path / "x.mat")


def test_links_to_other_files_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["cube"] = DATA
    layout = h5py.VirtualLayout(DATA.shape, DATA.dtype)
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "cube", DATA.shape)
    (tmp_path / "raw.bin").write_bytes(DATA.tobytes())
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["link"] = h5py.ExternalLink("secret.h5", "/cube")
        file["soft"] = h5py.SoftLink("/link")
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("outside", DATA.shape, DATA.dtype, external=[(str(tmp_path / "raw.bin"), 0, DATA.nbytes)])
        file.create_dataset("wavelengths", (5,), "f8", external=[(str(tmp_path / "raw.bin"), 0, 40)])
    for name in ("link", "soft"):
        assert f"holds no cube '{name}'" in refusal(tmp_path / "x.h5", variable=name)
    for name in ("virtual", "outside"):
        assert "lies in other files, which are not read" in refusal(tmp_path / "x.h5", variable=name)
    with pytest.raises(AmbiguousFileError) as question:
        open_cube(tmp_path / "x.h5")
    assert question.value.choices == ("outside", "virtual")


def test_an_ome_file_does_not_lead_to_other_files(tmp_path, monkeypatch):
    uuids = "".join(
        f'<TiffData IFD="0" FirstT="{t}" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{t}</UUID></TiffData>'
        for t, name in enumerate(["x.tif", "secret.tif"])
    )
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:0">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYTCZ" Type="uint8" SizeX="17" SizeY="12" '
        f'SizeZ="1" SizeC="1" SizeT="2"><Channel ID="C" SamplesPerPixel="1"/>{uuids}</Pixels></Image></OME>'
    )
    for name in ("x.tif", "secret.tif"):
        tifffile.imwrite(tmp_path / name, DATA[0].astype(np.uint8), description=text, metadata=None)
    assert tifffile.imread(tmp_path / "x.tif").shape == (2, 12, 17)  # the trap works: others do follow
    assert "holds no cube" in refusal(tmp_path / "x.tif")


def test_hdf5_arrays_that_were_never_filled(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("cube", (10**4, 10**6, 10**6), "f8", chunks=(1, 100, 100))
    assert "values but holds none" in refusal(tmp_path / "x.h5")


def test_tiffs_that_claim_more_than_they_hold(tmp_path):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, DATA, photometric="minisblack", compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        for page in file.pages:
            for code in ("ImageWidth", "ImageLength"):
                page.tags[code].overwrite(2**19)
    refusal(path, band_axis=0)


def test_our_own_description_may_lie(tmp_path):
    from napari_decsc.hsi.cube import Cube

    good = '"wavelengths": null'
    for bad in ('"wavelengths": [1, 2]', '"wavelengths": "a"', '"wavelengths": {}', '"wavelength": 3'):
        path = save_cube(Cube(DATA), tmp_path / "x.tif", overwrite=True)
        raw = path.read_bytes()
        assert raw.count(good.encode()) == 1
        path.write_bytes(raw.replace(good.encode(), bad.ljust(len(good)).encode()[: len(good)]))
        with pytest.raises(DecscError):
            open_cube(path)


def originals(folder):
    """Small files of every format, as bytes by extension."""
    from napari_decsc.hsi.cube import Cube

    np.save(folder / "x.npy", DATA)
    np.savez_compressed(folder / "x.npz", cube=DATA)
    scipy.io.savemat(folder / "x.mat", {"cube": DATA}, do_compression=True)
    save_cube(Cube(DATA), folder / "x.tif")
    with h5py.File(folder / "x.h5", "w", track_order=False) as file:
        file.create_dataset("cube", data=DATA, chunks=(5, 4, 4), compression="gzip")
    with scipy.io.netcdf_file(str(folder / "x.nc"), "w") as file:
        for name, size in zip("bcd", DATA.shape, strict=True):
            file.createDimension(name, size)
        file.createVariable("cube", "i2", tuple("bcd"))[:] = DATA
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return originals(tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".tif", ".h5", ".nc"])
@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.7])
def test_files_that_are_cut_short(tmp_path, samples, suffix, share):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(samples[suffix][: int(share * len(samples[suffix]))])
    refusal(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".tif", ".h5", ".nc"])
@settings(max_examples=25, deadline=None)
@given(places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes_give_a_cube_or_a_sentence(tmp_path_factory, samples, suffix, places):
    raw = bytearray(samples[suffix])
    for place, value in places:
        # the first bytes, where the sizes are, more often than the values
        raw[place % (len(raw) if place % 2 else min(len(raw), 300))] = value
    path = tmp_path_factory.getbasetemp() / f"changed{suffix}"
    path.write_bytes(raw)
    can_open(path)
    with contextlib.suppress(DecscError):
        np.asarray(open_cube(path, band_axis=0).data[:1])


@pytest.mark.parametrize("damage", ["tag", "cut", "values"])
def test_what_a_damaged_tiff_makes_its_library_log_does_not_reach_the_user(tmp_path, caplog, damage):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, DATA, photometric="minisblack", compression="zlib", metadata=None)
    raw = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", raw, 4)
    if damage == "tag":
        raw[start + 2 + 12 * 2 + 2] = 99  # the third entry has a type that does not exist
    elif damage == "cut":
        del raw[start + 40 :]
    else:
        with tifffile.TiffFile(path) as file:
            place = file.pages[4].dataoffsets[0] + 2
        raw[place : place + 18] = bytes(18)
    path.write_bytes(raw)
    if damage == "values":
        assert "cannot be read as TIFF" in refusal(path)
    elif damage == "cut":
        refusal(path)
    else:
        open_cube(path)  # the rest is enough
    assert caplog.records == []
    with contextlib.suppress(Exception), tifffile.TiffFile(path) as file:
        file.asarray()
    assert damage != "tag" or caplog.records != []  # the trap works: the library does talk


def test_other_threads_may_still_log(tmp_path, caplog):
    with tiff_files._silent("tifffile"):
        logging.getLogger("tifffile").warning("dropped")
        thread = threading.Thread(target=lambda: logging.getLogger("tifffile").warning("kept"))
        thread.start()
        thread.join()
    logging.getLogger("tifffile").warning("afterwards")
    assert [record.message for record in caplog.records] == ["kept", "afterwards"]


@pytest.mark.parametrize(("compression", "pack"), [("zlib", zlib.compress), ("lzma", lzma.compress)])
def test_a_tiff_bomb_is_not_unpacked(tmp_path, monkeypatch, compression, pack):
    """A page that says it is small, and unpacks to 24 MiB."""
    monkeypatch.setattr(tiff_checks, "fits_in_memory", lambda size: size < 1 << 20)
    path = tmp_path / "x.tif"
    image = np.zeros((5, 64, 64), np.uint8)
    tifffile.imwrite(path, image, photometric="minisblack", compression=compression, metadata=None)
    assert open_cube(path).shape == image.shape
    raw, bomb = bytearray(path.read_bytes()), pack(bytes(24 << 20))
    with tifffile.TiffFile(path) as file:
        tags = file.pages[2].tags
        for name, value in (("StripOffsets", len(raw)), ("StripByteCounts", len(bomb))):
            struct.pack_into("<I", raw, tags[name].valueoffset, value)
    path.write_bytes(raw + bomb)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="a page unpacks to more than it has room for"):
        open_cube(path)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_a_tiff_whose_compression_is_not_known_here_is_not_called_damaged(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "x.tif", DATA, photometric="minisblack", compression="zlib", metadata=None)

    def lacking(*given, **named):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", lacking)
    said = refusal(tmp_path / "x.tif", band_axis=0)
    assert "needs the package imagecodecs; install it" in said
    assert "damaged" not in said


@pytest.mark.parametrize("packed", [False, True])
def test_matlab_functions_and_objects_are_passed_over(tmp_path, packed):
    """A function handle is of class 16, an object of class 3: neither is looked into, the cube beside them opens."""
    scipy.io.savemat(tmp_path / "x.mat", {"cube": DATA, "f": DATA + 1}, do_compression=False)
    raw = bytearray((tmp_path / "x.mat").read_bytes())
    place = raw.rindex(b"f\0\0\0") - 4
    flags = raw.rindex(struct.pack("<II", 6, 8), 0, place)
    for code in (16, 3, 17):
        raw[flags + 8] = code
        content = bytes(raw)
        if packed:
            (size,) = struct.unpack_from("<I", raw, 132)
            rest = raw[136 + size :]
            content = bytes(raw[: 136 + size]) + struct.pack("<II", 15, len(zlib.compress(rest))) + zlib.compress(rest)
        (tmp_path / "x.mat").write_bytes(content)
        np.testing.assert_array_equal(open_cube(tmp_path / "x.mat", band_axis=0).data, DATA)
        with pytest.raises(FileFormatError, match="holds no cube 'f'"):
            open_cube(tmp_path / "x.mat", variable="f")


def hdf5_with(**made):
    """An HDF5 file of the older layout, as bytes that may be changed; the tree of its root lies at 0x88."""
    file = io.BytesIO()
    with h5py.File(file, "w", libver=("earliest", "v108")) as store:
        for name, (data, options) in made.items():
            store.create_dataset(name, data=data, **options)
    raw = bytearray(file.getvalue())
    assert raw[0x88:0x8C] == b"TREE"
    return raw


def grown(raw, first, kind, key, levels):
    """A tree above the part at ``first``: each further part names the one below it 32 times."""
    (count,) = struct.unpack_from("<H", raw, first + 6)
    assert count == 1
    top = first
    for level in range(1, levels + 1):
        part = b"TREE" + struct.pack("<BBHQQ", kind, level, 32, 2**64 - 1, 2**64 - 1)
        part += (key + struct.pack("<Q", top)) * 32 + key
        top = len(raw)
        raw += part.ljust(4096, b"\0")
    struct.pack_into("<Q", raw, 0x28, len(raw))  # where the file ends
    return top


def spoiled(raw):
    """The same with a first block that the HDF5 library refuses at once: what is damaged here must not reach it."""
    raw = bytearray(raw)
    if raw[8] < 2:
        raw[9] = 255
    else:
        raw[44:48] = bytes(4)
    with pytest.raises(OSError), h5py.File(io.BytesIO(raw)):
        pass
    return raw


def address_of_cube(raw):
    with h5py.File(io.BytesIO(raw)) as file:
        return h5py.h5o.get_info(file["cube"].id).addr


def looked_at(raw, *addresses):
    """What the check of objects says of a file, in a file object of its own."""
    file = io.BytesIO(spoiled(raw))
    try:
        check = GroupCheck(file, Path("x.h5"))
        for address in addresses:
            check.check(address)
    except FileFormatError as error:
        return str(error)
    return "nothing"


def test_an_hdf5_group_whose_names_run_in_a_circle():
    """A free place in the heap of names that names itself as the next one."""
    raw = hdf5_with(cube=(DATA, {}))
    heap = raw.index(b"HEAP")
    free, data = struct.unpack_from("<QQ", raw, heap + 16)
    struct.pack_into("<Q", raw, data + free, free)
    assert "the names in one of its groups run in a circle; the file is damaged" in looked_at(raw)


@pytest.mark.parametrize("where", ["group", "chunks"])
def test_an_hdf5_tree_that_names_its_parts_again_and_again(where):
    """12 levels of 32 times the same."""
    raw = hdf5_with(cube=(DATA, {"chunks": DATA.shape}))
    cube = address_of_cube(raw)
    if where == "group":
        first, kind, key = 0x88, 0, struct.pack("<Q", 8)
    else:
        first, kind = raw.index(b"TREE\1"), 1
        key = bytes(raw[first + 24 : first + 24 + 40])
    end = len(raw)
    top = grown(raw, first, kind, key, 12)
    raw[:end] = raw[:end].replace(struct.pack("<Q", first), struct.pack("<Q", top))
    said = looked_at(raw, cube)
    assert "the tree of a group or of an array runs in a circle; the file is damaged" in said


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_honest_hdf5_files_with_groups_within_groups_and_many_chunks_open(tmp_path, libver):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver, userblock_size=512) as file:
        for number in range(200):
            file[f"g{number:03d}/{'long name ' * 9}/v"] = np.arange(3)
        for number in range(0, 200, 3):  # leaves free places, and old parts of trees, behind
            del file[f"g{number:03d}"]
        file["again"] = file["g001"]
        file["g001/round"] = file["/"]
        file.create_dataset("deep/er/cube", data=np.tile(DATA, (1, 5, 5)), chunks=(1, 3, 3))
    np.testing.assert_array_equal(open_cube(path, band_axis=0).data, np.tile(DATA, (1, 5, 5)))


def test_hdf5_groups_are_followed_only_so_deep(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["/".join(["g"] * 20) + "/cube"] = DATA
        file["/".join(["g"] * 100) + "/deeper"] = DATA
    np.testing.assert_array_equal(open_cube(tmp_path / "x.h5").data, DATA)


def test_an_hdf5_chunk_beyond_the_memory_is_not_read(tmp_path, monkeypatch):
    """What a chunk says it holds is looked at, before it is unpacked."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("cube", data=np.zeros((4, 512, 1024), "u1"), chunks=(4, 512, 1024), compression="gzip")
    assert (tmp_path / "x.h5").stat().st_size < 20_000
    open_cube(tmp_path / "x.h5", band_axis=0)
    monkeypatch.setattr("napari_decsc.hsi.io.formats.guards.fits_in_memory", lambda size: size < 1 << 20)
    assert "a chunk of /cube would take" in refusal(tmp_path / "x.h5", band_axis=0)


def hdf5_bomb(path, unpacked, **options):
    """A chunk of 8192 bytes that unpacks to ``unpacked``."""
    with h5py.File(path, "w") as file:
        made = file.create_dataset("cube", (8, 16, 16), "f4", chunks=(8, 16, 16), compression="gzip", **options)
        made.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(unpacked), 9))


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"shuffle": True, "fletcher32": True}])
def test_an_hdf5_bomb_is_not_unpacked(tmp_path, monkeypatch, options):
    """With 16 MiB of free memory: a chunk that becomes 64 MiB is refused before the library sees it."""
    monkeypatch.setattr(hdf5_values, "fits_in_memory", lambda size: size <= 8 << 20)
    hdf5_bomb(tmp_path / "bomb.h5", 64 << 20, **options)
    tracemalloc.start()
    try:
        assert "a chunk of /cube unpacks to more than it has room for" in refusal(tmp_path / "bomb.h5", band_axis=0)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_honest_hdf5_chunks_that_have_to_be_looked_at_open(tmp_path, monkeypatch):
    data = np.random.default_rng(0).integers(0, 5, (8, 64, 64)).astype("i2")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        options = {"chunks": (8, 32, 32), "compression": "gzip", "shuffle": True, "fletcher32": True}
        file.create_dataset("cube", data=data, **options)
    looked_at = []
    monkeypatch.setattr(hdf5_values, "fits_in_memory", lambda size: size == data.nbytes)
    monkeypatch.setattr(hdf5_values, "overflows", lambda *given: looked_at.append(given) or overflows(*given))
    assert np.array_equal(open_cube(tmp_path / "x.h5").data, data)
    assert len(looked_at) == 4


def opened_within(path, limit, **asked):
    tracemalloc.start()
    try:
        cube = open_cube(path, **asked)
        np.asarray(cube.data)
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()
    return cube


def test_a_matlab_array_that_unpacks_to_more_than_it_says_is_cut_off(tmp_path):
    """24 MiB behind the values, in the same compressed element."""
    path = tmp_path / "x.mat"
    scipy.io.savemat(path, {"cube": DATA}, do_compression=True)
    raw = path.read_bytes()
    (size,) = struct.unpack_from("<I", raw, 132)
    packed = zlib.compress(zlib.decompress(raw[136 : 136 + size]) + bytes(24 << 20))
    path.write_bytes(raw[:132] + struct.pack("<I", len(packed)) + packed)
    np.testing.assert_array_equal(opened_within(path, 4 << 20, band_axis=0).data, DATA)


@pytest.mark.parametrize("checksum", ["of all", "of what it says"])
def test_an_npz_member_that_unpacks_to_more_than_it_says(tmp_path, checksum):
    """The directory gives the honest length of the array; behind it the member goes on for 24 MiB."""
    path = tmp_path / "x.npz"
    array = npy_header(DATA.shape, "<i2", DATA.tobytes())
    zipped(path, {"cube.npy": array + bytes(24 << 20)}, zipfile.ZIP_DEFLATED)
    raw = bytearray(path.read_bytes())
    for signature, place in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        start = raw.rindex(signature)
        struct.pack_into("<I", raw, start + place, len(array))
        if checksum == "of what it says":
            struct.pack_into("<I", raw, start + place - 8, zlib.crc32(array))
    path.write_bytes(raw)
    if checksum == "of all":
        refusal(path)
    else:
        np.testing.assert_array_equal(opened_within(path, 4 << 20, band_axis=0).data, DATA)


@pytest.mark.parametrize("place", ["attribute", "array", "list"])
def test_no_room_is_made_for_a_text_longer_than_its_heap(tmp_path, place):
    """The library makes room for as many bytes as the file says, before it looks for the text."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["cube"] = np.zeros((5, 20, 30))
        if place == "array":
            file["map_info"] = "UTM, 1, 1, a text in a heap"
        elif place == "list":
            file["wavelengths"] = [f"{400 + n} nm" for n in range(40)]
        else:
            file["cube"].attrs["note"] = "UTM, 1, 1, a text in a heap"
    raw = bytearray(path.read_bytes())
    pointer = raw.rindex(struct.pack("<Q", raw.index(b"GCOL")))
    raw[pointer - 4 : pointer] = (4097).to_bytes(4, "little")  # one more than the heap has
    path.write_bytes(raw)
    assert "its texts run in a circle, or are longer than their room" in refusal(path)


def test_lists_of_any_length_are_never_read(tmp_path, monkeypatch):
    """Where the type of such a list is damaged the library crashes when it is read."""
    lists = h5py.vlen_dtype(np.dtype("f8"))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"] = np.zeros((5, 20, 30))
        held = np.empty(1, object)
        held[0] = np.arange(5.0)
        file["cube"].attrs.create("wavelengths", held, dtype=lists)
        file.create_dataset("wl", (), lists)
        file["wl"][()] = np.arange(400.0, 405)
    read, whole = [], h5py.AttributeManager.__getitem__
    monkeypatch.setattr(h5py.AttributeManager, "__getitem__", lambda *at: read.append(at[1]) or whole(*at))
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda own, at: pytest.fail(f"{own.name} was read"))
    assert open_cube(tmp_path / "x.h5").shape == (5, 20, 30)
    assert "wavelengths" not in read


def test_one_text_is_not_read_a_thousand_times(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["cube"] = np.zeros((5, 20, 30))
        file["wavelengths"] = ["4" * 1000, *["4"] * 999]
        start = file["wavelengths"].id.get_offset()
    assert open_cube(path).bands == 5
    raw = bytearray(path.read_bytes())
    raw[start : start + 16_000] = raw[start : start + 16] * 1000
    path.write_bytes(raw)
    assert "its texts run in a circle, or are longer than their room" in refusal(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("count", [1, 40])  # in the header of the object, and outside of it
@pytest.mark.parametrize("place", ["attribute", "array"])
def test_texts_that_run_in_a_circle_are_refused_before_the_library_follows_them(tmp_path, libver, count, place):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file["cube"] = np.zeros((5, 20, 30))
        if place == "array":
            file["map_info"] = "UTM, 1, 1, a text in a heap"
        for number in range(count if place == "attribute" else 0):
            file["cube"].attrs[f"note {number}"] = f"UTM, 1, 1, a text in a heap {number}"
        addresses = [h5py.h5o.get_info(each.id).addr for each in file.values()]
    assert open_cube(path).bands == 5
    raw = bytearray(path.read_bytes())
    first = raw.index(b"GCOL") + 16
    raw[first + 8 : first + 16] = (2**11).to_bytes(8, "little")
    raw[first + 16 : raw.index(b"GCOL") + 4096] = bytes(4096 - 32)
    assert "x.h5: its texts run in a circle, or are longer than their room; the file is damaged" in looked_at(
        raw, *addresses
    )
