"""The site builds without a warning, and what its pages quote is what the code says."""

import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = REPOSITORY / "docs"


def source() -> str:
    """The package's code as one text, in which strings that are written in pieces are whole."""
    files = sorted((REPOSITORY / "napari_decsc").rglob("*.py"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    text = re.sub(r"[\"']\s*\n\s*f?[\"']", "", text)
    return re.sub(r"\\(.)", r"\1", text)


def pages() -> list[Path]:
    """README and all pages."""
    return [REPOSITORY / "README.md", *PAGES.rglob("*.md")]


def whole_lines(page: Path) -> str:
    """A page whose paragraphs are one line each."""
    return re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))


def quoted_messages() -> list[str]:
    """Headings of the troubleshooting page that are messages: they hold a semicolon, a colon or what changes."""
    headings = re.findall(r"^### (.+)$", (PAGES / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [heading for heading in headings if ";" in heading or "…" in heading]


def test_messages_that_are_explained_are_those_of_the_code() -> None:
    code, messages = source(), quoted_messages()
    assert len(messages) > 20
    for message in messages:
        for piece in message.split("…"):
            piece = piece.strip(" ,;:()`.")
            assert piece in code, f"nothing says {piece!r} any more (docs/troubleshooting.md: {message})"


def test_settings_that_pages_name_are_there() -> None:
    """Options in shell lines, and keywords of nd.denoise."""
    from napari_decsc import cli
    from napari_decsc.registry import METHODS

    known = set()
    for command in cli.COMMANDS:
        parser = cli._parser(command, cli._module(command))._subparsers._group_actions[0].choices[command]
        known |= set(parser._option_string_actions)
    settings = {name for method in METHODS.values() for name in method.options}
    known_keywords = settings | {"band_axis", "progress", "on_iteration"}
    for page in [*(PAGES / "howto").glob("*.md"), PAGES / "tutorial.md", PAGES / "troubleshooting.md"]:
        text = page.read_text(encoding="utf-8")
        for line in re.findall(r"napari-decsc .*", text):
            unknown = set(re.findall(r"(?<!\S)--[a-z-]+", line)) - known
            assert not unknown, f"{page.name}: {unknown}"
        for call in re.findall(r"nd\.denoise\((.*?)\)(?:[,)]|\s|$)", text):
            unknown = set(re.findall(r"(\w+)=", call)) - known_keywords
            assert not unknown, f"{page.name}: {unknown}"


def test_the_reference_explains_every_argument() -> None:
    from napari_decsc import api

    for name in api.__all__:
        function = getattr(api, name)
        if not inspect.isfunction(function):
            continue
        text = inspect.getdoc(function)
        sections = re.split(r"\n(?=\w+\n-{3,}\n)", text)
        explained = [part for part in sections if part.startswith("Parameters\n")]
        told = re.findall(r"^([*\w, ]+)(?: :.*)?$", explained[0], re.MULTILINE) if explained else []
        known = {word.strip("* ") for line in told for word in line.split(",")}
        assert set(inspect.signature(function).parameters) <= known, name
        assert re.search(r"\n(Raises|Returns)\n-+\n", text), name


def test_every_room_is_on_the_plan() -> None:
    plan = (PAGES / "architecture.md").read_text(encoding="utf-8")
    package = REPOSITORY / "napari_decsc"
    rooms = [path.parent.relative_to(package).as_posix() for path in package.glob("*/**/__init__.py")]
    assert len(rooms) > 15
    assert [room for room in rooms if f"`{room}/`" not in plan] == []


def test_what_the_readme_shows_of_python_exists() -> None:
    import napari_decsc as nd

    for page in [REPOSITORY / "README.md", *PAGES.rglob("*.md")]:
        for name in re.findall(r"\bnd\.(\w+)", page.read_text(encoding="utf-8")):
            assert hasattr(nd, name), f"{page.name}: nd.{name}"


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs the extra docs: make docs")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    reference = (tmp_path / "reference" / "api.html").read_text(encoding="utf-8")
    assert 'id="napari_decsc.api.denoise"' in reference
    # links between pages in folders are links there too
    howto = (tmp_path / "howto" / "bad-bands.html").read_text(encoding="utf-8")
    assert 'href="../noise.html#bands-that-hold-nothing"' in howto
    assert "--max-iterations" in (tmp_path / "reference" / "command-line.html").read_text(encoding="utf-8")
    # nothing is fetched when a page is read
    for page in tmp_path.rglob("*.html"):
        fetched = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?https?://[^\"' >]+", page.read_text("utf-8"))
        assert not fetched, page.name


def test_menus_that_pages_name_are_those_of_the_plugin() -> None:
    from npe2 import PluginManifest

    manifest = PluginManifest.from_file(REPOSITORY / "napari_decsc" / "napari.yaml")
    panels = {widget.display_name for widget in manifest.contributions.widgets or []}
    paths = {path for page in pages() for path in re.findall(r"\*(Plugins →[^*]+)\*", whole_lines(page))}
    assert paths
    for path in paths:
        assert path.split(" → ")[1] == manifest.display_name
        assert path.split(" → ")[2] in panels


@pytest.mark.parametrize("name", ["tutorial.md", "window.md", "howto/judging.md", "howto/bad-bands.md"])
def test_buttons_and_fields_that_a_page_names_are_in_the_window(name: str) -> None:
    from napari_decsc.registry import METHODS

    window = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "napari_decsc" / "ui").rglob("*.py"))
    fields = {option.replace("_", " ").capitalize() for method in METHODS.values() for option in method.options}
    named = {
        words
        for path in re.findall(r"(?<!\*)\*([A-Z][^*.]+)\*(?!\*)", whole_lines(PAGES / name))
        for words in path.split(" → ")
        if not path.startswith("Plugins") and words != "Layers"  # napari's own
    }
    assert len(named) > 1
    for words in named - fields:
        assert f'"{words}' in window, f"{name}: the window has no {words!r}"


def test_every_picture_is_on_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    assert [picture.name for picture in (PAGES / "images").iterdir() if picture.name not in text] == []
