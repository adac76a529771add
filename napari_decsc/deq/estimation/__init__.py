"""What is measured of a cube before and between solves: noise, subspace, outliers, a basic estimate."""
