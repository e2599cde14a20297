"""Short training runs on real data with known faults: the corpus of ``benchmarks.diagnosis``.

``python -m benchmarks.runs`` trains them all anew, some minutes, and writes ``histories.json.gz``;
``python -m benchmarks.runs.other_code`` then adds those trained by PyTorch.
"""
