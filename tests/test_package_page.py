"""The page that an index shows has no link that leads nowhere, and no address is invented."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parents[1]
HOSTED = {"GITHUB_SERVER_URL": "https://host.example", "GITHUB_REPOSITORY": "owner/name"}


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("package_page", REPOSITORY / ".ci" / "package_page.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def readme() -> str:
    return (REPOSITORY / "README.md").read_text(encoding="utf-8")


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text)


def test_a_hosted_release_has_whole_addresses(maker: ModuleType) -> None:
    home = maker.address(HOSTED)
    text = maker.page(readme(), home, "v1.0")
    assert all(link.startswith("https://") for link in links(text))
    assert "![" in text
    assert f"({home}/raw/v1.0/docs/images/demo.png)" in text
    assert f"({home}/blob/v1.0/docs/results.md#noise-as-sensors-make-it)" in text
    # each leads to a file that is there
    ours = [link for link in links(text) if link.startswith(home)]
    paths = {re.sub(rf"{home}/(raw|blob)/v1.0/|#.*", "", link) for link in ours}
    assert len(paths) > 10
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
    assert set(maker.addresses(home, "v1.0")) >= {"Source Code", "Bug Tracker", "Documentation"}


def test_built_elsewhere_it_links_nothing_that_is_not_there(maker: ModuleType) -> None:
    assert maker.address({}) == ""
    text = maker.page(readme(), "", "HEAD")
    assert all(link.startswith("https://") for link in links(text))
    assert "![" not in text
    assert "Judge a real cube (`docs/howto/judging.md`)" in text
    assert maker.addresses("", "HEAD") == {}
