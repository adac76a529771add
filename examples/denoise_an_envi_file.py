"""Denoise an ENVI file: everything its header says is kept.

Give the name of a header to denoise it; without one, a noisy sample is made first.
"""

import sys

import napari_decsc as nd

if len(sys.argv) > 1:
    path = sys.argv[1]
else:
    path = nd.save_cube(nd.add_noise(nd.sample_cube(rows=64, cols=64), "mixture", seed=1), "noisy.hdr", overwrite=True)

noisy = nd.open_cube(path)  # stays on the disk: a memory map
print(noisy)
print(f"wavelengths: {noisy.wavelengths[:3]} ... {noisy.wavelength_unit}")

denoised = nd.denoise(noisy)
# float32; dtype="source" would write the type of the numbers that were read
written = nd.save_cube(denoised, "denoised.hdr", overwrite=True)
print(f"wrote {written}")
