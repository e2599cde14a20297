#!/usr/bin/env bash
# cloudpickle from 3.1.3 on: a function of a script loses its file on the way to a worker.
#
# Guess written down first: "cloudpickle sends a function of a script by value and keeps its file and
# lines, so that on the same machine inspect.getsource and the traceback show the source in a worker,
# as they do here".
#
# Seen with cloudpickle 3.1.2: so it is. With 3.1.3 the code object arrives with the file name
# "<dynamic-code>", whatever the script is called: the line number is kept, inspect.getsource raises
# OSError, and a traceback from the worker names no file. Functions that nest in it lose theirs, too.
#
# Who meets it: whoever debugs a layer of a script or a notebook in a pool or a cluster, or looks for
# the source of what was sent. Restored by replacing the reduction of code objects.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/script.py" <<'PYTHON'
import pickle
import sys

import cloudpickle


def layer(x):
    return 2 * x


payload = cloudpickle.dumps(layer)
with open(sys.argv[1], "wb") as file:
    file.write(payload)
PYTHON
cat > "$folder/worker.py" <<'PYTHON'
import inspect
import pickle
import sys

import cloudpickle

with open(sys.argv[1], "rb") as file:
    layer = pickle.load(file)
code = layer.__code__
try:
    source = inspect.getsource(layer).strip().splitlines()[-1].strip()
except OSError:
    source = "OSError"
print("python", sys.version.split()[0], "cloudpickle", cloudpickle.__version__)
print(f"file {code.co_filename.rsplit('/', 1)[-1]!r}, line {code.co_firstlineno}, source {source!r}")
seen = code.co_filename.rsplit("/", 1)[-1], code.co_firstlineno, source
expected = {"kept": ("script.py", 7, "return 2 * x"), "lost": ("<dynamic-code>", 7, "OSError")}
sys.exit(0 if seen == expected[sys.argv[2]] else "the behaviour has changed")
PYTHON
for version in 3.1.2:kept 3.1.3:lost; do
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/python" -m pip install --quiet "cloudpickle==${version%:*}"
    "$folder/venv/bin/python" "$folder/script.py" "$folder/payload"
    "$folder/venv/bin/python" "$folder/worker.py" "$folder/payload" "${version#*:}"
done
