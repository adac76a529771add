"""The noise of a cube in words and in a table, for ``info --noise`` and ``evaluate --no-reference``."""

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise


def measured(cube: Cube) -> MeasuredNoise:
    """Measure the noise of a cube."""
    from napari_decsc.deq.denoiser import measure_noise

    return measure_noise(cube)


def noise_text(noise: MeasuredNoise, cube: Cube) -> str:
    """Sentences, then a line for every band: its number from 1, wavelength, noise level, and SNR in dB."""
    waves = cube.wavelengths
    unit = f"/{cube.wavelength_unit}" if cube.wavelength_unit else ""
    head = f"band  {'wavelength' + unit:>14}  {'level':>10}  SNR/dB"
    rows = []
    for band, (level, snr) in enumerate(zip(noise.level, noise.snr, strict=True)):
        wave = "" if waves is None else f"{waves[band]:g}"
        if band in (noise.empty or {}):
            rows.append(f"{band + 1:4d}  {wave:>14}  {(noise.empty or {})[band]}")
        else:
            rows.append(f"{band + 1:4d}  {wave:>14}  {level:10.4g}  {snr:6.1f}")
    return "\n".join([*noise.sentences(), "", head, *rows])
