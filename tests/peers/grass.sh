#!/usr/bin/env bash
# grass.sh SOURCE FOLDER: imports an image, and exports it as GeoTIFF and as ENVI.
set -euo pipefail
source=$(realpath "$1") out=$(realpath "$2")
cat > "$out/job.sh" <<JOB
set -euo pipefail
r.in.gdal --quiet input=$source output=cube
i.group --quiet group=all input=\$(g.list type=raster pattern='cube.*' separator=comma | tr ',' '\n' | sort -t. -k2n | paste -sd,)
g.region raster=cube.1
r.out.gdal --quiet -c -m input=all output=$out/grass.tif format=GTiff type=Int16 nodata=-9999
r.out.gdal --quiet -c -m input=all output=$out/grass.img format=ENVI type=Int16 nodata=-9999
JOB
grass --tmp-location EPSG:32633 --exec bash "$out/job.sh"
