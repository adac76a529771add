"""Devices that can be chosen, in words for people. Importing this loads no torch."""


def device_choices() -> dict[str, str]:
    """Device -> its name and free memory. Loads torch, which takes seconds at first: not for a window's thread.

    Returns
    -------
    dict of str to str
        "auto" and "cpu" first; what `device` may be, and what to show of it.
    """
    import torch

    from napari_decsc.deq.execution.memory import free

    choices = {"auto": "the fastest device there is", "cpu": _described("processor", free(torch.device("cpu")))}
    for index in range(torch.cuda.device_count()):
        device = torch.device("cuda", index)
        choices[str(device)] = _described(torch.cuda.get_device_name(device), free(device))
    return choices


def _described(name: str, free: int) -> str:
    return f"{name}, {free / 1e9:.1f} GB free"
