"""The Explore panel: components of a cube, ratios of bands, a scatter of two bands that is linked to the image."""
