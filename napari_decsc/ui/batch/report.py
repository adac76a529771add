"""What a batch has done so far, from the report that it keeps in its folder. No window here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_decsc.denoising.protocol import in_words
from napari_decsc.denoising.verdict import percent

REPORT = "report.json"
HEADINGS = ("cube", "state", "residual", "removed", "verdict")
STATES = {"begun": "not finished"}


@dataclass(frozen=True)
class Row:
    """A cube of a batch.

    Parameters
    ----------
    source, output : Path
        The file it was read from, and the one with the result.
    state : str
        "done", "failed" or "not finished".
    residual : str
        The worst relative residual of its tiles, in words; empty where there is none.
    removed : str
        How much was removed, as a share of the signal.
    verdict : str
        One sentence: what was removed, or why it failed.
    is_clean : bool
        Whether all that was removed looks like noise.
    """

    source: Path
    output: Path
    state: str
    residual: str = ""
    removed: str = ""
    verdict: str = ""
    is_clean: bool = True

    @property
    def texts(self) -> tuple[str, ...]:
        """What the table shows, a text for each of `HEADINGS`."""
        return self.source.name, self.state, self.residual, self.removed, self._short

    @property
    def _short(self) -> str:
        if self.state != "done":
            return ""
        return "like noise" if self.is_clean else "to be looked at"

    @property
    def can_be_opened(self) -> bool:
        """Whether there is a result."""
        return self.state == "done" and self.output.exists()


def rows_of(folder: Path) -> list[Row]:
    """The cubes of the batch in a folder, in its order; none where there is no report, or one that cannot be read."""
    try:
        entries = json.loads((folder / REPORT).read_bytes())
        return [_row(folder, entry) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _row(folder: Path, entry: Mapping[str, Any]) -> Row:
    verdict = entry.get("verdict") or {}
    ends = [tile["relative_residual"][-1] for tile in entry.get("tiles") or () if tile["relative_residual"]]
    share = verdict.get("removed_share")
    return Row(
        source=Path(entry["input"]),
        output=folder / entry["output"],
        state=STATES.get(entry["state"], entry["state"]),
        residual=in_words(max(ends)) if ends else "",
        removed="" if share is None else percent(share),
        verdict=str(entry.get("error") or verdict.get("sentence", "")),
        is_clean=not entry.get("error") and bool(verdict.get("is_clean", True)),
    )
