"""``python -m napari_decsc.cli`` is ``napari-decsc``."""

from napari_decsc.cli import main

if __name__ == "__main__":  # not when a benchmark's child process imports this module
    raise SystemExit(main())
