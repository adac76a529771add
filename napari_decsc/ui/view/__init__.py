"""The View panel: bands, colours, bad bands."""
