from pathlib import Path

import npe2
import pytest

import napari_decsc

INSIDE = Path(napari_decsc.__file__).with_name("napari.yaml")


@pytest.fixture(scope="module")
def manifest():
    return npe2.PluginManifest.from_file(INSIDE)


def test_the_manifest_is_valid_and_its_commands_import(manifest):
    manifest.validate_imports()
    assert manifest.name == "napari-decsc"


def test_the_file_at_the_top_level_reads_the_same():
    top = INSIDE.parents[1] / "napari.yaml"
    if not (INSIDE.parents[1] / "pyproject.toml").is_file():
        pytest.skip("needs the source tree: an installed package has the inner file only")
    assert top.is_symlink()
    assert top.read_text() == INSIDE.read_text()


def test_every_command_begins_with_the_name_and_is_used(manifest):
    contributions = manifest.contributions
    used = {item.command for item in (*contributions.readers, *contributions.writers, *contributions.widgets)}
    used |= {item.command for item in contributions.sample_data}
    declared = {command.id for command in contributions.commands}
    assert used == declared
    assert all(command.startswith("napari-decsc.") for command in declared)


def test_menus_offer_the_widgets(manifest):
    widgets = {widget.command for widget in manifest.contributions.widgets}
    menus = {menu: {item.command for item in items} for menu, items in manifest.contributions.menus.items()}
    assert menus == {
        "napari/layers/filter": {"napari-decsc.denoise", "napari-decsc.add_noise"},
        "napari/layers/measure": {"napari-decsc.spectra"},
        "napari/layers/visualize": {"napari-decsc.view", "napari-decsc.compare"},
    }
    assert set().union(*menus.values()) <= widgets


def test_opening_the_plugin_menu_loads_no_torch():
    import subprocess
    import sys

    code = "import sys, napari_decsc.ui.files.reader, napari_decsc.ui.files.sample; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("name", "claimed"),
    [("scene.hdr", True), ("SCENE.IMG", True), ("emit20250324t221005_unmix", True), ("x", True), ("photo.png", False)],
)
def test_headers_and_data_files_with_and_without_extension_are_claimed(manifest, name, claimed):
    manager = npe2.PluginManager()
    if manifest.name not in {one.name for one in manager.iter_manifests()}:  # newer versions find it by themselves
        manager.register(manifest)
    readers = [one.command for one in manager.iter_compatible_readers(f"/folder.d/{name}")]
    assert any(command.startswith(manifest.name) for command in readers) == claimed
