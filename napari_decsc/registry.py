"""The denoising methods by name: what ``--method`` and the widget offer. Importing this loads no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_decsc.classical.settings import E3dtvSettings, FastHydeSettings
from napari_decsc.denoising.protocol import Denoiser, ResumableDenoiser
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.errors import SettingsError
from napari_decsc.settings import defaults, descriptions


@dataclass(frozen=True)
class Method:
    """A denoiser that can be asked for: its settings class, and how to make one from settings.

    Parameters
    ----------
    name : str
        What ``--method`` calls it.
    summary : str
        One line for the person who chooses.
    settings : type
        The class of its settings.
    make : callable
        Makes a denoiser of settings.
    """

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


def settings_classes() -> dict[str, type]:
    """The class of the settings of each method.

    Returns
    -------
    dict of str to type
        By the name of the method.
    """
    return {name: method.settings for name, method in METHODS.items()}


def make_denoiser(method: str, settings: Any = None, before: Denoiser | None = None) -> Denoiser:
    """A denoiser by name.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    settings : object, optional
        Of the class that the method names; its defaults if left out.
    before : Denoiser, optional
        One that solved the same cube: where it is of this method and can be resumed, its solution is the start.

    Returns
    -------
    Denoiser

    Raises
    ------
    SettingsError
        If there is no such method.
    """
    if method not in METHODS:
        raise SettingsError(f"there is no method {method!r}; choose one of {', '.join(METHODS)}")
    chosen = METHODS[method]
    settings = chosen.settings() if settings is None else settings
    if isinstance(before, ResumableDenoiser) and before.name == method:
        return before.resume(settings)
    return chosen.make(settings)
