#!/bin/sh
# One valid NetCDF file, two of its best known readers in Python, two different sets of measurements.
#
# Which:    netCDF4 1.7.4 and xarray 2025.6.1 (with h5netcdf 1.6.4), NumPy 2.2.6; none of this project's code runs.
# Guess:    both follow the NetCDF Users' Guide, so that both mask the same cells of the same file.
# Instead:  netCDF4 masks 255 in plain unsigned bytes that have no _FillValue, though the Guide says that all bytes are
#           valid then; xarray keeps it. xarray keeps the 9.97e36 of cells that were never written, and numbers outside of
#           valid_range; netCDF4 masks both.
# Matters:  a camera's bytes saturate at 255: with netCDF4 the brightest pixels vanish and the mean falls. A line that was
#           never written makes the mean of a cube 1e36 with xarray. Which tool read the file decides the result.
#
# Prints what it saw; exits with 1 if that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.2.6 netCDF4==1.7.4 xarray==2025.6.1 h5netcdf==1.6.4 h5py==3.14.0
"$folder/venv/bin/python" - "$folder/scene.nc" <<'END'
import sys

import h5netcdf
import netCDF4
import numpy as np
import xarray

path = sys.argv[1]
with netCDF4.Dataset(path, "w") as file:
    file.createDimension("x", 5)
    camera = file.createVariable("camera", "u1", ("x",))
    camera[:] = [10, 20, 30, 255, 255]  # two saturated pixels
    line = file.createVariable("unwritten", "f4", ("x",))
    line[:3] = [0.1, 0.2, 0.3]  # cells 3 and 4 are never written
    ranged = file.createVariable("ranged", "f4", ("x",))
    ranged.valid_range = np.array([0, 1], "f4")
    ranged[:] = [0.1, 0.2, 0.3, 50, -50]

print(f"netCDF4 {netCDF4.__version__}, xarray {xarray.__version__}, h5netcdf {h5netcdf.__version__}, NumPy {np.__version__}")
seen = {}
with netCDF4.Dataset(path) as file, xarray.open_dataset(path, engine="h5netcdf") as other:
    for name in ("camera", "unwritten", "ranged"):
        one = np.ma.masked_array(file[name][:])
        two = other[name].values
        measured = int(one.count()), int(np.isfinite(two).sum())
        seen[name] = measured
        print(f"{name:9}  netCDF4: {measured[0]} of 5 measured, mean {one.mean():<9.4g} {one}")
        print(f"{'':9}  xarray:  {measured[1]} of 5 measured, mean {two.mean(dtype=float):<9.4g} {two}")

expected = {"camera": (3, 5), "unwritten": (3, 5), "ranged": (3, 5)}
print("as found" if seen == expected else f"changed: {seen} instead of {expected}")
sys.exit(0 if seen == expected else 1)
END
