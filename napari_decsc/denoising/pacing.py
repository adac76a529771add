"""How often previews are made, so that watching never costs much."""

#: Least time between two previews, seconds.
PAUSE = 0.3
#: Largest share of the time that previews may take.
SHARE = 0.1


class Pace:
    """Tells when the next preview is due: the first at once, each later one after a pause that grows with its cost.

    Times are those of the denoiser's `Stopwatch`, in seconds.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is time for a preview.

        Parameters
        ----------
        now : float
            Seconds.

        Returns
        -------
        bool
            True as long as nothing was made.
        """
        return now >= self._next

    def made(self, begun: float, ended: float) -> None:
        """A preview was made in this time.

        Parameters
        ----------
        begun, ended : float
            Seconds.
        """
        self._next = ended + max(PAUSE, (ended - begun) / SHARE)
