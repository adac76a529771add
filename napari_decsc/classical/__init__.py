"""Training-free denoisers of the same interface as DECSC, to compare it with. NumPy, SciPy; no weights."""
