"""Watch the residual of the fixed point fall, and stop when you have seen enough."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import napari_decsc as nd

noisy = nd.add_noise(nd.sample_cube(rows=64, cols=64), "mixture", seed=3)
residuals = []


def listen(iteration: nd.Iteration) -> nd.Command | None:
    """Called after every evaluation of the map, in the thread that denoises."""
    if iteration.number == 0:  # a first estimate, before any evaluation
        return None
    residuals.append(iteration.relative_residual)
    print(f"evaluation {iteration.number:2}: |f(z) - z| / |f(z)| = {iteration.relative_residual:.1e}")
    return nd.Command.STOP if iteration.relative_residual < 1e-5 else None


denoised = nd.denoise(noisy, on_iteration=listen, tolerance=0, max_iterations=30, progress=False)

plt.semilogy(range(1, len(residuals) + 1), residuals, "o-")
plt.xlabel("evaluations of f")
plt.ylabel("relative residual")
plt.savefig("residual.png")
print(f"stopped after {len(residuals)} evaluations; wrote residual.png")
