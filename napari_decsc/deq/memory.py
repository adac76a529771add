"""How much memory a solve may take, and takes."""

import re

import psutil
import torch

from napari_decsc.hsi.errors import SettingsError

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def budget(text: str, device: torch.device) -> int:
    """Bytes from "2GB", "500 MB"; empty: half of what is free. Raises SettingsError for anything else."""
    if not text.strip():
        return free(device) // 2
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", text, re.IGNORECASE)
    if match is None:
        raise SettingsError(f"memory is {text!r}; write a number and a unit, such as 2GB or 500MB")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def free(device: torch.device) -> int:
    """Bytes that are free where the computation runs."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
