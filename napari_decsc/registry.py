"""The denoising methods by name: what ``--method`` and the widget offer. Importing this loads no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_decsc.classical.settings import E3dtvSettings, FastHydeSettings
from napari_decsc.denoising.protocol import Denoiser
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.errors import SettingsError
from napari_decsc.settings import defaults, descriptions


@dataclass(frozen=True)
class Method:
    """A denoiser that can be asked for: its settings class, and how to make one from settings."""

    name: str
    summary: str
    settings: type
    make: Callable[[Any], Denoiser]

    @property
    def options(self) -> dict[str, str]:
        """Each setting, and in one sentence what it does, its unit, its range and its default."""
        standard = defaults(self.settings)
        return {name: f"{text.sentence} [{standard[name]!r}]" for name, text in descriptions(self.settings).items()}


def _decsc(settings: DecscSettings) -> Denoiser:
    from napari_decsc.deq.denoiser import DecscDenoiser

    return DecscDenoiser(settings)


def _fasthyde(settings: FastHydeSettings) -> Denoiser:
    from napari_decsc.classical.fasthyde import FastHydeDenoiser

    return FastHydeDenoiser(settings)


def _e3dtv(settings: E3dtvSettings) -> Denoiser:
    from napari_decsc.classical.e3dtv import E3dtvDenoiser

    return E3dtvDenoiser(settings)


METHODS = {
    method.name: method
    for method in (
        Method("decsc", "Deep equilibrium convolutional sparse coding", DecscSettings, _decsc),
        Method("fasthyde", "FastHyDe type: eigen-images, similar patches", FastHydeSettings, _fasthyde),
        Method("e3dtv", "E-3DTV: enhanced 3-D total variation", E3dtvSettings, _e3dtv),
    )
}


def make_denoiser(method: str, settings: Any = None) -> Denoiser:
    """A denoiser by name, with default settings unless some are given. Raises SettingsError for an unknown name."""
    if method not in METHODS:
        raise SettingsError(f"there is no method {method!r}; choose one of {', '.join(METHODS)}")
    chosen = METHODS[method]
    return chosen.make(chosen.settings() if settings is None else settings)
