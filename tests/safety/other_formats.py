"""Small valid files of the formats beside ENVI, for the fuzzer to change; only of formats that the package opens."""

import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import FORMATS, save_cube

DATA = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 24
_HEADER = (
    b"ENVI\nsamples = 4\nlines = 3\nbands = 2\ndata type = 4\ninterleave = bsq\n; a comment\nno field\n"
    b"band names = {\na, 1,\nb, 2}\nmap info = {UTM, 1, 1, 5, 6, 7, 8, 33, North, WGS-84, rotation=5}\n"
)


def seeds() -> list[Case]:
    """One case for each extension that is both opened by the package and known here."""
    known = {extension for kind in FORMATS for extension in kind.extensions}
    alone = [Case({f"x{end}": made}, f"x{end}") for end, make in _MAKERS.items() if end in known for made in make()]
    return alone + _companions() + _stores()


def _numpy() -> list[bytes]:
    files = []
    for data in (DATA, np.asfortranarray(DATA.astype(np.int16)), DATA.astype(">f8")):
        file = io.BytesIO()
        np.save(file, data)
        files.append(file.getvalue())
    return files


def _zipped() -> list[bytes]:
    file = io.BytesIO()
    np.savez_compressed(file, cube=DATA, wavelengths=np.array([400.0, 500.0]), nodata=0.5, scale_factor=2.0)
    return [file.getvalue()]


def _matlab() -> list[bytes]:
    from scipy.io import savemat

    files = []
    for squeeze in (False, True):
        file = io.BytesIO()
        savemat(file, {"cube": DATA.transpose(1, 2, 0), "gt": np.ones((3, 4))}, do_compression=squeeze)
        files.append(file.getvalue())
    return [*files, *_structures(), *_hdf5(), _octave_text()]


def _octave_text() -> bytes:
    """As Octave's save writes by itself: a structure, truths, a range, texts, complex numbers."""
    cube = "\n".join(f" {value:g}" for value in DATA.transpose(1, 2, 0).ravel(order="F"))
    return (
        f"# Created by Octave 7.3.0\n# name: s\n# type: scalar struct\n# ndims: 2\n 1 1\n# length: 1\n"
        f"# name: cube\n# type: float matrix\n# ndims: 3\n 3 4 2\n{cube}\n\n\n"
        f"# name: wl\n# type: double_range\n# base, limit, increment\n400 500 100\n\n\n"
        f"# name: fwhm\n# type: matrix\n# rows: 2\n# columns: 1\n 5\n NA\n\n\n"
        f"# name: good\n# type: bool matrix\n# ndims: 3\n 1 1 2\n 1\n 0\n\n\n# name: n\n# type: int8 scalar\n5\n\n\n"
        f"# name: wavelength\n# type: sq_string\n# elements: 2\n# length: 3\n400\n# length: 3\n500\n\n\n"
        f"# name: z\n# type: complex matrix\n# rows: 1\n# columns: 1\n (1,2)\n"
    ).encode()


def _structures() -> list[bytes]:
    """Structures and cells within each other, several dates, wavelengths of each column."""
    from scipy.io import savemat

    letters = np.array(["400 nm", "500 nm"], object)
    inner = {"data": DATA.transpose(1, 2, 0), "wl": np.array([400.0, 500]), "name": "abc", "empty": []}
    files = []
    for squeeze in (False, True):
        file = io.BytesIO()
        cell = np.array([DATA, {"wavelength": np.ones((2, 4))}], object)
        held = {
            "s": {"one": inner},
            "c": cell,
            "wl": letters,
            "fwhm": np.array(["5.5", "6.5"]),
            "r": np.stack([DATA, DATA], 3),
            "wavelength": np.full((2, 4), 500.0),
        }
        savemat(file, held, do_compression=squeeze)
        files.append(file.getvalue())
    return files


def _hdf5() -> list[bytes]:
    return [_made(fill) for fill in _FILLS]


def _made(fill: Callable[[Any], None]) -> bytes:
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as store:
        fill(store)
    return file.getvalue()


