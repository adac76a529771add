"""Noise models for simulation: what `add-noise`, the window and training make noisy cubes with."""
