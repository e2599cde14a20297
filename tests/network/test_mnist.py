"""MNIST: the packaged subset, full files, and every way a file can be wrong."""

import gzip
from importlib import resources

import numpy as np
import pytest

from network import load_mnist
from network.mnist import IMAGE_MAGIC, LABEL_MAGIC


def idx(magic, array):
    header = magic.to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    images = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 256
    for split in ("train", "t10k"):
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(idx(IMAGE_MAGIC, images))
        (tmp_path / f"{split}-labels.idx1-ubyte.gz").write_bytes(
            gzip.compress(idx(LABEL_MAGIC, np.array([3, 1, 4])), mtime=0)
        )
    return tmp_path


def test_the_subset_is_stratified_and_scaled():
    digits = load_mnist()

    assert digits.X_train.shape == (6000, 784)
    assert digits.X_test.shape == (1000, 784)
    assert np.array_equal(np.bincount(digits.y_train), np.full(10, 600))
    assert np.array_equal(np.bincount(digits.y_test), np.full(10, 100))
    assert digits.X_train.dtype == np.float32
    assert digits.X_train.min() == 0
    assert digits.X_train.max() == 1
    assert digits.y_train.dtype == np.int64


def test_the_packaged_data_are_small_and_say_where_they_come_from():
    folder = resources.files("network").joinpath("_data")

    assert sum(file.stat().st_size for file in folder.iterdir()) <= 1.5e6
    origin = folder.joinpath("ORIGIN.md").read_text()
    assert all(word in origin for word in ("LeCun", "Cortes", "Burges", "NIST", "Attribution"))


def test_full_files_are_read_compressed_or_not(folder):
    digits = load_mnist(folder)

    assert digits.X_train.shape == (3, 784)
    assert digits.X_train[0, 255] == 1
    assert np.array_equal(digits.y_test, [3, 1, 4])


def test_a_missing_folder_and_a_missing_file_are_named(folder):
    with pytest.raises(FileNotFoundError, match="not a folder"):
        load_mnist(folder / "nowhere")
    (folder / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="t10k-images-idx3-ubyte"):
        load_mnist(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ab", "too short"),
        (b"\x00\x00\x08\x03\x00\x00", "too short for its IDX header"),
        (idx(IMAGE_MAGIC, np.zeros((3, 28, 28)))[:-5], "2363 bytes; .* 2368 bytes"),
        (idx(LABEL_MAGIC, np.zeros(3)), "number 2049; expected 2051"),
        (
            gzip.compress(idx(IMAGE_MAGIC, np.ones((3, 28, 28))), mtime=0)[:-9],
            "breaks off; .* 2368 bytes",
        ),
        (gzip.compress(idx(IMAGE_MAGIC, np.ones((3, 28, 28))), mtime=0)[:-3], "breaks off"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 40, "damaged gzip"),
        (idx(IMAGE_MAGIC, np.zeros((2, 28, 28))), "2 images, .* 3 labels"),
        (idx(IMAGE_MAGIC, np.zeros((3, 20, 20))), "28 by 28"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(folder, content, message):
    (folder / "train-images-idx3-ubyte").write_bytes(content)

    with pytest.raises(ValueError, match=f"train-images-idx3-ubyte.*{message}"):
        load_mnist(folder)


def test_labels_beyond_nine_are_refused(folder):
    (folder / "t10k-labels.idx1-ubyte.gz").write_bytes(idx(LABEL_MAGIC, np.array([3, 10, 4])))

    with pytest.raises(ValueError, match=r"t10k-labels.* up to 10"):
        load_mnist(folder)
