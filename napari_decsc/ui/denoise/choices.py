"""Who knows what may be chosen: shipped weights and devices, each with a line about it."""


def weights_choices() -> dict[str, str]:
    """Shipped weights and a line about each."""
    from napari_decsc.deq.weights import choices

    return choices.weights_choices()


def device_choices() -> dict[str, str]:
    """Devices, their names and free memory. Takes seconds at first."""
    from napari_decsc.deq.execution import choices

    return choices.device_choices()
