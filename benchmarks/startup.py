"""How long it takes until something is there: the command line's help, the workbench in its dock; and who loads torch.

    python benchmarks/startup.py               # with a screen, or under xvfb-run -a

Prints one table as Markdown. A fresh process for each measurement, the best of several; `python -c pass` beside the
help says what the machine itself takes.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

REPEATS = 7
PROGRAM = str(Path(sys.executable).with_name("napari-decsc"))


def best(command: list[str]) -> float:
    """Seconds of the quickest of some runs."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


class Witness:
    """Notes the thread in which a module is looked for first."""

    def __init__(self, name: str) -> None:
        self.name, self.thread = name, ""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> None:
        """Finds nothing; the next finder does."""
        if name == self.name and not self.thread:
            self.thread = "the window's" if threading.current_thread() is threading.main_thread() else "a worker's"


def window() -> dict[str, Any]:
    """Seconds until the workbench is docked and painted, and until its sample is; who loads torch in this process."""
    witness = Witness("torch")
    sys.meta_path.insert(0, witness)
    import napari
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer()
    QApplication.processEvents()
    began = time.perf_counter()
    viewer.window.add_plugin_dock_widget("napari-decsc", "DECSC workbench")
    QApplication.processEvents()
    docked, at_dock = time.perf_counter() - began, witness.thread
    wait(lambda: len(viewer.layers) > 0)
    QApplication.processEvents()
    sample = time.perf_counter() - began
    solve(viewer)
    viewer.close()
    return {"docked": docked, "sample": sample, "torch at the dock": at_dock, "torch in a solve": witness.thread}


def solve(viewer: Any) -> None:
    """Denoise a small cube in the panel, to the end."""
    from qtpy.QtWidgets import QApplication

    from napari_decsc.hsi.noise.models import add_noise, make_noise
    from napari_decsc.hsi.sample import sample_cube
    from napari_decsc.ui.cubes.adding import add_cube_layer
    from napari_decsc.ui.workbench import Workbench

    layer = add_cube_layer(viewer, add_noise(sample_cube(48, 48, 8), make_noise("gaussian"), 0))
    panel = next(w for w in QApplication.allWidgets() if isinstance(w, Workbench)).denoise
    panel.cube.layer = layer
    panel.run()
    wait(lambda: not panel.is_running)


def wait(until: Callable[[], bool]) -> None:
    """Let the window work as it does for a person, until something is so, two minutes at most."""
    from qtpy.QtCore import QEventLoop, QTimer

    end = time.monotonic() + 120
    loop, asking = QEventLoop(), QTimer()
    asking.timeout.connect(lambda: loop.quit() if until() or time.monotonic() > end else None)
    asking.start(2)
    loop.exec()


def main() -> None:
    if sys.argv[1:] == ["--window"]:
        print(json.dumps(window()))
        return
    nothing, helped = best([sys.executable, "-c", "pass"]), best([PROGRAM, "--help"])
    runs = []
    for _ in range(3):
        done = subprocess.run([sys.executable, __file__, "--window"], check=True, stdout=subprocess.PIPE, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    docked, sample = (min(run[what] for run in runs) for what in ("docked", "sample"))
    print("| what | measured | target |\n|---|---|---|")
    print(f"| `python -c pass` | {1e3 * nothing:.0f} ms | |")
    print(f"| `napari-decsc --help` | {1e3 * helped:.0f} ms, {helped / nothing:.1f} times that | 300 ms |")
    print(f"| workbench docked and painted | {1e3 * docked:.0f} ms | 1000 ms |")
    print(f"| the built-in sample in it, painted | {1e3 * sample:.0f} ms | |")
    print(f"| torch loaded at the dock | {'yes' if runs[0]['torch at the dock'] else 'no'} | no |")
    print(f"| thread that loads torch in a solve | {runs[0]['torch in a solve']} | a worker's |")


if __name__ == "__main__":
    main()
