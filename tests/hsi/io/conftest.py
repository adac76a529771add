"""Modules that read and write files are imported before any test runs.

They are imported when a format is first used. One that is imported while a test has patched what it takes from another
module would keep the patch for all tests that follow in this process.
"""

import importlib
import pkgutil

from napari_decsc.hsi import io

for found in pkgutil.walk_packages(io.__path__, "napari_decsc.hsi.io."):
    importlib.import_module(found.name)
