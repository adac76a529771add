"""Hyperspectral cubes: the type, files, noise, metrics, sample and the shape of a denoiser. NumPy only."""
