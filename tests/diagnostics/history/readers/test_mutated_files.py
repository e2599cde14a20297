"""Files that are damaged anywhere are read, or refused in one line that names them."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from diagnostics import History

ROWS = [
    {"epoch": n, "loss": 1 / (n + 1), "val_loss": 1.2 / (n + 1), "acc": n / 9} for n in range(8)
]
CURVES = {name: [row[name] for row in ROWS] for name in ROWS[0]}
CSV = "epoch,loss,val_loss,acc\n" + "".join(
    f"{r['epoch']},{r['loss']:.4f},{r['val_loss']:.4f},{r['acc']:.2f}\n" for r in ROWS
)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
LOG = "".join(
    f"Epoch {r['epoch']}/8 - loss: {r['loss']:.4f} - val_loss: {r['val_loss']:.4f}\n" for r in ROWS
)
FILES = {
    "log.csv": CSV.encode(),
    "log.csv.gz": gzip.compress(CSV.encode()),
    "log.jsonl": LINES.encode(),
    "log.jsonl.gz": gzip.compress(LINES.encode()),
    "history.json": json.dumps(CURVES).encode(),
    "trainer_state.json": json.dumps({"log_history": ROWS, "global_step": 8}).encode(),
    "history.txt": f"history = {CURVES!r}\n".encode(),
    "train.log": LOG.encode(),
}
MUTATIONS = 2000
EXTREMES = (b"9" * 400, b"-1e999", b"nan", b"[" * 2000, b"{" * 2000, b'"' * 3, b"\xff\xfe", b"\0")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return data with bytes flipped, cut out, doubled, or replaced by what is hard to read."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(found) + 1)
        end = min(len(found), at + rng.choice((1, 1, 2, 8, 40)))
        match rng.randrange(5):
            case 0 if at < len(found):
                found[at] ^= 1 << rng.randrange(8)
            case 1:
                del found[at:end]
            case 2:
                found[at:at] = found[at:end]
            case 3:
                found[at:end] = rng.choice(EXTREMES)
            case _:
                found[at:end] = bytes(rng.randrange(256) for _ in range(end - at))
    return bytes(found)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused_by_name(name, tmp_path):
    rng = random.Random(name)
    path = tmp_path / name
    refusals = []
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(FILES[name], rng))
        try:
            History.read(path)
        except ValueError as error:
            refusals.append(str(error))

    assert [text for text in refusals if name.partition(".")[0] not in text] == []
    assert len(refusals) < MUTATIONS or name.endswith(".gz")


def test_what_unpacks_to_more_than_a_log_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("diagnostics.history.readers.source.MOST_BYTES", 1 << 20)
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(b"0" * (1 << 21)))

    with pytest.raises(ValueError, match=r"log\.csv\.gz: more than 1 MiB when unpacked"):
        History.read(path)


def test_what_is_no_regular_file_is_refused(tmp_path):
    os = pytest.importorskip("os")
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "pipe.csv")

    with pytest.raises(ValueError, match=r"pipe\.csv: no regular file"):
        History.read(tmp_path / "pipe.csv")


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "loss: 0.1 " * 10_000, "{" * 100_000, '{"a":' * 20_000]
)
@pytest.mark.parametrize("before", ["", CSV])
def test_a_long_line_comes_to_an_end(text, before, tmp_path):
    path = tmp_path / "run.log"
    path.write_text(f"{before}{text}\n")

    try:
        history = History.read(path)
    except ValueError as error:
        history = str(error)

    assert "run.log" in history if isinstance(history, str) else len(history) > 0
