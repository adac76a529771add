"""A program that is made to die: replaces an ENVI pair again and again. Run by `kill.py` and test_kill.py.

    python tests/safety/writer.py HEADER KIND [STEP]

KIND "same" writes two cubes of one layout in turn, "other" two of different layouts. With STEP the program kills itself
right before the STEP-th change of a name, without it it goes on for ever. It writes one byte to stdout when it begins.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import write_envi

#: Calls that change what stands under a name.
CHANGES = ("replace", "link", "unlink", "rename")


def cubes(kind: str) -> tuple[Cube, Cube]:
    """Two cubes that cannot be taken for each other, nor half of one for a whole one."""
    one = np.full((8, 96, 96), 1, np.float32)
    two = np.full((8, 96, 96), 2, np.float32) if kind == "same" else np.full((5, 64, 128), 2, np.int16)
    return (
        Cube(one, name="one", wavelengths=np.arange(400.0, 408), wavelength_unit="nm", scale=1.0),
        Cube(two, name="two", wavelengths=np.arange(500.0, 500 + len(two)), wavelength_unit="nm", scale=100.0),
    )


def die_before(step: int) -> None:
    """Kill this process right before the ``step``-th change of a name, counting from 1."""
    left = [step]

    def deadly(true: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return true(*args, **kwargs)

        return call

    for name in CHANGES:
        setattr(os, name, deadly(getattr(os, name)))


def main() -> None:
    """See the module."""
    target, kind = Path(sys.argv[1]), sys.argv[2]
    one, two = cubes(kind)
    if len(sys.argv) > 3:
        die_before(int(sys.argv[3]))
        write_envi(two, target, overwrite=True)
        return
    os.write(1, b".")
    while True:
        for cube in (one, two):
            write_envi(cube, target, overwrite=True)


if __name__ == "__main__":
    main()
