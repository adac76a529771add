#!/usr/bin/env bash
# Installs the peers: GDAL, R with terra, Octave and GRASS from Debian, the Python packages into a folder of their own.
# Usage: install.sh PYTHON FOLDER. What is there already is left as it is; without root only the Python packages come.
set -euo pipefail
python=$1 folder=$2 here=$(dirname "$0")

missing=()
for package in gdal-bin r-base-core r-cran-terra octave grass-core; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing ${missing[*]} with apt-get."
  as_root=(); if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
  if ! "${as_root[@]}" apt-get -qq update || ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null; then
    echo "They cannot be installed from here; their part of the table is left out." >&2
  fi
fi
if [ ! -x "$folder/bin/python" ]; then "$python" -m venv "$folder"; fi
"$folder/bin/python" -m pip install -qq --disable-pip-version-check --no-input -r "$here/requirements.txt"
