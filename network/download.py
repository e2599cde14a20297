"""The full MNIST by download, checked to the last bit."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

# A mirror by the Common Visual Data Foundation of the files that LeCun published.
MIRROR = "https://storage.googleapis.com/cvdf-datasets/mnist/"

# SHA-256 of the four files; TensorFlow Datasets pins the same (checksums of `mnist`).
FILES = {
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}


def download_mnist(folder: str | Path | None = None) -> Path:
    """Return a folder with the four files of MNIST, downloading those that are not there.

    Parameters
    ----------
    folder
        Where they are kept; where None, the cache folder of the system.

    Raises
    ------
    ConnectionError
        If the files are neither there nor to be had, or pooch, which fetches them, is not
        installed; the message says what to do.
    """
    try:
        pooch: Any = importlib.import_module("pooch")
    except ModuleNotFoundError as error:
        raise ConnectionError(
            f"downloading MNIST needs pooch: pip install 'gradcheck[data]'. {_by_hand('a folder')}"
        ) from error
    where = Path(folder) if folder is not None else Path(pooch.os_cache("gradcheck")) / "mnist"
    keeper = pooch.create(path=where, base_url=MIRROR, registry=FILES)
    try:
        for name in FILES:
            keeper.fetch(name)
    except (OSError, ValueError) as error:  # no network; or the checksum is another
        raise ConnectionError(
            f"MNIST could not be downloaded ({type(error).__name__}). {_by_hand(str(where))}"
        ) from error
    return where


def _by_hand(folder: str) -> str:
    return (
        f"Without a network: put {', '.join(FILES)} into {folder} (from another machine; {MIRROR}) "
        "and give that folder as data, or use the packaged subset"
    )
