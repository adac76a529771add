"""What can be chosen, in words for people: shipped weights."""

import json
from pathlib import Path

#: Where a file's summary turns to what was proved of its model.
PROVED = "; proved"

SHIPPED = Path(__file__).parent / "pretrained"


def weights_choices() -> dict[str, str]:
    """Name of shipped weights -> one honest line. Reads the files' headers only; loads no torch.

    Returns
    -------
    dict of str to str
        In the order of the names.
    """
    # what is proved is for the model of today to say, which shows it in every run, not for a file that may be older
    return {
        path.stem: _metadata(path).get("summary", "").split(PROVED)[0] for path in sorted(SHIPPED.glob("*.safetensors"))
    }


def _metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file: a length (8 bytes, little endian), then JSON."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    metadata: dict[str, str] = header.get("__metadata__", {})
    return metadata
