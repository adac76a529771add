"""The package's page on an index: README.md with links that lead somewhere from there, and the repository's address.

The repository does not know its own address; the hosted job that builds a release does, and says so in its environment.
Built elsewhere, the page names files instead of linking them, has no pictures, and the metadata have no addresses.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

#: A picture or a link to a file of the repository: its mark, text and path.
LOCAL = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")


def address(environment: Mapping[str, str]) -> str:
    """The repository's, "" where nobody says it."""
    server, name = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    return f"{server}/{name}" if server and name else ""


def page(text: str, home: str, version: str) -> str:
    """README's text for a reader who has no files beside it."""

    def told(link: re.Match[str]) -> str:
        mark, words, path = link.groups()
        if home:
            return f"{mark}[{words}]({home}/{'raw' if mark else 'blob'}/{version}/{path})"
        if mark:
            return ""
        return words if words == path else f"{words} (`{path.partition('#')[0]}`)"

    return re.sub(r"\n{3,}", "\n\n", LOCAL.sub(told, text))


def addresses(home: str, version: str) -> dict[str, str]:
    """What an index lists beside the page, and napari's hub beside the plugin."""
    if not home:
        return {}
    return {
        "Source Code": home,
        "Documentation": f"{home}/blob/{version}/docs/index.md",
        "Changelog": f"{home}/blob/{version}/CHANGELOG.md",
        "Bug Tracker": f"{home}/issues",
    }


class PackagePage(MetadataHookInterface):
    """Fills `readme` and `urls`, which pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling for every build."""
        home, version = address(os.environ), os.environ.get("GITHUB_REF_NAME", "HEAD")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": page(text, home, version)}
        metadata["urls"] = addresses(home, version)
