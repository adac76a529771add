#!/bin/sh
# One valid HDF5 file, one version of h5py: whether it opens depends on which of two packages was imported first.
#
# Which:    h5py 3.14.0 and netCDF4 1.7.4, NumPy 2.2.6, from their wheels; none of this project's code runs.
# Guess:    netCDF4 brings an HDF5 library of its own, so that importing it changes nothing for h5py.
# Instead:  importing netCDF4 sets HDF5_PLUGIN_PATH for the whole process. If that comes before h5py, h5py reads chunks
#           packed by Zstandard, and says that it has Blosc; the other way round it cannot read the same file. Blosc is
#           there in words alone: no file can be made with it, as that plugin asks netCDF4's library about objects of
#           h5py's.
# Matters:  a script opens a cube; with its imports sorted it does not. "Is the filter there?" is answered by the order of
#           imports, and yes where it is of no use; tests that ask skip or pass by the order in which they run.
#
# Prints what it saw; exits with 1 if that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset HDF5_PLUGIN_PATH HDF5_PLUGIN_PRELOAD
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6 netCDF4==1.7.4 h5py==3.14.0
cat > "$folder/look.py" <<'END'
import importlib
import sys

path, *names = sys.argv[1:]
for name in names:
    importlib.import_module(name)
import h5py

BLOSC, ZSTANDARD = 32001, 32015
data = [[7] * 1000] * 20


def outcome(action):
    try:
        return action()
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {str(error)[:60]}"


def written(name, number):
    with h5py.File(name, "w") as file:
        file.create_dataset("x", data=data, chunks=(5, 500), compression=number, compression_opts=(3,))
    return "written"


def read(name):
    with h5py.File(name) as file:
        return "read" if file["x"][:].tolist() == data else "other values"


if names == ["netCDF4"]:
    print("make the file:", outcome(lambda: written(path, ZSTANDARD)))
print("read it:", outcome(lambda: read(path)))
print("Blosc is there:", h5py.h5z.filter_avail(BLOSC))
print("make one with Blosc:", outcome(lambda: written(path + ".blosc", BLOSC)))
END
for order in "netCDF4" "h5py netCDF4"; do
    echo "import $order"
    # the libraries print their own errors, too
    "$folder/venv/bin/python" "$folder/look.py" "$folder/x.h5" $order 2> /dev/null | tee -a "$folder/seen"
done
cat > "$folder/expected" <<'END'
make the file: written
read it: read
Blosc is there: True
make one with Blosc: ValueError
read it: OSError
Blosc is there: False
make one with Blosc: ValueError
END
sed 's/\(Error\): .*/\1/' "$folder/seen" > "$folder/short"
if diff "$folder/expected" "$folder/short"; then echo "as found"; else echo "changed"; exit 1; fi
