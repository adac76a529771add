"""Deep Equilibrium Convolutional Sparse Coding for hyperspectral cubes, in napari and on the command line.

Three rooms, arrows one way: :mod:`napari_decsc.hsi` knows spectra (NumPy), :mod:`napari_decsc.deq` knows the
mathematics (PyTorch), :mod:`napari_decsc.ui` knows people (napari). :mod:`napari_decsc.cli` stands beside ``ui``.
"""

__version__ = "0.1.0"
