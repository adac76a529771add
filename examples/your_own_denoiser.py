"""A denoiser of your own: a generator that yields events and returns a cube.

`nd.denoise` drives it as it drives the built-in ones, with progress, stop and every kind of array. To have it in the
window and on the command line too, give it a settings class and a line in `napari_decsc/registry.py`.
"""

import time

import numpy as np
from scipy.ndimage import gaussian_filter

import napari_decsc as nd


class Smoothing:
    """Every band blurred a little, again and again."""

    name = "smoothing"

    def __init__(self, sigma: float = 0.7, rounds: int = 3) -> None:
        self.sigma, self.rounds = sigma, rounds

    def denoise(self, noisy: nd.Cube):
        """Yield one `Iteration` per round; return the cube, float32, its metadata kept."""
        began, values = time.perf_counter(), np.asarray(noisy.data, np.float32)
        for number in range(1, self.rounds + 1):
            smoother = gaussian_filter(values, (0, self.sigma, self.sigma))
            change = float(np.linalg.norm(smoother - values))
            values = smoother
            relative = change / float(np.linalg.norm(values))
            command = yield nd.Iteration(number, change, relative, time.perf_counter() - began)
            if command is nd.Command.STOP:
                break
        return noisy.replace(data=values, name=f"{noisy.name} smoothed")

    def describe(self):
        """What made the result, for reports."""
        settings = {"sigma": self.sigma, "rounds": self.rounds}
        return {"method": self.name, "settings": settings, "weights": None, "device": "cpu"}


clean = nd.sample_cube(rows=64, cols=64)
noisy = nd.add_noise(clean, "gaussian", sigma=50)
for method in (Smoothing(), "fasthyde", "decsc"):
    denoised = nd.denoise(noisy, method)
    name = method if isinstance(method, str) else method.name
    print(f"{name:10} {nd.score(clean, denoised).mpsnr:.1f} dB")
