"""The built-in sample: a photograph turned into a hyperspectral scene of smooth materials. Synthetic, and says so.

Red, green and blue of every pixel weigh three smooth reflectance spectra that sum to 1 (so that white is flat); then
layers that absorb in different parts of the spectrum are made thinner or thicker from place to place (Beer-Lambert:
reflectance to a power), as pigments are, so that the scene has the spectral rank of a real one rather than three.
"""

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube

Floats = NDArray[np.float64]

#: The shortest wavelength, nm.
FIRST = 400.0
#: The longest.
LAST = 700.0
#: Where blue turns to green, nm. These three are chosen so that the CIE 1931 observer takes each material for the
#: colour it stands for: its linear sRGB is off by 0.06 of white at most.
BLUE_GREEN = 484.0
#: Where green turns to red, nm.
GREEN_RED = 592.0
#: How softly they turn, nm.
SOFTNESS = 10.0
#: Reflectance of the darkest material: nothing real is at 0 or 1.
DARKEST = 0.02
#: Reflectance of the brightest material.
BRIGHTEST = 0.95
#: Size of the places where a layer is thinner or thicker, in pixels.
BLOTCH = 12.0


def sample_cube(rows: int = 256, cols: int = 256, bands: int = 31) -> Cube:
    """A synthetic scene: reflectance in (0, 1), float32, wavelengths from 400 to 700 nm. The same at every call.

    The scene is the central part of a photograph of a cup of coffee (`skimage.data.coffee`, CC0); an image larger than
    the photograph is filled by mirroring it.

    Parameters
    ----------
    rows, cols, bands : int
        Its size.

    Returns
    -------
    Cube
        Axes (band, row, col), wavelengths in nm.

    Raises
    ------
    SettingsError
        If rows, cols or bands is below 1.
    """
    for name, value in (("rows", rows), ("cols", cols), ("bands", bands)):
        if value < 1:
            raise SettingsError(f"{name} is {value}; a cube has at least 1")
    wavelengths = np.linspace(FIRST, LAST, bands) if bands > 1 else np.array([(FIRST + LAST) / 2])
    colours = _photograph(rows, cols)
    spectra = np.tensordot(_primaries(wavelengths).T, DARKEST + (BRIGHTEST - DARKEST) * colours, axes=1)
    data = spectra ** _thickness(colours, wavelengths)
    return Cube(
        data=data.astype(np.float32),
        name="coffee (synthetic)",
        wavelengths=wavelengths,
        wavelength_unit="nm",
        header={
            "description": "synthetic: a photograph turned into reflectance spectra of smooth materials, "
            "made by napari-decsc; not a measurement",
        },
    )


def _photograph(rows: int, cols: int) -> Floats:
    """Linear red, green and blue, (3, rows, cols), in [0, 1]."""
    from skimage.data import coffee

    image = np.asarray(coffee(), dtype=np.float64) / 255  # type: ignore[no-untyped-call]
    linear = np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)
    # indices run over the central part and turn round at the edges of the photograph
    row, col = (_central(wanted, there) for wanted, there in ((rows, image.shape[0]), (cols, image.shape[1])))
    return linear[row][:, col].transpose(2, 0, 1)


def _central(wanted: int, there: int) -> NDArray[np.int64]:
    position = (np.arange(wanted) + (there - wanted) // 2) % (2 * there)
    return np.minimum(position, 2 * there - 1 - position)


def _primaries(wavelengths: Floats) -> Floats:
    """Reflectance of a red, a green and a blue material, (3, wavelength): smooth steps that sum to 1."""
    not_blue = 1 / (1 + np.exp((BLUE_GREEN - wavelengths) / SOFTNESS))
    red = 1 / (1 + np.exp((GREEN_RED - wavelengths) / SOFTNESS))
    return np.stack([red, not_blue - red, 1 - not_blue])


def _thickness(colours: Floats, wavelengths: Floats) -> Floats:
    """Exponents around 1, (band, row, col): layers with absorption bands of their own vary over the scene."""
    from scipy.ndimage import gaussian_filter

    absorption = np.stack([np.exp(-0.5 * ((wavelengths - centre) / 32) ** 2) for centre in (430, 495, 570, 640, 690)])
    rng = np.random.default_rng(31)
    brightness = colours.mean(axis=0)
    layers = [gaussian_filter(rng.standard_normal(brightness.shape), BLOTCH, mode="reflect") for _ in absorption]
    # white noise filtered so has the standard deviation 1 / (2 sqrt(pi) sigma)
    maps = np.stack(layers) * 2 * np.sqrt(np.pi) * BLOTCH * (0.25 + 0.75 * brightness)
    return np.exp(0.12 * np.tensordot(absorption.T, maps, axes=1))
