"""File formats beside ENVI: MATLAB, TIFF, HDF5, NetCDF and NumPy. One module for each; `contents` finds the cube."""
