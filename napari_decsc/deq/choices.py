"""What can be chosen, in words for people: shipped weights and devices."""

import json
from pathlib import Path

SHIPPED = Path(__file__).parent / "pretrained"


def weights_choices() -> dict[str, str]:
    """Name of shipped weights -> one honest line. Reads the files' headers only; loads no torch."""
    return {path.stem: _metadata(path).get("summary", "") for path in sorted(SHIPPED.glob("*.safetensors"))}


def device_choices() -> dict[str, str]:
    """Device -> its name and free memory. Loads torch, which takes seconds at first: not for a window's thread."""
    import torch

    from napari_decsc.deq.memory import free

    choices = {"auto": "the fastest device there is", "cpu": _described("processor", free(torch.device("cpu")))}
    for index in range(torch.cuda.device_count()):
        device = torch.device("cuda", index)
        choices[str(device)] = _described(torch.cuda.get_device_name(device), free(device))
    if torch.backends.mps.is_available():
        choices["mps"] = "Apple GPU"
    return choices


def _described(name: str, free: int) -> str:
    return f"{name}, {free / 1e9:.1f} GB free"


def _metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file: a length (8 bytes, little endian), then JSON."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    metadata: dict[str, str] = header.get("__metadata__", {})
    return metadata
