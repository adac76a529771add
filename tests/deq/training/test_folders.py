"""Training cubes behind symbolic links; what is kept back, and what is passed over."""

from pathlib import Path

import pytest

from napari_decsc.deq.training.folders import listing


@pytest.fixture
def data(tmp_path) -> Path:
    """A folder of data beside others: scenes, ``val``, and folders that links may lead to."""
    for name in (
        "data/a/one.npz",
        "data/val/kept.tif",
        "elsewhere/two.tif",
        "elsewhere/deep/three.hdr",
        "away/val/x.tif",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "data"


def names(paths) -> list[str]:
    return [path.name for path in paths]


def test_without_links_val_is_for_validation_alone(data):
    found = listing(data)
    assert (names(found.scenes), names(found.validation)) == (["one.npz"], ["kept.tif"])
    assert len(found.passed_over) == 1
    assert "val: 1 files kept back" in found.passed_over[0]


def test_links_to_folders_and_files_are_followed(data):
    (data / "more").symlink_to(data.parent / "elsewhere")
    (data / "four.npz").symlink_to(data / "a" / "one.npz")
    assert names(listing(data).scenes) == ["one.npz", "four.npz", "three.hdr", "two.tif"]


def test_a_folder_given_by_a_link_is_the_folder(data):
    link = data.parent / "link"
    link.symlink_to(data)
    assert names(listing(link).scenes) == ["one.npz"]


def test_a_circle_of_links_ends_and_is_named(data):
    (data / "a" / "round").symlink_to(data)
    found = listing(data)
    assert names(found.scenes) == ["one.npz"]
    assert any("round: leads to" in line and "read already" in line for line in found.passed_over)


def test_a_folder_with_two_names_is_read_once(data):
    (data / "again").symlink_to(data / "a")
    found = listing(data)
    assert [path.relative_to(data).as_posix() for path in found.scenes] == ["a/one.npz"]
    assert any("again: leads to" in line for line in found.passed_over)


@pytest.mark.parametrize("target", ["data/val", "away/val"])
def test_no_link_leads_around_what_is_kept_back(data, target):
    (data / "a" / "more").symlink_to(data.parent / target)
    assert names(listing(data).scenes) == ["one.npz"]


def test_a_link_to_a_file_that_is_kept_back_is_none_to_train_on(data):
    (data / "a" / "sly.tif").symlink_to(data / "val" / "kept.tif")
    found = listing(data)
    assert names(found.scenes) == ["one.npz"]
    assert any("sly.tif: kept back" in line for line in found.passed_over)


def test_validation_scenes_behind_a_link_are_found(data):
    (data / "others").symlink_to(data.parent / "away" / "val")
    assert sorted(names(listing(data).validation)) == ["kept.tif", "x.tif"]


def test_a_dangling_link_is_named(data):
    (data / "lost.npz").symlink_to(data / "nowhere.npz")
    found = listing(data)
    assert names(found.scenes) == ["one.npz"]
    assert any("lost.npz: a link to a file that is not there" in line for line in found.passed_over)


def test_a_folder_that_is_not_there_holds_nothing(data):
    assert listing(data / "nowhere") == listing(data.parent / "nor here")
