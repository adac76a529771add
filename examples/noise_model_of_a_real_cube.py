"""What noise does this cube have? No clean reference is needed.

Give the name of a file to measure it; without one, a sample with a level of its own in every band stands in for it.
"""

import sys

import numpy as np

import napari_decsc as nd

if len(sys.argv) > 1:
    cube = nd.open_cube(sys.argv[1])
else:
    cube = nd.add_noise(nd.sample_cube(rows=96, cols=96), "non-iid", maximum=40, seed=2)

noise = nd.noise_model(cube)
print("\n".join(noise.sentences()))

print("the five noisiest bands:")
for band in np.argsort(noise.snr)[:5]:
    where = "" if cube.wavelengths is None else f" at {cube.wavelengths[band]:.0f} {cube.wavelength_unit}"
    print(f"  band {band + 1}{where}: level {noise.level[band]:.3g}, SNR {noise.snr[band]:.0f} dB")