def _plain(store: Any) -> None:
    store["cube"] = DATA
    store["wavelengths"] = np.array([400.0, 500.0])


def _octave(store: Any) -> None:
    three = np.array((400.0, 500.0, 100.0), [("base", "f8"), ("limit", "f8"), ("increment", "f8")])
    for name, kind, value in (("cube", "float matrix", DATA.transpose()), ("wl", "double_range", three)):
        group = store.create_group(name)
        group.attrs["OCTAVE_NEW_FORMAT"] = np.uint8(1)
        group["type"], group["value"] = np.bytes_(kind), value


def _prisma(store: Any) -> None:
    fields = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/"
    for name, lengths in (("Vnir", [500.0, 400, 0]), ("Swir", [900.0, 800])):
        store[f"{fields}{name.upper()}_Cube"] = np.arange(12 * len(lengths), dtype="u2").reshape(3, len(lengths), 4)
        store.attrs[f"List_Cw_{name}"] = store.attrs[f"List_Fwhm_{name}"] = np.array(lengths)
        store.attrs[f"L2Scale{name}Min"], store.attrs[f"L2Scale{name}Max"] = 0.0, 1.2


def _dimensions(store: Any) -> None:
    """As the netCDF library writes: dimensions, packed and unsigned numbers, gaps, a grid."""
    store.attrs["_NCProperties"] = "version=2"
    cube = store.create_dataset("r", data=np.arange(64, dtype="i2").reshape(4, 4, 4))
    cube.attrs.update({"scale_factor": 0.5, "add_offset": -1.0, "_Unsigned": "true", "missing_value": np.int16([3, 9])})
    cube.attrs.update({"valid_range": np.int16([0, 50]), "_FillValue": np.int16(-1), "grid_mapping": "crs"})
    for place, name in enumerate(("band", "y", "x")):
        store[name] = np.linspace(900, 400, 4)
        store[name].make_scale(name)
        cube.dims[place].attach_scale(store[name])
    store["crs"] = np.int32(0)
    store["crs"].attrs.update({"spatial_ref": 'PROJCS["UTM zone 33N"]', "GeoTransform": "0 1 0 9 0 -1"})


def _bands(store: Any) -> None:
    for band in (1, 2, 10):
        made = store.create_dataset(f"a/Band{band}", data=DATA[0], chunks=(2, 2), compression="gzip")
        made.attrs.update({"wavelength": 400.0 + band, "scale_factor": 0.1 * band, "_FillValue": np.float32(band)})
    store["a/lat"], store["a/lon"] = DATA[0], DATA[1]


def _table(store: Any) -> None:
    store["Y"], store["nRow"], store["nCol"] = DATA.reshape(2, 12), np.array([[3.0]]), np.array([[4.0]])
    store["Y"].attrs["MATLAB_class"] = np.bytes_("single")


def _series(store: Any) -> None:
    """Several dates, wavelengths of each column, texts, a table of fields."""
    store["r"] = np.stack([DATA, DATA])
    store["a/wavelength"], store["a/fwhm"] = 400 + DATA[:, 0], np.ones((4, 2))
    store["q"], store["wl"], store["t"] = np.array([400.0, 500.0]), "400, 500", np.zeros(2, [("a", "f4"), ("b", "i4")])
    store["names/wavelengths"] = ["400 nm", "500 nm"]
    store["q"].attrs.update({"standard_name": "radiation_wavelength", "units": "nm"})


def _of_r(store: Any) -> None:
    """As R's rhdf5 writes, with HDF's older words for a scale, a fill value, and numbers beside the cube."""
    cube = store.create_dataset("cube", data=np.arange(24, dtype="i4").reshape(2, 3, 4), fillvalue=7)
    cube.attrs.update({"rhdf5-NA.OK": 1, "slope": 0.5, "Offset": 2.0, "bad_value": 3})
    store["scale_factor"], store.attrs["radiance_scale"], store["fwhm"] = 0.1, 5.0, np.array([10.0, 10.0])
    store["wavelength"] = np.array([0.4, 0.5])


