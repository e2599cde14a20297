"""Data of one's own: IDX folders, ``.npz`` and CSV files, as samples split for training and test.

Rows are samples. Bytes, and whole numbers from 0 to 255, are taken as pixels and divided by 255;
other numbers are shifted and scaled, column by column, to mean zero and variance one over the
training samples. Labels may be numbers or words: the classes are their sorted distinct values.
"""

from __future__ import annotations

import gzip
import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradcheck_arguments import checked
from network.mnist import load_mnist

# What the columns, or arrays, of inputs and labels are called by their usual authors.
LABEL_NAMES = ("label", "labels", "y", "class", "target", "targets", "species", "digit")
INPUT_NAMES = ("X", "x", "data", "images", "features")
DELIMITERS = re.compile(r"[,;\t]")
# The share of the samples that is kept for the test where the data come without one.
TEST_SHARE = 1 / 6

Table = tuple[NDArray[np.float32], NDArray[np.str_]]


class Dataset(NamedTuple):
    """Samples of any kind, split for training and testing.

    Attributes
    ----------
    X_train, X_test
        Of shape (n, features), float32.
    y_train, y_test
        Positions in ``classes``, int64, of shape (n,).
    classes
        What the labels were in the file.
    """

    X_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    classes: tuple[str, ...]


@checked
def load_data(
    path: str | Path | None = None, *, test: str | Path | None = None, label: str | None = None
) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    path
        A folder with IDX files, a ``.npz`` file, or a CSV file, compressed by gzip or not; None
        for the packaged digits. An ``.npz`` holds arrays such as ``x_train``, ``y_train``,
        ``x_test``, ``y_test``, or ``X`` and ``y``.
    test
        A CSV file with the samples for the test; where None, and the data come without, every sixth
        sample of a shuffle that is always the same.
    label
        The column of the labels in a CSV file. Where None, the one named label, class, target or
        so; in a file without a header the only one that holds words, else the first, or else the
        last, that holds whole numbers.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    ValueError
        If the data cannot be understood; the message says what was expected.
    """
    path = None if path is None else Path(path)
    for each in (path, test):
        if each is not None and not Path(each).exists():
            raise FileNotFoundError(f"{each} is not a folder, and no file either")
    if path is None or path.is_dir():
        digits = load_mnist(path)
        return Dataset(*digits, tuple(str(digit) for digit in range(10)))
    if path.suffix == ".npz":
        return _load_npz(path)
    if path.name.endswith((".csv", ".csv.gz", ".tsv", ".txt")):
        table = _read_csv(path, label)
        return _split(path, table, None if test is None else _read_csv(Path(test), label))
    raise ValueError(f"{path}: expected a folder with IDX files, a .npz or a .csv file")


def _load_npz(path: Path) -> Dataset:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name.lower(): file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not to be read as .npz: {error}") from error
    parts = [_from_arrays(path, arrays, part) for part in ("_train", "_test", "")]
    train = parts[0] or parts[2]
    if train is None:
        raise ValueError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; expected x_train, y_train, x_test and "
            "y_test, or X and y"
        )
    return _split(path, train, parts[1])


def _from_arrays(path: Path, arrays: dict[str, NDArray[np.generic]], part: str) -> Table | None:
    """Return inputs and labels of one part of the data, None where they are not there."""
    X = next((arrays[n.lower() + part] for n in INPUT_NAMES if n.lower() + part in arrays), None)
    y = next((arrays[n + part] for n in LABEL_NAMES if n + part in arrays), None)
    if X is None or y is None:
        return None
    if not X.size:
        raise ValueError(f"{path} holds no samples")
    if X.ndim < 2 or X.dtype.kind not in "fiub" or y.shape != X.shape[:1]:
        raise ValueError(
            f"{path}: inputs{part} of shape {X.shape} and {X.dtype}, labels{part} of shape "
            f"{y.shape}; expected numbers of shape (n, features) and n labels"
        )
    return X.reshape(len(X), -1).astype(np.float32), y.astype(np.str_)


def _read_csv(path: Path, label: str | None) -> Table:
    """Return inputs and labels of a CSV file."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        head = [file.readline().decode("utf-8-sig").strip() for _ in range(2)]
    found = DELIMITERS.search(head[0])
    if not found or not head[1]:
        raise ValueError(f"{path}: expected rows of numbers, separated by commas")
    delimiter = found[0]
    first, second = ([cell.strip(" \"'") for cell in line.split(delimiter)] for line in head)
    has_header = not any(map(_is_number, first))
    column = _label_column(path, first if has_header else None, second, label)
    options = {"delimiter": delimiter, "skiprows": int(has_header), "quotechar": '"'}
    try:
        if column is None:
            column = _whole_column(path, len(second), options)
        inputs = [i for i in range(len(second)) if i != column]
        X = np.loadtxt(path, np.float32, usecols=inputs, ndmin=2, comments=None, **options)  # type: ignore[call-overload]
        y = np.loadtxt(path, np.str_, usecols=column, ndmin=1, comments=None, **options)  # type: ignore[call-overload]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return X, y


