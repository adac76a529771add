"""Denoise an array: NumPy in, NumPy out; the same with dask and xarray."""

import numpy as np
import xarray as xr

import napari_decsc as nd

clean = nd.sample_cube(rows=64, cols=64)  # a synthetic scene; take your own array instead, axes (band, row, col)
array = nd.add_noise(clean.data, "gaussian", sigma=30)

denoised = nd.denoise(array)
print(f"NumPy: {denoised.shape}, {denoised.dtype}")
print(f"PSNR {nd.score(clean, array).mpsnr:.1f} dB before, {nd.score(clean, denoised).mpsnr:.1f} dB after")

# Many arrays have their bands last.
bands_last = np.moveaxis(array, 0, -1)
print(f"bands last: {nd.denoise(bands_last, band_axis=-1).shape}")

# Of an xarray the bands are found by name, and everything it knows is kept.
labelled = xr.DataArray(
    bands_last,
    dims=("y", "x", "wavelength"),
    coords={"wavelength": ("wavelength", clean.wavelengths, {"units": "nm"})},
    attrs={"site": "a cup of coffee"},
)
result = nd.denoise(labelled, strength=0.8)
print(f"xarray: {dict(result.sizes)}, {result.attrs}")
