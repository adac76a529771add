"""Build sdist and wheel, install the wheel outside the repository, and use it there as a person would.

The heavy dependencies are borrowed from the environment that runs this; the package itself is not: the new
environment sees every installed distribution but ours.
"""

import json
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

TINY_CUBE = """
import sys
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.sample import sample_cube
write_envi(sample_cube(rows=32, cols=32, bands=31), sys.argv[1])
"""

PLUGIN_IS_FOUND = """
import sys
import napari_decsc
from npe2 import PluginManager
assert napari_decsc.__file__.startswith(sys.argv[1]), napari_decsc.__file__
manager = PluginManager.instance()
manager.discover()
manifest = manager.get_manifest("napari-decsc")
print(f"npe2 finds napari-decsc {manifest.package_version}, {len(manifest.contributions.commands)} commands")
"""


def main() -> None:
    """Build, look inside, install, use."""
    with tempfile.TemporaryDirectory(prefix="wheel-test-") as name:
        folder = Path(name).resolve()
        # the wheel is built from the sdist, so that the sdist is known to be complete
        call(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", REPOSITORY, quiet=True)
        (wheel,) = folder.glob("dist/*.whl")
        (sdist,) = folder.glob("dist/*.tar.gz")
        look_inside(wheel, sdist)
        python = install(wheel, folder / "venv")
        use(python, folder)
    print(f"wheel-test: {wheel.name} and {sdist.name} are complete and work outside the repository")


def look_inside(wheel: Path, sdist: Path) -> None:
    """Manifest and weights are in the wheel; the manifest is in the sdist, the same in both places."""
    manifest = (REPOSITORY / "napari.yaml").read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("napari_decsc/napari.yaml") == manifest, "the wheel has another manifest"
        assert "napari_decsc/py.typed" in archive.namelist(), "the wheel lacks py.typed"
        weights = [entry for entry in archive.infolist() if entry.filename.endswith(".safetensors")]
        assert weights, "the wheel has no weights"
        assert all(entry.file_size > 1000 for entry in weights), "the wheel has empty weights"
        foreign = [entry for entry in archive.namelist() if not entry.startswith("napari_decsc")]
        assert not foreign, f"the wheel has files that are not the package's: {foreign}"
    root = sdist.name.removesuffix(".tar.gz")
    with tarfile.open(sdist) as archive:
        for place in ("napari.yaml", "napari_decsc/napari.yaml"):
            # a symlink is followed inside the archive
            assert archive.extractfile(f"{root}/{place}").read() == manifest, f"the sdist lacks {place}"


def install(wheel: Path, venv: Path) -> Path:
    """A fresh environment with the wheel, and links to everything else that is installed here; its Python."""
    call(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    borrowed = venv / "borrowed"
    borrowed.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        ours = entry.name.startswith(("napari_decsc", "_editable_impl_napari_decsc", "__editable__"))
        if not ours and entry.suffix != ".pth":
            (borrowed / entry.name).symlink_to(entry)
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(f"{borrowed}\n")
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    call(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return python


def use(python: Path, folder: Path) -> None:
    """The plugin is found, and the command line denoises a tiny cube, from a folder that is not the repository's."""
    work = folder / "work"
    work.mkdir()
    program = python.parent / "napari-decsc"
    call(python, "-c", PLUGIN_IS_FOUND, folder, cwd=work)
    call(python, "-m", "npe2", "validate", "napari-decsc", cwd=work)
    call(python, "-c", TINY_CUBE, "clean.hdr", cwd=work)
    call(program, "add-noise", "clean.hdr", "noisy.hdr", "--model", "gaussian", "--sigma", "30", cwd=work)
    call(program, "denoise", "noisy.hdr", "denoised.hdr", "--reference", "clean.hdr", "--report", "r.json", cwd=work)
    scores = json.loads((work / "r.json").read_text())["scores"]
    before, after = scores["noisy"]["mpsnr"], scores["denoised"]["mpsnr"]
    assert after > before + 3, f"denoising took the PSNR from {before:.1f} to {after:.1f} dB only"


def call(*command: object, cwd: Path | None = None, quiet: bool = False) -> None:
    """Run a command; its output is shown if it fails, or unless ``quiet``."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.stdout and (done.returncode or not quiet):
        print(done.stdout, end="", flush=True)
    if done.returncode:
        raise SystemExit(f"wheel-test: failed with code {done.returncode}: {' '.join(words[:4])} ...")


if __name__ == "__main__":
    main()
