"""The Judge panel: the noise of any cube, and what a denoiser took away."""