def _letters(store: Any) -> None:
    """Texts of MATLAB's, and JSON in an attribute."""
    store["cube"], store["wavelength"] = DATA, np.array([[52, 53], [48, 48], [48, 48]], "u2")
    store["cube"].attrs["MATLAB_class"], store["wavelength"].attrs["MATLAB_class"] = np.bytes_("single"), b"char"
    store.attrs["metadata"] = '{"sensor": {"fwhm": [5, 6], "wavelength_units": "nm"}}'


def _beside(store: Any) -> None:
    """HyperSpy's axes, letters, a table of bands, names of bands, CF's flags."""
    group = store.create_group("Experiments/x")
    group.create_dataset("data", data=DATA, chunks=(1, 3, 2), compression="gzip")
    for place, (name, size) in enumerate((("w", 2), ("y", 3), ("x", 4))):
        axis = group.create_group(f"axis-{place}")
        axis.attrs.update({"name": name, "size": size, "navigate": place == 0, "units": "nm" if place == 0 else ""})
        axis.attrs.update({"scale": 100.0, "offset": 400.0} if place else {})
    group["axis-0/axis"] = np.array([400.0, 500.0])
    store["wavelength"] = np.array([[b"4", b"0", b"0"], [b"5", b"0", b"0"]], "S1")
    store["bands"] = np.array(
        [(b"a", 0.4, 5), (b"b", 0.5, 6)], [("name", "S2"), ("center_wavelength", "f4"), ("fwhm", "i2")]
    )
    store["flags"], store["band_names"] = DATA, np.array([b"450.5 nm", b"460.5 nm"])
    store["flags"].attrs.update({"flag_masks": np.uint8([1, 2]), "ancillary_variables": "a b"})
    store["wavelength"].attrs["units"] = "m"


def _in_two_parts(store: Any) -> None:
    """NEON's radiance."""
    for name, kind in (("Integer", "u1"), ("Decimal", "u2")):
        part = store.create_dataset(f"A/Radiance{name}Part", data=(DATA * 200).astype(kind), chunks=(1, 3, 2))
        part.attrs["Data_Ignore_Value"], part.attrs["Scale_Factor"] = 7.0, 50000.0
    store["A/Metadata/Wavelength"] = np.array([400.0, 500, 600, 700])


def _classic() -> list[bytes]:
    # of a fixed number of bands, and unlimited
    with tempfile.TemporaryDirectory() as folder:
        return [_classic_file(Path(folder, "x.nc"), bands) for bands in (2, None)]


def _classic_file(path: Path, bands: int | None) -> bytes:
    from scipy.io import netcdf_file

    with netcdf_file(str(path), "w", mmap=False) as store:
        for name, size in (("band", bands), ("y", 3), ("x", 4)):
            store.createDimension(name, size)
        cube = store.createVariable("r", "i2", ("band", "y", "x"))
        cube[:] = np.arange(24, dtype="i2").reshape(2, 3, 4)
        cube.scale_factor, cube._Unsigned, cube.missing_value = -0.5, "true", np.int16(3)
        waves = store.createVariable("wavelength", "f4", ("band",))
        waves[:], waves.units, waves._FillValue = np.float32([400, 500]), "nm", np.float32(-1)
        store.createDimension("letter", 6)
        store.createVariable("band_name", "c", ("band", "letter"))[:] = [[*"400 nm"], [*"500 nm"]]
        store.createVariable("Band1", "f4", ("y", "x"))[:] = DATA[0]
    return path.read_bytes()


def _stores() -> list[Case]:
    """Zarr of both versions: as this package and xarray write it, OME-Zarr, shards, and one in a zip file."""
    with tempfile.TemporaryDirectory() as folder:
        places = [make(Path(folder, f"{number}.zarr")) for number, make in enumerate((_ours, _xarray, _ome, _shards))]
        cases = [Case({f"x.zarr/{k}": v for k, v in Case.of_folder(one, "").files.items()}, "x.zarr") for one in places]
        zipped = Path(shutil.make_archive(str(Path(folder, "x")), "zip", places[1])).read_bytes()
    return [*cases, Case({"x.zarr.zip": zipped}, "x.zarr.zip")]


