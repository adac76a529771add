#!/usr/bin/env bash
# A Zarr array of version 2 with dimension names, made by zarr itself, loses all its zeros when xarray opens it.
#
# Versions: zarr 3.1.6, xarray 2026.9.0, numpy 2.3.5.
# One would guess: `fill_value` of a Zarr array says what chunks that were never written hold, and nothing of the others;
#   an array that is written in full reads the same through zarr and through xarray, in both versions of the format.
# What happens: zarr gives an array the fill value 0 unless told otherwise. xarray takes it for CF's `_FillValue` in
#   version 2, and not in version 3: every measured 0 becomes NaN, whole numbers become floats, and no warning is given.
# Why it matters: dark pixels, saturated-low counts, class 0 and mask value 0 vanish from means, scores and fits, and
#   the same script on a version 3 store gives other numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check zarr==3.1.6 xarray==2026.9.0 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import numpy as np
import xarray
import zarr

warnings.simplefilter("ignore")
counts = np.array([[0, 1], [2, 0]], np.int16)
print("zarr", zarr.__version__, "xarray", xarray.__version__)
lost = {}
for version in (2, 3):
    group = zarr.open_group(f"v{version}.zarr", mode="w", zarr_format=version)
    if version == 2:
        group.create_array("counts", data=counts).attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    else:
        group.create_array("counts", data=counts, dimension_names=["y", "x"])
    found = xarray.open_zarr(f"v{version}.zarr", consolidated=False).counts
    lost[version] = int(np.isnan(found.values.astype(float)).sum())
    print(f"version {version}: zarr reads {group['counts'][:].tolist()}, fill value {group['counts'].metadata.fill_value};")
    print(f"           xarray reads {found.values.tolist()} ({found.dtype}), mean {float(found.mean()):g}")
sys.exit(0 if lost == {2: 2, 3: 0} else "zarr or xarray behave otherwise now")
PYTHON
