"""The Denoise panel: form, run, live residual, result."""
