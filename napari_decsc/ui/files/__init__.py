"""Reading and writing through napari, samples, and what is saved at a person's word."""
