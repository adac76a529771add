"""The Spectra panel: hover, pins, regions, export."""
