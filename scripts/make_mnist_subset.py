"""Make the MNIST subset that the package carries: python -m scripts.make_mnist_subset FOLDER.

FOLDER holds the four IDX files of MNIST. The subset is stratified (600 training and 100 test
images of every digit), keeps the order of the files, and is the same at every run.
"""

from __future__ import annotations

import io
import lzma
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from network.mnist import IMAGE_MAGIC, LABEL_MAGIC, SUBSET, read_idx

SEED = 20_240_101


def stratified(labels: NDArray[np.uint8], each: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return ``each`` positions of every digit, in increasing order."""
    chosen = [
        rng.choice(np.flatnonzero(labels == digit), each, replace=False) for digit in range(10)
    ]
    return np.sort(np.concatenate(chosen))


def main(folder: Path) -> None:
    """Write the subset beside the package's code."""
    rng = np.random.default_rng(SEED)
    arrays = {}
    for split, name, each in (("train", "train", 600), ("t10k", "test", 100)):
        labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz", LABEL_MAGIC)
        images = read_idx(folder / f"{split}-images-idx3-ubyte.gz", IMAGE_MAGIC)
        chosen = stratified(labels, each, rng)
        arrays |= {f"X_{name}": images[chosen], f"y_{name}": labels[chosen]}
    plain = io.BytesIO()
    np.savez(plain, **arrays)
    target = Path(__file__).parents[1] / "network" / "_data" / SUBSET
    target.write_bytes(lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
