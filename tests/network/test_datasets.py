"""Data sets from files as users keep them, and what is said of those that are none."""

import gzip
import sys

import numpy as np
import pytest

from network import load_data
from network.mnist import FILES, download_mnist

IRIS = """sepal,petal,species
5.1,1.4,setosa
4.9,1.3,setosa
7.0,4.7,versicolor
6.4,4.5,versicolor
6.3,6.0,virginica
5.8,5.1,virginica
"""
KAGGLE = "label,pixel0,pixel1\n" + "".join(f"{k % 2},{k * 20},255\n" for k in range(12))


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_path_there_are_the_packaged_digits():
    data = load_data()

    assert data.X_train.shape == (6000, 784)
    assert data.classes == tuple("0123456789")


def test_labels_may_be_words_and_numbers_stay_as_they_are(tmp_path):
    data = load_data(write(tmp_path / "iris.csv", IRIS))

    assert data.classes == ("setosa", "versicolor", "virginica")
    assert (len(data.X_train), len(data.X_test)) == (5, 1)


def test_numbers_that_are_no_pixels_are_standardised_over_the_training_samples(tmp_path):
    data = load_data(write(tmp_path / "iris.csv", IRIS.replace("1.3", "1.4")))

    np.testing.assert_allclose(data.X_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.X_train.std(axis=0), 1, rtol=1e-5)
    rows = np.concatenate([data.X_train, data.X_test])
    by_length = np.array(sorted(rows[:, 0]))
    # 4.9, 5.1, 5.8, 6.3, 6.4, 7.0 keep the ratios of their distances
    np.testing.assert_allclose(np.diff(by_length) / (by_length[1] - by_length[0]) * 2,
                               [2, 7, 5, 1, 6], rtol=1e-4)  # fmt: skip


def test_pixels_are_divided_by_255_and_the_label_column_is_found(tmp_path):
    data = load_data(write(tmp_path / "digits.csv", KAGGLE))

    assert data.classes == ("0", "1")
    assert data.X_train.shape == (10, 2)
    assert data.X_train[:, 1].tolist() == [1.0] * 10
    # pixel0 is 20 k of sample k, whose label is k mod 2
    assert np.array_equal(np.round(data.X_train[:, 0] * 255 / 20) % 2, data.y_train)


def test_a_file_without_a_header_has_its_labels_first_or_in_words(tmp_path):
    numbers = "\n".join(KAGGLE.splitlines()[1:])
    words = "\n".join(IRIS.splitlines()[1:])

    assert load_data(write(tmp_path / "a.csv", numbers)).classes == ("0", "1")
    assert load_data(write(tmp_path / "b.csv", words)).classes[0] == "setosa"


def test_a_file_without_a_header_has_its_labels_last_where_the_first_column_is_measured(tmp_path):
    rows = "".join(f"{5 + k / 10},{k / 7:.2f},{k % 3}\n" for k in range(12))

    data = load_data(write(tmp_path / "iris.data.csv", rows))

    assert data.classes == ("0", "1", "2")
    assert data.X_train.shape[1] == 2


def test_a_test_file_other_separators_and_gzip_are_read(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(KAGGLE.replace(",", ";").encode()))
    test = write(tmp_path / "t.csv", '\ufeff"label","pixel0","pixel1"\n1,0,51\n')

    data = load_data(tmp_path / "a.csv.gz", test=test)

    assert (len(data.X_train), len(data.X_test)) == (12, 1)
    assert data.X_test[0].tolist() == pytest.approx([0, 0.2])
    assert data.y_test.tolist() == [1]


def test_a_column_of_labels_can_be_named(tmp_path):
    path = write(tmp_path / "a.csv", KAGGLE.replace("label", "digit_shown"))

    assert load_data(path, label="digit_shown").classes == ("0", "1")
    with pytest.raises(ValueError, match="columns digit_shown, pixel0, pixel1; none is called"):
        load_data(path)


