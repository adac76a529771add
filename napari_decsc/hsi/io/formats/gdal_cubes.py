"""What GDAL notes of an image and its bands, as fields of a cube."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.hsi import crs, georeference
from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import calibrated, fields_of, scale_of
from napari_decsc.hsi.io.formats import spectral
from napari_decsc.hsi.io.formats.gdal import GdalFacts, facts_beside, real
from napari_decsc.hsi.io.formats.logarithms import with_powers
from napari_decsc.hsi.io.formats.tiff_masks import with_mask
from napari_decsc.hsi.no_data import unified


def with_georeference(cube: Cube, facts: GdalFacts) -> Cube:
    """The cube with the place that the notes beside a file tell, where its own header tells none."""
    if facts.transform is None or georeference.of_header(cube.header) is not None:
        return cube
    place = georeference.Georeference(facts.transform, crs.of_text(facts.system))
    return cube.replace(header={**cube.header, **(georeference.map_info(place) or georeference.tags(place))})


def with_facts(cube: Cube, facts: GdalFacts, mask: Any | None = None) -> Cube:
    """The cube with what the facts add: what it knows already stays as it is.

    ``mask`` is 0 where nothing was measured, see `tiff_masks`.
    """
    fields = spectral.spectral_fields(facts.vectors(), cube.bands)
    if cube.wavelengths is not None:
        fields.pop("wavelengths", None)
        fields.pop("wavelength_unit", None)
    known = ("fwhm", "good_bands")
    fields = {name: value for name, value in fields.items() if name not in known or getattr(cube, name) is None}
    header = {**facts.header(), **cube.header}
    if "band names" not in header and (names := facts.band_names(cube.bands)):
        header["band names"] = names
    cube = _with_no_data(cube.replace(header=header, **fields), facts)
    return _with_scales(cube if mask is None else with_mask(cube, mask), facts)


def with_notes_beside(cube: Cube, image: Path) -> Cube:
    """The cube with what the file `.aux.xml` beside its image adds."""
    facts = facts_beside(image)
    return cube if facts == GdalFacts() else with_georeference(with_facts(cube, facts), facts)


def _with_no_data(cube: Cube, facts: GdalFacts) -> Cube:
    """The no-data value of the bands; where bands have several, their voxels are all given one."""
    if cube.no_data is not None:
        return cube
    said = facts.no_data_of_rest
    if said is None:
        said = real(facts.image.get("envi", {}).get("data_ignore_value", ""))
    values = [facts.no_data.get(band, said) for band in range(cube.bands)]
    if all(value == values[0] for value in values):
        return cube.replace(no_data=values[0])
    data, no_data = unified(cube.data, [() if value is None else (value,) for value in values])
    return cube.replace(data=data, no_data=no_data)


def _with_scales(cube: Cube, facts: GdalFacts) -> Cube:
    """The cube with scales and offsets of bands: value = number * scale + offset. A scale of 0 is none."""
    gains = np.array([facts.scales.get(band) or 1.0 for band in range(cube.bands)])
    offsets = np.array([facts.offsets.get(band, 0.0) for band in range(cube.bands)])
    calibration = Calibration(gains, offsets, fields_of(gains, offsets))
    if cube.scale != 1 or cube.calibration is not None:
        return cube
    if not calibration.is_usable:
        return cube.replace(
            notes=(
                *cube.notes,
                "scales or offsets of its bands, as GDAL notes them, cannot be meant; they are left out",
            )
        )
    if facts.logarithms:
        return with_powers(cube, calibration, facts.logarithms)
    if calibration.factor is None:
        return calibrated(cube, calibration)
    divisor = real(facts.image.get("envi", {}).get("reflectance_scale_factor", ""))
    if calibration.factor == 1 and divisor is not None and 0 < divisor < math.inf:
        return cube.replace(scale=divisor)
    return cube.replace(scale=scale_of(calibration.factor))
