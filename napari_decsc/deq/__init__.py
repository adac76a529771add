"""Deep Equilibrium Convolutional Sparse Coding: solvers, dictionaries, priors, models, training. PyTorch, no Qt.

Importing this package alone loads no torch; its modules do (all but :mod:`.settings` and :mod:`.choices`).
"""

import os

# Threads of torch's parallel loops wait by sleeping, not by spinning: beside other work on the same cores a spinning
# thread holds up the one it waits for. It must be set before torch is loaded, and yields to what the user has set.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
