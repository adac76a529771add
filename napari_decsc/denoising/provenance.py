"""How a cube was made, as its file carries it: one record for programs, one sentence for people.

The record is a JSON text in the header field ``napari-decsc``. It has the keys "version" (of the package), "date"
(UTC), and what was done: "noise" (which noise was added, with its seed), "denoising" (see `denoising_record`),
"difference".
"""

import datetime
import json
import math
from collections.abc import Mapping
from typing import Any

from napari_decsc.denoising.protocol import in_words
from napari_decsc.denoising.report import as_plain, versions
from napari_decsc.hsi.cube import counted

#: The header field.
FIELD = "napari-decsc"
#: What its text begins with: a brace alone would be a list to readers of ENVI headers.
MARK = "record "
#: A longer text is not of this package's making, and is not read.
LONGEST = 16 << 20
#: Residuals of one tile that a record keeps, at most; their number is kept in any case.
MOST_RESIDUALS = 200
#: What a denoising leaves in a record as it is in its report, where it is there.
_KEPT = ("method", "settings", "weights", "device", "seconds", "stopped", "versions", "messages", "seed", "noise")


def denoising_record(report: Mapping[str, Any]) -> dict[str, Any]:
    """What a file keeps of a denoising's report.

    Parameters
    ----------
    report : mapping
        As `napari_decsc.denoising.report.Recorder` makes it; "input" and "scores" may have been added.

    Returns
    -------
    dict
        Method, settings, weights and their hash, device, seconds, versions, the noise that was measured ("noise"), and
        "convergence": evaluations, relative residual, whether the tolerance was met (None where there is none), and the
        residuals of the tile that ended highest.
    """
    kept = {key: report[key] for key in (*_KEPT, "input", "scores") if report.get(key) is not None}
    return {**kept, "convergence": report.get("convergence") or convergence(report)}


def convergence(report: Mapping[str, Any]) -> dict[str, Any]:
    """How the equilibrium was met, from the residuals of a report's tiles; empty where nothing was iterated.

    Parameters
    ----------
    report : mapping
        As `napari_decsc.denoising.report.Recorder` makes it.

    Returns
    -------
    dict of str to object
        "evaluations", "relative_residual", "converged" (None where there is no tolerance), "tiles", "residuals".
    """
    histories = [tile["relative_residual"] for tile in report.get("tiles", ()) if tile["relative_residual"]]
    if not histories:
        return {}
    worst = max(histories, key=lambda history: history[-1])
    tolerance = report.get("settings", {}).get("tolerance")
    return {
        "evaluations": max(map(len, histories)),
        "relative_residual": worst[-1],
        "converged": None if tolerance is None else bool(worst[-1] <= tolerance),
        "tiles": len(histories),
        "residuals": worst[-MOST_RESIDUALS:],
    }


def fields(made_by: Mapping[str, Any], header: Mapping[str, Any]) -> dict[str, str]:
    """The header fields that tell how a cube was made: the record, and ``description``, which keeps the producer's.

    Parameters
    ----------
    made_by : mapping
        "noise", "denoising" (a report or a record), "difference"; empty for a cube that was made by nothing here.
    header : mapping
        The header of the cube that is written.

    Returns
    -------
    dict of str to str
        Ready to be joined to the header.
    """
    if not made_by:
        return {}
    found = dict(made_by)
    if found.get("denoising"):
        found["denoising"] = denoising_record(found["denoising"])
    made = {**stamp(), **found}
    before = _one_line(header.get("description", ""))
    told = sentence(made)
    text = before if before.startswith(told) else f"{told} Before: {before}" if before else told
    return {FIELD: MARK + json.dumps(as_plain(made), allow_nan=False), "description": text}


def read(header: Mapping[str, Any]) -> dict[str, Any]:
    """The record that a cube's header carries; empty where it carries none, or one that is damaged.

    Parameters
    ----------
    header : mapping
        Of a cube that was opened.

    Returns
    -------
    dict of str to object
        As it was written.
    """
    text = header.get(FIELD)
    if not isinstance(text, str) or not text.startswith(MARK) or len(text) > LONGEST:
        return {}
    try:
        found = json.loads(text[len(MARK) :])
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or any(not isinstance(found.get(key, {}), dict) for key in ("noise", "denoising")):
        return {}
    return found


