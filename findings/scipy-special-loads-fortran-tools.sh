#!/usr/bin/env bash
# `import scipy.special` loads NumPy's generator of Fortran wrappers, numpy.f2py with its parser of Fortran.
#
# Versions: scipy 1.17.1, numpy 2.4.6.
# One would guess: whoever needs one special function loads compiled functions and little Python; f2py is a tool for
#   builds, and `import numpy` itself leaves it out (it comes when it is asked for).
# What happens: SciPy's layer for array interfaces copies NumPy's names with a star import. `f2py` is among the names of
#   `numpy.__all__`, so that the star asks for it: 17 modules, regular expressions and tables of Fortran, that no
#   caller of `gammaincc` needs. The same holds for scipy.ndimage and scipy.stats, which import scipy.special.
# Why it matters: a command line tool, a worker of a cluster and a plugin that judges one residual pay it in every
#   process: an eighth of the import on the machine where this was seen. Who counts imports to keep a start quick will
#   not look there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import subprocess
import sys

LOADED = "import sys; print(sum(name.startswith('numpy.f2py') for name in sys.modules))"


def loaded(module):
    """Modules of numpy.f2py that are there after an import."""
    return int(subprocess.run([sys.executable, "-c", f"import {module}; {LOADED}"], capture_output=True, text=True).stdout)


def milliseconds(module, part):
    """What an import takes, and that part of it: the second column of `-X importtime`."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    lines = [line.split("|") for line in subprocess.run(command, capture_output=True, text=True).stderr.splitlines()]
    times = {line[2].strip(): int(line[1]) / 1000 for line in lines if line[1].strip().isdigit()}
    return times[module], times.get(part, 0.0)


subprocess.run([sys.executable, "-c", "import scipy.special"], check=True)  # byte code is there from here on
found = {module: loaded(module) for module in ("numpy", "scipy.special", "scipy.ndimage", "scipy.stats")}
for module, count in found.items():
    print(f"{module:14} leaves {count:2} modules of numpy.f2py behind")
whole, part = milliseconds("scipy.special", "numpy.f2py")
print(f"import scipy.special: {whole:.0f} ms, of which numpy.f2py {part:.0f} ms ({part / whole:.0%})")
sys.exit(0 if found["numpy"] == 0 and found["scipy.special"] > 10 else "SciPy loads it no longer")
PYTHON
