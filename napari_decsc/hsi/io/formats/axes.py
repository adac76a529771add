"""What the name of an axis tells: whether it counts bands, rows, cols, or steps of time and the like."""

import re

from napari_decsc.hsi.io.formats.spectral import words_of

#: Words that tell nothing: `number_of_bands`, `nx_dim`, `cross_track`.
_EMPTY = {
    *("n", "num", "number", "of", "no", "dim", "dimension", "axis", "size", "track", "image", "bin", "bins", "ground"),
}
_BANDS = {
    *("band", "bands", "wavelength", "wavelengths", "wave", "waves", "lambda", "channel", "channels", "spectral"),
    *("spectrum", "wavenumber", "wavenumbers", "wl", "wvl"),
}
#: Words that say which bands are counted.
_WHICH = {
    *("blue", "red", "green", "nir", "vis", "vnir", "swir", "tir", "pan", "hyperspectral", "sensor", "intensity"),
}
#: Lists of the names of bands, in lower case and without "_".
_NAMES_OF_BANDS = {"bandname", "bandnames", "bandlabel", "bandlabels", "channelname", "channelnames"}
_COLS = {
    *("x", "lon", "longitude", "easting", "col", "cols", "column", "columns", "sample", "samples", "pixel", "pixels"),
    *("crosstrack", "across", "acrosstrack", "cross", "xtrack", "width"),
}
_ROWS = {
    *("y", "lat", "latitude", "northing", "row", "rows", "line", "lines", "scan", "scans", "scanline", "scanlines"),
    *("downtrack", "down", "along", "alongtrack", "ytrack", "height"),
}
_STEPS = {
    *("time", "times", "t", "date", "dates", "day", "epoch", "frame", "frames", "step", "steps", "timestep", "scene"),
    *("scenes", "member", "realization", "ensemble", "replicate", "acquisition", "acquisitions", "snapshot", "cycle"),
    *("view", "views"),
}


def counts_bands(name: str) -> bool:
    """Whether an axis of this name counts bands."""
    return _is_of(name, _BANDS, _WHICH)


def names_bands(name: str) -> bool:
    """Whether a list of texts of this name holds the names of bands."""
    return name.rpartition("/")[2].lower().replace("_", "").replace(" ", "") in _NAMES_OF_BANDS


def counts_cols(name: str) -> bool:
    """Whether an axis of this name counts cols."""
    return _is_of(name, _COLS)


def counts_rows(name: str) -> bool:
    """Whether an axis of this name counts rows."""
    return _is_of(name, _ROWS)


def counts_steps(name: str) -> bool:
    """Whether an axis of this name counts what is there several times: dates, frames, members."""
    return _is_of(name, _STEPS)


def _is_of(name: str, words: set[str], which: frozenset[str] | set[str] = frozenset()) -> bool:
    # what is counted stands before "per": `bands_per_view`, `pixels_per_line`
    own = re.split(r"_per_", name.rpartition("/")[2])[0]
    found = {word if word in words else word.removeprefix("n") for word in words_of(own) if not word.isdecimal()}
    told = found - _EMPTY - {""}
    return bool(told & words) and told <= words | which