def carried_on(made_by: Mapping[str, Any]) -> dict[str, Any]:
    """What a denoised copy still says of how its input was made: the noise that was added. The rest is the input's.

    Parameters
    ----------
    made_by : mapping
        The record of the input.

    Returns
    -------
    dict of str to object
        Key "noise", or nothing.
    """
    return {key: value for key, value in made_by.items() if key == "noise"}


def stamp() -> dict[str, str]:
    """Version of the package, and the time: what every record begins with.

    Returns
    -------
    dict of str to str
        Keys "version" and "date" (UTC, ISO 8601, to the second).
    """
    now = datetime.datetime.now(datetime.UTC)
    return {
        "version": versions().get("napari-decsc", "unknown"),
        "date": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def sentence(made_by: Mapping[str, Any]) -> str:
    """What was done, for a person, as "Denoised by napari-decsc 0.5.0 on 2026-11-27: ...".

    Parameters
    ----------
    made_by : mapping
        A record.

    Returns
    -------
    str
        Empty for an empty record.
    """
    by = f"napari-decsc {made_by['version']}" if "version" in made_by else "napari-decsc"
    on = f" on {str(made_by['date'])[:10]}" if "date" in made_by else ""
    parts = []
    if made_by.get("noise"):
        parts.append(f"Noise added by {by}{on}: {_noise_words(made_by['noise'])}.")
    if "denoising" in made_by:
        about = _denoising_words(made_by["denoising"])
        parts.append(f"Denoised by {by}{on}{': ' + about if about else ''}.")
    if made_by.get("difference"):
        parts.append(f"Difference of two cubes by {by}{on}: {made_by['difference']}.")
    return " ".join(parts)


def lines(made_by: Mapping[str, Any]) -> list[str]:
    """The record for a person, one thing a line; empty for an empty record.

    Parameters
    ----------
    made_by : mapping
        A record.

    Returns
    -------
    list of str
        Sentences.
    """
    if not made_by:
        return []
    found = [sentence(made_by)]
    for step in ("noise", "denoising"):
        settings = (made_by.get(step) or {}).get("settings")
        if settings:
            found.append(f"Settings of the {step}: {_settings_words(settings)}.")
    measured = (made_by.get("denoising") or {}).get("noise")
    if isinstance(measured, Mapping):
        found += _measured_words(measured)
    return found


def _noise_words(noise: Mapping[str, Any]) -> str:
    bands = f", bands {noise['bands']}" if "bands" in noise else ""
    return f"{noise.get('model', 'noise')}, seed {noise.get('seed', 'unknown')}{bands}"


def _denoising_words(record: Mapping[str, Any]) -> str:
    weights = record.get("weights") or {}
    known = isinstance(weights, Mapping) and weights
    name = " ".join(str(value)[:12] for value in weights.values()) if known else ""
    parts = [str(record["method"])] if "method" in record else []
    parts += [f"weights {name}"] if name else []
    found = record.get("convergence") or convergence(record)
    if found:
        parts.append(
            f"{counted(found['evaluations'], 'evaluation')}, "
            f"relative residual {in_words(found['relative_residual'] or 0.0)}"
        )
        ended = {True: "converged", False: "ended above the tolerance", None: ""}[found.get("converged")]
        parts += ["stopped by hand" if record.get("stopped") else ended]
    return ", ".join(part for part in parts if part)


def _settings_words(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {_word(value)}" for key, value in settings.items())


def _measured_words(noise: Mapping[str, Any]) -> list[str]:
    level = [value for value in noise.get("level", ()) if isinstance(value, int | float) and math.isfinite(value)]
    found = []
    if level:
        middle = sorted(level)[len(level) // 2]
        found.append(f"Noise measured in the input: {middle:.4g} in the median band.")
    if noise.get("kinds"):
        found.append(f"Kinds of that noise: {', '.join(map(str, noise['kinds']))}.")
    return found


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return "(" + _settings_words(value) + ")"
    if isinstance(value, list | tuple):
        return " ".join(map(_word, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "automatic"


def _one_line(value: Any) -> str:
    return " ".join((value if isinstance(value, str) else ", ".join(map(str, value))).split())
