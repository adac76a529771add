"""What the fixed-point map f is: the published model and the subspace model, and their parts."""