def _ours(path: Path) -> Path:
    header = {"sensor type": "X", "band names": ["a, 1", "b"], "map info": ["UTM", "1", "1", "5", "6", "7", "8", "33"]}
    return save_cube(Cube(DATA, wavelengths=np.array([400.0, 500]), no_data=0.5, header=header), path)


def _xarray(path: Path) -> Path:
    """Version 2, with a fill value, packed numbers and Blosc."""
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=2)
    cube = group.create_array("r", data=np.arange(24, dtype="i2").reshape(2, 3, 4), chunks=(1, 2, 4), fill_value=-1)
    cube.attrs.update({"_ARRAY_DIMENSIONS": ["wavelength", "y", "x"], "scale_factor": 0.5, "add_offset": -1.0})
    waves = group.create_array("wavelength", data=np.array([400.0, 500.0]))
    waves.attrs.update({"_ARRAY_DIMENSIONS": ["wavelength"], "units": "nm", "_FillValue": "AAAAAAAA+H8="})
    return path


def _ome(path: Path) -> Path:
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=3)
    axes = [{"name": name, "type": "channel" if name == "c" else "space"} for name in "czyx"]
    labels = {"channels": [{"label": f"{400 + n} nm"} for n in range(2)]}
    said = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]}
    group.attrs.update(
        {"ome": {**said, "omero": labels}, "spatial:transform": [1.0, 0, 5, 0, -1, 6], "proj:code": "E:1"}
    )
    group.create_array("0", data=DATA[:, None], compressors=None)
    group.create_array("1", data=DATA[:, None, ::2, ::2])
    return path


def _shards(path: Path) -> Path:
    import zarr

    array = zarr.create_array(path, shape=DATA.shape, dtype="f4", chunks=(1, 1, 4), shards=(2, 3, 4), fill_value="NaN")
    array[:] = DATA
    return path


def _companions() -> list[Case]:
    """A TIFF with a header beside it, and one with the metadata of EnMAP."""
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, DATA, photometric="minisblack", metadata=None)
    header = b"ENVI\nfile type = TIFF\nsamples = 4\nlines = 3\nbands = 2\nwavelength = {400, 500}\nbbl = {1, True}\n"
    bands = "".join(
        f'<bandID number="{n}"><wavelengthCenterOfBand>{400 + n}</wavelengthCenterOfBand><FWHMOfBand>7</FWHMOfBand>'
        f"<GainOfBand>0.5</GainOfBand><OffsetOfBand>-{n}</OffsetOfBand></bandID>"
        for n in (1, 2)
    )
    text = f"<a><backgroundValue>-3</backgroundValue><bandCharacterisation>{bands}</bandCharacterisation></a>"
    image = "E-SPECTRAL_IMAGE.TIF"
    pair = {"x.tif": file.getvalue(), "x.tif.hdr": header}
    notes = {"x.tif": file.getvalue(), "x.tif.aux.xml": _notes()}
    raw = {"x.img": DATA.tobytes(), "x.hdr": _HEADER, "x.img.aux.xml": _notes()}
    product = {image: file.getvalue(), "E-METADATA.XML": text.encode()}
    noted = [Case(notes, "x.tif"), Case(raw, "x.hdr")]
    return [*noted, Case(pair, "x.tif"), Case(pair, "x.tif.hdr"), Case(product, image), Case(product, "E-METADATA.XML")]


def _notes() -> bytes:
    """What GDAL notes of a file beside it."""
    bands = "".join(
        f'<PAMRasterBand band="{n}"><Description>b, {n}</Description><NoDataValue>{n}</NoDataValue><Scale>0.{n}</Scale>'
        f'<Offset>-{n}</Offset><Metadata><MDI key="wavelength">{400 + n}</MDI></Metadata></PAMRasterBand>'
        for n in (1, 2)
    )
    place = "<SRS>GEOGCS[&quot;WGS 84&quot;]</SRS><GeoTransform> 10.0, 0.5, 0.0, 50.0, 0.0, -0.25</GeoTransform>"
    return f"<PAMDataset>{place}{bands}</PAMDataset>".encode()


