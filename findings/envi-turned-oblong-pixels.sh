#!/usr/bin/env bash
# A turned image with oblong pixels does not survive GDAL's ENVI format: it comes back with other pixel sizes, another
# angle and a shear, without a word.
#
# Versions: rasterio 1.4.4 (GDAL 3.10.3 in its wheel), numpy 2.3.5.
# One would guess: a transform that is written as `map info` with its `rotation` comes back as it was, as it does for
#   square pixels; or that the driver says it cannot.
# What happens: pixels of 30 m x 20 m, turned by 30 degrees, are written as 27.84 m x 22.91 m, turned by 30.97 degrees,
#   and read as a grid whose axes are not at right angles any more.
# Why it matters: airborne line scanners fly along turned lines, and their pixels are oblong (along and across track
#   differ). At the far corner of 1000 x 1000 pixels the place is off by kilometres, and QGIS and rasterio show it there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check rasterio==1.4.4 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import math
import sys

import numpy as np
import rasterio
from rasterio import Affine

SIZE = 1000


def there_and_back(width, height):
    """The transform of an image that is turned by 30 degrees: as given, and as GDAL reads what it wrote."""
    given = Affine.translation(500000, 5500000) * Affine.rotation(30) * Affine.scale(width, -height)
    options = {"driver": "ENVI", "count": 1, "height": 4, "width": 5, "dtype": "uint8", "crs": "EPSG:32633"}
    with rasterio.open("turned.img", "w", transform=given, **options) as image:
        image.write(np.ones((1, 4, 5), np.uint8))
    with rasterio.open("turned.img") as image:
        return given, image.transform


def shown(transform):
    return [round(float(value), 3) for value in transform[:6]]


print("rasterio", rasterio.__version__, "GDAL", rasterio.__gdal_version__)
offs = {}
for width, height in ((30, 30), (30, 20)):
    given, read = there_and_back(width, height)
    offs[width, height] = math.dist(given * (SIZE, SIZE), read * (SIZE, SIZE))
    print(f"pixels of {width} x {height} m: given {shown(given)}")
    print(f"{' ' * 21}read  {shown(read)}")
    print(f"{' ' * 21}pixel ({SIZE}, {SIZE}) is off by {offs[width, height]:.0f} m")
    if height == 20:
        print(next(line.strip() for line in open("turned.hdr") if "map info" in line))
sys.exit(0 if offs[30, 30] < 1e-3 and offs[30, 20] > 1000 else "GDAL behaves otherwise now")
PYTHON