def test_npz_files_are_read_as_their_usual_authors_write_them(tmp_path):
    X, y = np.arange(96, dtype=np.uint8).reshape(12, 2, 4), np.arange(12) % 3 + 1
    np.savez(tmp_path / "keras.npz", x_train=X, y_train=y, x_test=X[:4], y_test=y[:4])
    np.savez(tmp_path / "plain.npz", X=X, y=y)

    keras, plain = load_data(tmp_path / "keras.npz"), load_data(tmp_path / "plain.npz")

    assert keras.X_train.shape == (12, 8)
    assert keras.X_train.max() == np.float32(95 / 255)
    assert keras.classes == plain.classes == ("1", "2", "3")
    assert keras.y_test.tolist() == [0, 1, 2, 0]
    assert (len(plain.X_train), len(plain.X_test)) == (10, 2)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "1\n2\n", "separated by commas"),
        ("a.csv", "label,a\n", "expected rows"),
        ("a.csv", "label,a\n0,1\n1,x\n", "could not convert"),
        ("a.csv", "a,b\n" + "".join(f"{k}.5,1\n" for k in range(60)), "none is called"),
        ("a.csv", "label,b\n" + "".join(f"{k}.5,1\n" for k in range(60)), "60 distinct labels"),
        ("a.csv", "label,b\n1,2\n1,3\n", "1 distinct labels"),
        ("a.npz", "no zip", "not to be read as .npz"),
        ("a.parquet", "", "expected a folder with IDX files, a .npz or a .csv"),
    ],
)
def test_a_file_that_cannot_be_understood_says_why(tmp_path, name, text, message):
    path = write(tmp_path / name, text)

    with pytest.raises(ValueError, match=message):
        load_data(path)


def test_arrays_that_do_not_belong_together_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.ones((3, 2)), y=np.ones(4))
    np.savez(tmp_path / "b.npz", pixels=np.ones((3, 2)))

    with pytest.raises(ValueError, match=r"inputs of shape \(3, 2\).* labels of shape \(4,\)"):
        load_data(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="holds pixels; expected x_train"):
        load_data(tmp_path / "b.npz")


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        load_data(tmp_path / "nowhere")


class Pooch:
    """Stands in for the package: no test goes to the network."""

    def __init__(self, problem=None):
        self.problem, self.asked = problem, []

    def create(self, path, base_url, registry):
        assert base_url.startswith("https://")
        assert all(len(checksum) == 64 for checksum in registry.values())
        return self

    def fetch(self, name):
        self.asked.append(name)
        if self.problem:
            raise self.problem


def test_mnist_is_downloaded_file_by_file_with_checksums(tmp_path, monkeypatch):
    pooch = Pooch()
    monkeypatch.setitem(sys.modules, "pooch", pooch)

    assert download_mnist(tmp_path) == tmp_path
    assert pooch.asked == list(FILES)


@pytest.mark.parametrize("problem", [OSError("no route"), ValueError("SHA256 does not match")])
def test_without_a_network_the_error_names_the_way_without(tmp_path, monkeypatch, problem):
    monkeypatch.setitem(sys.modules, "pooch", Pooch(problem))

    with pytest.raises(ConnectionError, match=r"Without a network: put train-images.* into"):
        download_mnist(tmp_path)


def test_without_pooch_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)

    with pytest.raises(ConnectionError, match=r"pip install 'gradcheck\[data\]'"):
        download_mnist()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), "holds no samples"),
        (np.zeros((12, 3)), np.arange(12) % 2 + 0.5, r"the label 0\.5 is no whole number"),
        (np.zeros((12, 3)), np.where(np.arange(12) % 2, 1.0, np.nan), "the label nan"),
    ],
)
def test_arrays_that_hold_no_classes_are_refused(tmp_path, X, y, message):
    np.savez(tmp_path / "data.npz", X=X, y=y)

    with pytest.raises(ValueError, match=message):
        load_data(tmp_path / "data.npz")
