"""One object in a process of its own: ``python -m benchmarks.field.worker JOB SOURCE NAME``.

``SOURCE`` is a module of this project's list, or a file of the user's. The last line of what is
printed is a JSON object. A slip is in force where its folder stands first in ``PYTHONPATH``.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import io
import json
import random
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.field.compare import compare
from benchmarks.field.item import Item, Package


def package_of(source: str) -> Package:
    """Return the list that a module, or a file of the user's, holds as ``PACKAGE``."""
    if not source.endswith(".py"):
        found: Package = importlib.import_module(f"benchmarks.field.packages.{source}").PACKAGE
        return found
    path = Path(source).resolve()
    sys.path.append(str(path.parent))  # behind a copy with a slip
    spec = importlib.util.spec_from_file_location(f"field_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"--path {source}: it cannot be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.PACKAGE


def made(item: Item) -> tuple[Any, ...]:
    """Make the thing and its inputs, the same ones in every process."""
    np.random.seed(0)  # noqa: NPY002  where most packages draw their weights from
    random.seed(0)
    return item.make()


def compared(item: Item) -> dict[str, Any]:
    """Return the truth about an object by central differences."""
    with np.errstate(all="ignore"):
        found = compare(item.read(*made(item)))
    digest = hashlib.sha256(found.output.tobytes()).hexdigest()
    return {
        "truth": found.truth,
        "error": found.error if np.isfinite(found.error) else None,
        "ratio": found.ratio,
        "output": digest,
    }


def checked(item: Item) -> dict[str, Any]:
    """Return what `check` says, without help."""
    from gradcheck import TargetError, check

    thing, *inputs = made(item)
    start = time.perf_counter()
    try:
        report = check(thing, *inputs)
    except TargetError as error:
        return {"refused": str(error)}
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}", "text": traceback.format_exc()}
    seconds = time.perf_counter() - start
    named = list(report.explanations) or [
        e for tensor in report.tensors.values() for e in tensor.explanations
    ]
    edits = next((e.edits for e in named if e.edits), ())
    return {
        "verdict": str(report.verdict),
        "name": str(named[0].code) if named else "",
        "edits": [vars(edit) for edit in edits],
        "places": next((e.places for e in named if e.places), ()),
        "seconds": seconds,
        "text": str(report),
    }


def lines(item: Item) -> dict[str, Any]:
    """Return file and line of each place where a bug as published can be corrected."""
    from benchmarks.field.slips import lines_of

    texts = (item.line,) if isinstance(item.line, str) else item.line
    return {
        "lines": [
            (Path(file).name, number)
            for (_, file), ranges in lines_of(item).items()
            for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1)
            if any(text in line for text in texts)
            and any(first <= number <= last for first, last in ranges)
        ]
    }


def slipped(item: Item, count: str, folder: str) -> dict[str, Any]:
    """Make wrong copies of the modules of the backward pass; see `slips`."""
    from benchmarks.field.slips import slips

    return {"slips": slips(item, int(count), Path(folder))}


def main() -> None:
    job, source, name, *options = sys.argv[1:]
    item = next(item for item in package_of(source).items if item.name == name)
    work = {"compare": compared, "check": checked, "lines": lines, "slip": slipped}[job]
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            found = work(item, *options)
        except Exception as error:
            found = {"broken": f"{type(error).__name__}: {error}", "text": traceback.format_exc()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
