"""Deep Equilibrium Convolutional Sparse Coding: solvers, dictionaries, priors, models, training. PyTorch, no Qt.

Importing this package alone loads no torch; its modules do (all but :mod:`.settings`).
"""
