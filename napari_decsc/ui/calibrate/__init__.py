"""The Calibrate panel: reflectance of a raw cube and its dark and white references."""
