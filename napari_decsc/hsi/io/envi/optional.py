"""Fields of a header that a cube can do without: what cannot be used is left out, and said."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi.header import UNSAID, Header

SCALE = "reflectance scale factor"
#: What is less is no factor at all.
_LEAST = 1e-9
#: Numbers that are divided by more would be reflectances of hundreds.
_MOST = 0.01
#: Words, in lower case, for good and bad bands.
_WORDS = {"true": "1", "yes": "1", "good": "1", "false": "0", "no": "0", "bad": "0"}


def multiplies(scale: float) -> bool:
    """Whether a `reflectance scale factor` of this size can only be meant to multiply by."""
    return _LEAST <= scale <= _MOST


@dataclass(frozen=True)
class OptionalFields:
    """Optional fields of a header by their names; ``notes`` grows by a sentence for each one that cannot be used.

    With ``strict`` such a field raises FileFormatError instead.
    """

    header: Header
    notes: list[str] = field(default_factory=list)
    strict: bool = False

    def numbers(
        self, key: str, count: int, *, gaps: bool = False, one_for_all: bool = False
    ) -> NDArray[np.float64] | None:
        """``count`` numbers, or None; with ``gaps`` some may be NaN, with ``one_for_all`` a single one is repeated."""
        single = one_for_all and self.header.count(key) == 1
        try:
            if self.header.text(key).strip("[](){} ").lower() in UNSAID - {""}:
                raise self.header.error(key, "numbers")
            values = self.header.numbers(key, 1 if single else count, gaps=gaps)
        except FileFormatError as error:
            self.leave_out(f"{key} is left out", error)
            return None
        return None if values is None else np.resize(values, count)

    def told(
        self, key: str, count: int, *, gaps: bool = False, one_for_all: bool = False
    ) -> NDArray[np.float64] | None:
        """`numbers` that are not all 0, which would say nothing; or None."""
        values = self.numbers(key, count, gaps=gaps, one_for_all=one_for_all)
        return self._unless_idle(key, values)

    def number(self, key: str) -> float | None:
        """One number (may be NaN), or None."""
        try:
            return self.header.number(key)
        except FileFormatError as error:
            self.leave_out(f"{key} is left out", error)
            return None

    def positive(self, key: str) -> float | None:
        """One number above 0, or None."""
        value = self.number(key)
        if value is None or (np.isfinite(value) and value > 0):
            return value
        self.leave_out(f"{key} is left out", self.header.error(key, "a number above 0"))
        return None

    def scale(self) -> float | None:
        """`reflectance scale factor`, a divisor; one by which numbers are multiplied is turned over, and said."""
        value = self.positive(SCALE)
        if value is None or not multiplies(value):
            return value
        self.notes.append(
            f"{self.header.path.name}: {SCALE} is {value:g}, by which numbers are multiplied and not divided; "
            f"{1 / value:g} is taken"
        )
        return 1 / value

    def flags(self, key: str, count: int) -> NDArray[np.bool_] | None:
        """``count`` truths, given as numbers or as words such as True, or None."""
        said = self.header.text(key).split(",")
        fields = {key: [_WORDS.get(item.strip(" []{}()'\"").lower(), item.strip()) for item in said]}
        words = OptionalFields(dataclasses.replace(self.header, fields=fields), self.notes, self.strict)
        values = self._unless_idle(key, words.numbers(key, count))
        return None if values is None else values != 0

    def _unless_idle(self, key: str, values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if values is None or values.any():
            return values
        self.leave_out(f"{key} is left out", self.header.error(key, "other than 0 for some band"))
        return None

    def without_idle(self, keys: Sequence[str]) -> Header:
        """The header without those of the given fields that say nothing: no value, or 0 for every band."""
        idle = [key for key in keys if key in self.header.fields and self._is_idle(key)]
        for key in idle:
            self.leave_out(f"{key} is left out", self.header.error(key, "other than that to say something"))
        fields = {key: value for key, value in self.header.fields.items() if key not in idle}
        return dataclasses.replace(self.header, fields=fields)

    def _is_idle(self, key: str) -> bool:
        text = self.header.text(key)
        if text.lower() in UNSAID:
            return True
        try:
            values = self.header.numbers(key, self.header.count(key))
        except FileFormatError:
            return False
        return values is not None and not values.any()

    def leave_out(self, consequence: str, error: FileFormatError) -> None:
        """Note what is wrong, without its cure, and what follows of it."""
        if self.strict:
            raise error
        self.notes.append(f"{str(error).rpartition(';')[0]}; {consequence}")
