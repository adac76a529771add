"""Kills a writer at random moments; after each kill the pair must be one of the two cubes, whole, with its own header.

python tests/safety/kill.py --rounds 200
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from writer import cubes

from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi

WRITER = Path(__file__).with_name("writer.py")


def state_of(target: Path, kind: str) -> str:
    """What stands under the name: "one", "two" (whole, each with its own header), or what is wrong with it."""
    try:
        found = read_envi(target)
    except DecscError as error:
        return str(error)
    for cube in cubes(kind):
        if _equal(found, cube):
            return cube.name
    return f"a mixture: {found.shape} {found.data.dtype}, values {np.unique(found.data)[:3]}, scale {found.scale}"


def _equal(found: Cube, cube: Cube) -> bool:
    return (
        found.data.dtype == cube.data.dtype
        and np.array_equal(found.data, cube.data)
        and np.array_equal(found.wavelengths, cube.wavelengths)
        and found.scale == cube.scale
    )


def kill_once(target: Path, kind: str, after: float) -> str:
    """Start the writer, kill it ``after`` seconds, look at what is there."""
    with subprocess.Popen([sys.executable, str(WRITER), str(target), kind], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read(1)
        time.sleep(after)
        child.kill()
    return state_of(target, kind)


def main() -> int:
    """Returns 1 if a kill left anything but one of the two cubes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument(
        "--within", type=float, default=0.05, metavar="SECONDS", help="longest life of a writer; more on a busy machine"
    )
    args = parser.parse_args()
    rng, states = random.Random(args.seed), dict[str, int]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.rounds):
            kind = ("same", "other")[number % 2]
            target = Path(folder) / f"{kind}.hdr"
            if not target.exists():
                write_envi(cubes(kind)[0], target, overwrite=True)
            state = kill_once(target, kind, rng.uniform(0, args.within))
            states[state] = states.get(state, 0) + 1
        left = sum(path.suffix == ".tmp" for path in Path(folder).iterdir())
    for state, times in states.items():
        print(f"{times} x {state}")
    print(
        f"{args.rounds} kills; {left} temporary files left behind by dead writers, none of them under the cube's name"
    )
    return 0 if set(states) <= {"one", "two"} else 1


if __name__ == "__main__":
    raise SystemExit(main())
