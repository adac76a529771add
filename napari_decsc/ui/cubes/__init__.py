"""Cubes as napari layers: what a layer remembers, contrast, and which band is shown."""