def _tiff() -> list[bytes]:
    import tifffile

    items = "".join(
        f'<Item name="SCALE" sample="{n}" role="scale">0.{n + 1}</Item><Item name="OFFSET" sample="{n}" role="offset">'
        f'{n}</Item><Item name="CENTRAL_WAVELENGTH_UM" sample="{n}" domain="IMAGERY">0.{n + 4}</Item>'
        for n in (0, 1)
    )
    geo = [(33550, "d", 3, (1.0, 2.0, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, 5.0, 6.0, 0.0), True)]
    keys = (34735, "H", 12, (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633), True)
    told = "<BAND_INDEX>{0}</BAND_INDEX><BAND_WAVELEN>4{0}0.5</BAND_WAVELEN><SCALING_FACTOR>0.{0}1</SCALING_FACTOR>"
    snap = "".join(f"<Spectral_Band_Info>{told.format(n)}</Spectral_Band_Info>" for n in (0, 1))
    snap = snap.replace("</BAND_INDEX>", "</BAND_INDEX><LOG10_SCALED>true</LOG10_SCALED>", 1)
    dimap = [(65000, "s", 0, f"<Dimap_Document><Image>{snap}</Image></Dimap_Document>", True)]
    gdal = [(42112, "s", 0, f"<GDALMetadata>{items}</GDALMetadata>", True), (42113, "s", 0, "3", True), *geo, keys]
    files = []
    for options in (
        {},
        {"compression": "zlib"},
        {"compression": "lzw", "predictor": True},
        {"compression": "zstd"},
        {"compression": "lerc"},
        {"planarconfig": "separate", "extratags": gdal},
        {"planarconfig": "separate", "extrasamples": ["unassalpha"]},
        {"planarconfig": "separate", "extratags": dimap, "metadata": None},
    ):
        file = io.BytesIO()
        tifffile.imwrite(file, DATA, photometric="minisblack", **options)
        files.append(file.getvalue())
    file = io.BytesIO()
    told = {"axes": "CYX", "cf": 0, "c0": -32768.0, "c1": 1.0}
    tifffile.imwrite(file, DATA.astype("u2"), imagej=True, metadata=told)
    return [*files, file.getvalue(), *_axes_of_tiff(), _with_mask()]


def _axes_of_tiff() -> list[bytes]:
    """Stacks whose descriptions name their axes: OME-XML, ImageJ, JSON with lists."""
    import tifffile

    stack = np.stack([DATA, DATA]).astype("u2")
    channels = {"Channel": {"EmissionWavelength": [400.5, 500.5], "Name": ["a", "b"]}}
    described = '{"shape": [2, 3, 4], "axes": "CYX", "sensor": {"wavelength": [400, 500]}}'
    files = []
    for data, options in (
        (stack, {"ome": True, "metadata": {"axes": "TCYX", **channels}}),
        (stack, {"imagej": True, "metadata": {"axes": "TCYX"}}),
        (DATA, {"metadata": None, "description": described}),
    ):
        file = io.BytesIO()
        tifffile.imwrite(file, data, photometric="minisblack", **options)
        files.append(file.getvalue())
    return files


def _with_mask() -> bytes:
    import tifffile

    file = io.BytesIO()
    with tifffile.TiffWriter(file) as out:
        out.write(DATA.astype("u2"), photometric="minisblack", planarconfig="separate", metadata=None)
        out.write(DATA[0] > 0.1, photometric="mask", subfiletype=4, compression="zlib", metadata=None)
    return file.getvalue()


_FILLS = (_plain, _octave, _prisma, _dimensions, _bands, _table, _series, _of_r, _letters, _in_two_parts, _beside)
_MAKERS: dict[str, Callable[[], list[bytes]]] = {
    ".npy": _numpy,
    ".npz": _zipped,
    ".mat": _matlab,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".he5": _hdf5,
    ".nc": lambda: [*_hdf5(), *_classic()],
    ".tif": _tiff,
    ".tiff": _tiff,
}
