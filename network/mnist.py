"""MNIST: a stratified subset inside the package, and a reader of the full IDX files.

The digits are by Yann LeCun, Corinna Cortes and Christopher J. C. Burges, made from NIST's
Special Databases 1 and 3; see ``_data/ORIGIN.md``.
"""

from __future__ import annotations

import importlib
import io
import lzma
import math
import zlib
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradcheck_arguments import checked

PIXELS = 28 * 28
SUBSET = "mnist_subset.npz.xz"

# IDX magic numbers: unsigned bytes in three dimensions, and in one (LeCun's file format).
IMAGE_MAGIC = 2051
LABEL_MAGIC = 2049
GZIP_MAGIC = b"\x1f\x8b"


class Digits(NamedTuple):
    """Handwritten digits, split for training and testing.

    Attributes
    ----------
    X_train, X_test
        Images as rows of 784 pixels in [0, 1], float32, of shape (n, 784).
    y_train, y_test
        Labels 0 to 9, int64, of shape (n,).
    """

    X_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


@checked
def load_mnist(path: str | Path | None = None) -> Digits:
    """Load MNIST.

    Parameters
    ----------
    path
        A folder with the four IDX files, compressed by gzip or not. None loads the subset inside
        the package: 6,000 training and 1,000 test images, as many of every digit.

    Raises
    ------
    FileNotFoundError
        If the folder or one of the files is missing; the message names the files expected.
    ValueError
        If a file is truncated, no IDX file, or does not belong to the other.
    """
    if path is None:
        return _load_subset()
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"path={str(path)!r} is not a folder; give the one with the IDX files"
        )
    X_train, y_train = _load_split(folder, "train")
    X_test, y_test = _load_split(folder, "t10k")
    return Digits(X_train, y_train, X_test, y_test)


def read_idx(path: str | Path, magic: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, compressed by gzip or not.

    Parameters
    ----------
    path
        The file.
    magic
        Its first four bytes as a big-endian number: 2051 for images, 2049 for labels.

    Raises
    ------
    ValueError
        If the file is damaged; the message says what was found and what was expected.
    """
    content, whole = _content(Path(path))
    if len(content) < 4:
        raise ValueError(f"{path}: {len(content)} bytes, too short for an IDX file")
    found = int.from_bytes(content[:4], "big")
    if found != magic:
        raise ValueError(f"{path}: starts with the number {found}; expected {magic}, as IDX has it")
    header = 4 + 4 * (magic % 256)  # the last byte of the magic number counts the dimensions
    if len(content) < header:
        raise ValueError(f"{path}: {len(content)} bytes, too short for its IDX header of {header}")
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], ">u4"))
    expected = header + math.prod(shape)
    if len(content) != expected or not whole:
        broken = "" if whole else " until its gzip stream breaks off"
        raise ValueError(
            f"{path}: {len(content)} bytes{broken}; its header announces shape {shape}, "
            f"{expected} bytes. The file is damaged: download it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> tuple[bytes, bool]:
    """Return what the file holds, uncompressed, and whether it is known to be all."""
    raw = path.read_bytes()
    if not raw.startswith(GZIP_MAGIC):
        return raw, True
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: a gzip header, not zlib's own
    try:
        return stream.decompress(raw), stream.eof
    except zlib.error as error:
        raise ValueError(f"{path}: damaged gzip file ({error}); download it again") from error


def _load_split(folder: Path, split: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    image_file = _find(folder, f"{split}-images", "idx3-ubyte")
    label_file = _find(folder, f"{split}-labels", "idx1-ubyte")
    images, labels = read_idx(image_file, IMAGE_MAGIC), read_idx(label_file, LABEL_MAGIC)
    if len(images) != len(labels):
        raise ValueError(
            f"{image_file} holds {len(images)} images, {label_file} {len(labels)} labels; "
            "expected as many of both"
        )
    if images.shape[1:] != (28, 28) or labels.max(initial=0) > 9:
        raise ValueError(
            f"{image_file} holds images of {images.shape[1:]} pixels, {label_file} labels "
            f"up to {labels.max(initial=0)}; MNIST has 28 by 28 pixels and digits up to 9"
        )
    return _as_rows(images), labels.astype(np.int64)


def _find(folder: Path, stem: str, ending: str) -> Path:
    names = [f"{stem}{sign}{ending}{zipped}" for sign in "-." for zipped in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{folder} holds none of {', '.join(names)}")


def _load_subset() -> Digits:
    file = resources.files("network").joinpath("_data", SUBSET)
    with np.load(io.BytesIO(lzma.decompress(file.read_bytes()))) as subset:
        return Digits(
            _as_rows(subset["X_train"]),
            subset["y_train"].astype(np.int64),
            _as_rows(subset["X_test"]),
            subset["y_test"].astype(np.int64),
        )


def _as_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows = images.reshape(len(images), PIXELS).astype(np.float32)
    rows /= 255
    return rows


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


@checked
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
