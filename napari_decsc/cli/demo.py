"""``napari-decsc demo``: the whole of it in napari, on the built-in cube; the results go to a folder."""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from napari_decsc.cli import Answer
from napari_decsc.cli.options import add_settings, make_settings
from napari_decsc.errors import DecscError, DenoisingError, FileFormatError
from napari_decsc.hsi.noise.models import NOISE_MODELS, make_noise
from napari_decsc.registry import METHODS, settings_classes

FILES = (
    "noisy.hdr", "noisy.img", "denoised.hdr", "denoised.img",
    "screenshot.png", "residual.png", "spectra.png", "report.json",
)  # fmt: skip
_MARK = {"command": "napari-decsc demo"}
_SCREEN = "-screen 0 1280x800x24"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``demo``."""
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="FOLDER",
                        help="where the results go; those of an earlier demo are replaced [default: demo]")  # fmt: skip
    parser.add_argument("--size", type=int, default=256, metavar="N", help="rows and cols of the cube [default: 256]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same noise [default: 0]")
    parser.add_argument(
        "--noise",
        choices=NOISE_MODELS,
        default="mixture",
        metavar="MODEL",
        help=f"noise model: {', '.join(NOISE_MODELS)} [default: mixture]",
    )
    parser.add_argument("--method", choices=METHODS, default="decsc", help="denoising method [default: decsc]")
    parser.add_argument("--close", action="store_true", help="close the window when the results are written")
    parser.add_argument("--no-window", action="store_true", help="use a virtual screen, even if there is a real one")
    add_settings(parser, settings_classes())


def run(args: argparse.Namespace) -> Answer:
    """Check, find a screen, show."""
    settings = make_settings(args, settings_classes(), args.method)
    prepare_folder(args.out)
    if args.no_window or not has_screen():
        _go_to_virtual_screen(args.words)
    job = _Job(args.out, args.size, args.seed, args.noise, args.method, settings, args.close)
    report = _show(job)
    return Answer(report, _text(report))


@dataclass(frozen=True)
class _Job:
    folder: Path
    size: int
    seed: int
    noise: str
    method: str
    settings: Any
    close: bool


def prepare_folder(folder: Path) -> None:
    """Make the folder of the results. Raises FileFormatError if files that no demo made are in the way."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileFormatError(f"{folder}: the folder may not be written to; choose another one with --out")
    there = [name for name in FILES if (folder / name).exists()]
    if there and not _is_ours(folder / "report.json"):
        raise FileFormatError(
            f"{folder} has a {there[0]} that no demo made; move it away or choose another folder with --out"
        )


def _is_ours(report: Path) -> bool:
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and _MARK.items() <= found.items()


def has_screen() -> bool:
    """Whether there is a display for a window; only on Linux may there be none."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _go_to_virtual_screen(words: list[str]) -> NoReturn:
    """Become the same command under xvfb-run, ending by itself. Raises DecscError where xvfb-run is missing."""
    for program in ("xvfb-run", "Xvfb", "xauth"):
        if shutil.which(program) is None:
            raise DecscError(
                f"there is no display and {program} is missing; install xvfb and xauth, or run this where there is one"
            )
    runtime = Path(tempfile.gettempdir()) / f"runtime-{os.getuid()}"
    if "XDG_RUNTIME_DIR" not in os.environ:  # Qt complains without one
        with contextlib.suppress(OSError):
            runtime.mkdir(mode=0o700, exist_ok=True)
            os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    # Qt's own "offscreen" draws nothing, and a Wayland session is not the virtual screen
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    words = [*(word for word in words if word != "--no-window"), "--close"]
    print("No display: using a virtual screen.", file=sys.stderr, flush=True)
    os.execvp("xvfb-run", ["xvfb-run", "-a", "-s", _SCREEN, sys.executable, "-m", "napari_decsc.cli", *words])


def _show(job: _Job) -> dict[str, Any]:
    """Run the demo in a napari window until it is closed; returns the report."""
    from napari_decsc.hsi.sample import sample_cube

    clean = sample_cube(rows=job.size, cols=job.size)
    noise = make_noise(job.noise)
    napari = _napari()

    from napari_decsc.ui.demo import DemoResult, run_demo

    # PyQt5 cannot tell the system's theme: nothing that a person could mend
    warnings.filterwarnings("ignore", message="System theme detection", category=UserWarning)
    viewer = napari.Viewer(title="napari-decsc demo")
    viewer.window.resize(1280, 800)
    outcome: list[dict[str, Any] | Exception] = []

    def done(result: DemoResult) -> None:
        try:
            outcome.append(_save(job, result, viewer, bench))
            if not job.close:
                print(f"Wrote {job.folder}. Close the window to end.", file=sys.stderr, flush=True)
        except Exception as error:  # must leave the event loop to be told
            outcome.append(error)
        if job.close or isinstance(outcome[0], Exception):
            _soon(viewer.close)

    bench = run_demo(viewer, clean, noise, job.seed, job.method, job.settings, done)
    napari.run()
    if not outcome:
        raise DenoisingError("the window was closed before the demo had finished; nothing was written")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _napari() -> Any:
    try:
        import napari
        import qtpy.QtWidgets  # noqa: F401  (napari comes without Qt; this fails where there is none)
    except ImportError as error:
        raise DecscError("no Qt is installed; pip install 'napari-decsc[pyqt6]' brings one") from error
    return napari


def _soon(action: Callable[[], Any]) -> None:
    from qtpy.QtCore import QTimer

    QTimer.singleShot(0, action)


def _hide_notes() -> None:
    """Hide napari's notes (such as the one on the age of PyQt5), which would cover a part of the screenshot."""
    from qtpy.QtWidgets import QApplication

    for widget in QApplication.allWidgets():
        if widget.inherits("NapariQtNotification"):
            widget.hide()


def _save(job: _Job, result: Any, viewer: Any, bench: Any) -> dict[str, Any]:
    """Write everything; the report comes last and is marked as unfinished until then."""
    from napari_decsc.cli.outputs import save_cube, write_text
    from napari_decsc.denoising.report import as_json
    from napari_decsc.hsi.metrics import score_cubes
    from napari_decsc.settings import as_dict
    from napari_decsc.ui.demo import save_pictures

    if result.error:
        raise DenoisingError(result.error)
    write_text(job.folder / "report.json", as_json({**_MARK, "state": "unfinished"}) + "\n")
    _hide_notes()
    save_pictures(viewer, bench, job.folder)
    noise = {"model": job.noise, "seed": job.seed, "settings": as_dict(make_noise(job.noise))}
    save_cube(result.noisy, job.folder / "noisy.hdr", overwrite=True, made_by={"noise": noise})
    made_by = {"noise": noise, "denoising": result.report}
    save_cube(result.denoised, job.folder / "denoised.hdr", overwrite=True, made_by=made_by)
    report = {
        **_MARK,
        "state": "finished",
        **result.report,
        "added_noise": noise,
        "scores": {
            "noisy": score_cubes(result.clean, result.noisy).summary(),
            "denoised": score_cubes(result.clean, result.denoised).summary(),
        },
        "files": [str(job.folder / name) for name in FILES],
    }
    write_text(job.folder / "report.json", as_json(report) + "\n")
    return report


def _text(report: dict[str, Any]) -> str:
    from napari_decsc.cli.evaluate import score_table

    return f"{score_table(report['scores'])}\nWrote {', '.join(report['files'])}"