def _whole_column(path: Path, columns: int, options: dict[str, Any]) -> int:
    """Return the first or the last column, whichever holds whole numbers; the first if both."""
    ends = np.loadtxt(path, np.float64, usecols=(0, columns - 1), ndmin=2, comments=None, **options)
    return 0 if (ends[:, 0] % 1 == 0).all() else columns - 1


def _label_column(
    path: Path, header: list[str] | None, row: list[str], label: str | None
) -> int | None:
    """Return the position of the labels among the columns, None where only the numbers tell."""
    words = [position for position, cell in enumerate(row) if not _is_number(cell)]
    if header is None:
        if label is not None:
            raise ValueError(f"{path} has no header; the label column {label!r} is not to be found")
        return words[0] if len(words) == 1 else None
    names = LABEL_NAMES if label is None else (label.lower(),)
    for position, name in enumerate(header):
        if name.lower() in names:
            return position
    if label is None and len(words) == 1:
        return words[0]
    raise ValueError(
        f"{path} has the columns {', '.join(header[:8])}{', ...' * (len(header) > 8)}; none is "
        f"called {' or '.join(names)}. Say which one holds the labels"
    )


def _split(path: Path, train: Table, test: Table | None) -> Dataset:
    """Return the data set, with a part of the training samples for the test where there is none."""
    X, labels = train
    if not len(X):
        raise ValueError(f"{path} holds no samples")
    if test is None:
        order = np.random.default_rng(0).permutation(len(X))
        held_out = max(1, round(len(X) * TEST_SHARE))
        test = X[order[:held_out]], labels[order[:held_out]]
        X, labels = X[order[held_out:]], labels[order[held_out:]]
    X_test, test_labels = test
    if X.shape[1] != X_test.shape[1]:
        raise ValueError(f"{path}: {X.shape[1]} features to train on, {X_test.shape[1]} to test on")
    classes = [str(name) for name in np.unique(np.concatenate([labels, test_labels]))]
    if all(map(_is_number, classes)):
        classes.sort(key=float)
    if len(classes) < 2 or len(classes) > max(20, len(X) // 2):
        raise ValueError(
            f"{path}: {len(classes)} distinct labels in {len(X)} samples, such as "
            f"{', '.join(classes[:3])}; expected classes. Is the label column the right one?"
        )
    broken = [name for name in classes if _is_number(name) and not float(name).is_integer()]
    if broken:
        raise ValueError(
            f"{path}: the label {broken[0]} is no whole number; expected classes, by number or "
            "name. Is the label column the right one?"
        )
    places = {name: place for place, name in enumerate(classes)}
    y, y_test = (
        np.array([places[name] for name in part.tolist()], np.int64)
        for part in (labels, test_labels)
    )
    X, X_test = _scaled(X, X_test)
    return Dataset(X, y, X_test, y_test, tuple(classes))


def _scaled(X: NDArray[np.float32], X_test: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    """Return pixels divided by 255, and other columns with mean zero and variance one."""
    if not np.isfinite(X).all():
        return X, X_test  # to be refused by those who use them, with their place
    whole = bool(np.all(np.floor(X) == X))
    if whole and X.min() >= 0 and 1 < X.max() <= 255:
        return X / np.float32(255), X_test / np.float32(255)
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    deviation[deviation == 0] = 1  # a column of one number stays at zero
    return (X - mean) / deviation, (X_test - mean) / deviation


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
