"""Reads or writes a file with one of the Python packages; runs in their own environment, without this package.

    python_peer.py PEER read FILE ANSWER.npz
    python_peer.py PEER write VALUES.npy FILE

The answer has the numbers (band, row, col) as the peer gives them and, as JSON, what it says of them; facts it has no
words for are left out. VALUES are (band, row, col), int16; each peer writes with them what it can: wavelengths from
400 nm in steps of 50, a no-data value of -9999, scale 10000, EPSG:32633 at 500000, 5500000 with pixels of 30 x 20 m.
"""

import json
import sys

import numpy as np

LENGTHS = [400.0 + 50 * band for band in range(100)]


def spy_read(path):
    import spectral

    image = spectral.open_image(path)
    said = image.metadata
    return image.open_memmap(interleave="bsq"), {
        "wavelengths": image.bands.centers,
        "fwhm": image.bands.bandwidths,
        "names": said.get("band names"),
        "no_data": float(said["data ignore value"]) if "data ignore value" in said else None,
        "scale": image.scale_factor,
        "place": [float(one) for one in said["map info"][3:7]] if "map info" in said else None,
    }


def spy_write(values, path):
    import spectral

    said = {
        "wavelength": LENGTHS[: len(values)],
        "wavelength units": "Nanometers",
        "data ignore value": -9999,
        "reflectance scale factor": 10000,
        "band names": [f"band {n}" for n in range(len(values))],
        "map info": ["UTM", 1, 1, 500000, 5500000, 30, 20, 33, "North", "WGS-84"],
    }
    spectral.envi.save_image(path, values.transpose(1, 2, 0), metadata=said, interleave="bip", ext="")


def rasterio_read(path):
    import rasterio

    name = f"netcdf:{path}:cube" if path.endswith(".nc") else path
    with rasterio.open(name) as image:
        tags = [image.tags(band) for band in image.indexes]
        lengths = [tag.get("wavelength") or tag.get("NETCDF_DIM_wavelength") for tag in tags]
        return image.read(), {
            "wavelengths": [float(one) for one in lengths] if all(lengths) else None,
            "fwhm": [float(tag["fwhm"]) for tag in tags] if "fwhm" in tags[0] else None,
            "names": list(image.descriptions) if path.endswith(".tif") else None,
            "no_data": image.nodata,
            "scale": 1 / image.scales[0] if image.scales[0] != 1 else None,
            "place": [image.transform.c, image.transform.f, image.transform.a, -image.transform.e],
            "code": image.crs.to_epsg() if image.crs else None,
        }


def rasterio_write(values, path):
    import rasterio

    profile = {
        "count": len(values),
        "height": values.shape[1],
        "width": values.shape[2],
        "dtype": "int16",
        "nodata": -9999,
        "crs": "EPSG:32633",
        "transform": rasterio.Affine(30, 0, 500000, 0, -20, 5500000),
        "driver": "GTiff" if path.endswith(".tif") else "ENVI",
    }
    if path.endswith(".tif"):
        profile |= {"compress": "lzw", "predictor": 2, "tiled": True, "blockxsize": 16, "blockysize": 16}
    with rasterio.open(path, "w", **profile) as image:
        image.write(values)
        image.scales = [0.0001] * len(values)
        for band in image.indexes:
            image.set_band_description(band, f"band {band - 1}")
            image.update_tags(band, wavelength=LENGTHS[band - 1], wavelength_units="Nanometers")


def hylite_read(path):
    from hylite import io

    image = io.load(path)
    return np.asarray(image.data).transpose(2, 1, 0), {"wavelengths": np.asarray(image.get_wavelengths()).tolist()}


def hylite_write(values, path):
    import hylite
    from hylite import io

    image = hylite.HyImage(values.transpose(2, 1, 0).astype(np.float32))
    image.set_wavelengths(np.array(LENGTHS[: len(values)]))
    io.save(path, image)


def hytools_read(path):
    import hytools

    image = hytools.HyTools()
    image.read_file(path, "envi")
    image.load_data()
    values = np.stack([image.get_band(band) for band in range(image.bands)])
    return values, {"wavelengths": np.asarray(image.wavelengths).tolist(), "no_data": float(image.no_data)}


def hytools_write(values, path):
    from hytools.io.envi import WriteENVI, envi_header_dict

    bands, lines, samples = values.shape
    header = envi_header_dict() | {
        "samples": samples,
        "lines": lines,
        "bands": bands,
        "data type": 2,
        "interleave": "bil",
        "byte order": 0,
        "header offset": 0,
        "file type": "ENVI Standard",
        "wavelength": LENGTHS[:bands],
        "wavelength units": "nanometers",
        "data ignore value": -9999,
    }
    writer = WriteENVI(path, header)
    for line in range(lines):
        writer.write_line(values[:, line].T, line)
    writer.close()


def plantcv_read(path):
    from plantcv import plantcv

    image = plantcv.hyperspectral.read_data(filename=path)
    return image.array_data.transpose(2, 0, 1), {"wavelengths": list(image.wavelength_dict)}


def xarray_read(path):
    import xarray

    options = {"engine": "zarr", "consolidated": False} if path.endswith(".zarr") else {"engine": "netcdf4"}
    with xarray.open_dataset(path, mask_and_scale=False, decode_coords="all", **options) as found:
        cube = found["cube"]
        xs, ys = found[cube.dims[2]].values, found[cube.dims[1]].values
        width, height = xs[1] - xs[0], ys[0] - ys[1]
        return cube.values, {
            "wavelengths": found["wavelength"].values.tolist(),
            "fwhm": found["fwhm"].values.tolist(),
            "no_data": float(cube.attrs["_FillValue"]),
            "scale": 1 / float(cube.attrs["scale_factor"]),
            "place": [float(xs[0] - width / 2), float(ys[0] + height / 2), float(width), float(height)],
        }


def xarray_write(values, path):
    import xarray

    coords = {
        "wavelength": ("wavelength", LENGTHS[: len(values)], {"units": "nm"}),
        "y": 5500000 - 20 * (np.arange(values.shape[1]) + 0.5),
        "x": 500000 + 30 * (np.arange(values.shape[2]) + 0.5),
    }
    array = xarray.DataArray(values, dims=("wavelength", "y", "x"), coords=coords)
    array.attrs.update({"scale_factor": 0.0001, "_FillValue": np.int16(-9999)})
    found = array.to_dataset(name="reflectance")
    if path.endswith(".zarr"):
        found.to_zarr(path, consolidated=False)
    else:
        found.to_netcdf(path, engine="netcdf4")


def zarr_read(path):
    import zarr

    group = zarr.open_group(path, mode="r")
    return group["cube"][:], {"wavelengths": group["wavelength"][:].tolist()}


def main():
    peer, what, first, second = sys.argv[1:]
    done = globals()[f"{peer}_{what}"]
    if what == "write":
        done(np.load(first), second)
        return
    values, facts = done(first)
    plain = {key: value for key, value in facts.items() if value is not None}
    np.savez(second, values=np.asarray(values), facts=json.dumps(plain, default=float))


if __name__ == "__main__":
    main()
