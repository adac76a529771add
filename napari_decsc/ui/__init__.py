"""The napari plugin: thin widgets over :mod:`napari_decsc.hsi` and :mod:`napari_decsc.deq`."""
