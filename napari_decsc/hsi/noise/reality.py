"""Seventeen cases of noise as sensors make it, on which a denoiser must be right, beside the field's protocol.

Each stands for a real thing; strengths are for cubes whose peak is 1.
"""

from napari_decsc.hsi.noise.base import Combined, NoiseModel
from napari_decsc.hsi.noise.faults import JunkBands, WildVoxels
from napari_decsc.hsi.noise.lines import ColumnStripes, Fringes, ObliqueStripes, RowStripes
from napari_decsc.hsi.noise.sensors import Correlated, PushBroom, Quantised, Shared, Shot

#: Natural logarithms of the bands' noise levels lie within this of the middle.
SPREAD = 0.7


def _gaussian(level: float, *more: NoiseModel, across: float = 0.0, along: float = 0.0) -> NoiseModel:
    """Gaussian noise, in some bands louder than in others, and more."""
    gaussian = Correlated(level, SPREAD, across, along)
    return Combined((gaussian, *more)) if more else gaussian


def _light(electrons: float, read: float) -> NoiseModel:
    return Shot(electrons, read, "normal")


#: Name -> what it stands for, and the model.
REALITY: dict[str, tuple[str, NoiseModel]] = {
    "photon1000": ("1000 electrons at the peak, read noise 3 electrons", _light(1000, 3)),
    "photon100": ("100 electrons at the peak, read noise 1 electron", _light(100, 1)),
    "photon20": ("20 electrons at the peak, read noise 0.4 electrons", _light(20, 0.4)),
    "columns": ("push-broom: offset and gain of every column, and noise", _gaussian(0.03, ColumnStripes(0.04, 0.03))),
    "columns_only": ("the same, hardly any other noise", _gaussian(0.003, ColumnStripes(0.03, 0.02))),
    "rows": ("whisk-broom or read-out: rows of half the bands", _gaussian(0.03, RowStripes(0.05, 0, 0.5))),
    "oblique": ("stripes of a georeferenced scene", _gaussian(0.02, ObliqueStripes(0.04, 0, 1, 12))),
    "resampled": ("a scene that was resampled", _gaussian(0.10, across=0.7)),
    "resampled_quiet": ("the same, less of it", _gaussian(0.02, across=0.9)),
    "neighbours": ("bands that were resampled, binned or smoothed", _gaussian(0.10, along=0.7)),
    "common": ("noise that all bands share: flicker, smear", _gaussian(0.03, Shared(0.03))),
    "grey_levels": ("little noise, 32 grey levels", _gaussian(0.02, Quantised(grey_levels=32))),
    "fine_levels": ("noise far below one of 256 grey levels", _gaussian(0.0005, Quantised(grey_levels=256))),
    "wild": ("12 voxels of 50 to 100 times the peak", _gaussian(0.02, WildVoxels(12, 50, 100))),
    "junk": ("three bands that hold nothing", _gaussian(0.02, JunkBands(1000, 1, 3))),
    "waves": ("fringes of 9 pixels", _gaussian(0.03, Fringes(0.05, 9))),
    "sensor": ("all together: a push-broom camera", PushBroom(200, 2, 0.5, 0.02, 0.02, 0.01, 12)),
}
