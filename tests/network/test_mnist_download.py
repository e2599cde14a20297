"""The download itself, from a server on this machine: files arrive whole, or not at all."""

import functools
import gzip
import hashlib
import http.server
import threading

import pytest

from network import mnist as download

pytest.importorskip("pooch", reason="the extra `data` is not installed")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format, *args):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder of files that is served, in place of the mirror of MNIST."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name in download.FILES:
        (folder / name).write_bytes(gzip.compress(name.encode()))
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(download, "MIRROR", f"http://127.0.0.1:{server.server_port}/")
        checksums = {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in download.FILES
        }
        monkeypatch.setattr(download, "FILES", checksums)
        yield folder
        server.shutdown()
        thread.join()


def test_all_files_arrive_as_they_are(mirror, tmp_path):
    folder = download.download_mnist(tmp_path / "kept")

    for name in download.FILES:
        assert (folder / name).read_bytes() == (mirror / name).read_bytes()


def test_what_is_there_is_not_fetched_again(mirror, tmp_path):
    download.download_mnist(tmp_path / "kept")
    for name in download.FILES:
        (mirror / name).unlink()

    assert download.download_mnist(tmp_path / "kept") == tmp_path / "kept"


def test_file_with_another_checksum_is_refused_and_not_kept(mirror, tmp_path):
    name = next(iter(download.FILES))
    (mirror / name).write_bytes(b"something else")

    with pytest.raises(ConnectionError, match="ValueError"):
        download.download_mnist(tmp_path / "kept")

    assert not (tmp_path / "kept" / name).exists()


def test_damaged_copy_is_fetched_again(mirror, tmp_path):
    folder = download.download_mnist(tmp_path / "kept")
    name = next(iter(download.FILES))
    (folder / name).write_bytes(b"damaged")

    download.download_mnist(folder)

    assert (folder / name).read_bytes() == (mirror / name).read_bytes()


def test_missing_file_is_an_error_that_says_what_to_do(mirror, tmp_path):
    (mirror / next(iter(download.FILES))).unlink()

    with pytest.raises(ConnectionError, match=r"HTTPError.*Without a network: put"):
        download.download_mnist(tmp_path / "kept")
