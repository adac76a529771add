"""From a script into napari: a cube, its noisy and its denoised copy as layers, and the panel that compares them."""

import napari

import napari_decsc as nd
from napari_decsc.ui.cubes.adding import add_cube_layer

clean = nd.sample_cube(rows=64, cols=64)
noisy = nd.add_noise(clean, "mixture", seed=1)
denoised = nd.denoise(noisy)

viewer = napari.Viewer()
# as plain images they would lose their wavelengths
for cube in (clean, noisy, denoised):
    add_cube_layer(viewer, cube)
viewer.window.add_plugin_dock_widget("napari-decsc", "Compare")
print(f"layers: {', '.join(layer.name for layer in viewer.layers)}")
napari.run()
