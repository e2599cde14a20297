"""What gradcheck answers to the layers in one dialect: a line of JSON for each right or wrong one.

Run as a program of its own: ``python -m benchmarks.twins.answer DIALECT FOLDER EVERY [LAYER ...]``;
of the slips of a layer, one in EVERY is taken.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.twins.layer import Layer, Slip
from benchmarks.twins.layers import LAYERS
from benchmarks.twins.render import RENDERS, changed_lines, class_name
from gradcheck import check
from gradcheck.report.report import Report

# That many places at most tell a line.
PLACES = 2


@dataclass(frozen=True)
class Answer:
    """What was said about one layer, right (no ``slip``) or wrong.

    Attributes
    ----------
    right_name
        Whether the first explanation has one of the acceptable names.
    right_edit
        Whether a line that the slip changed is among those told to be changed, and how.
    right_line
        Whether it is among these, or of the one or two places told where no change is known.
    told
        The first explanation and its lines, in words; or what was raised.
    """

    layer: str
    slip: str
    verdict: str
    right_name: bool
    right_edit: bool
    right_line: bool
    told: str
    seconds: float


def thing_and_inputs(layer: Layer, dialect: str, source: str, name: str) -> tuple[Any, list[Any]]:
    """Return what is checked, of a module written to the first folder of the path, and inputs."""
    (Path(sys.path[0]) / f"{name}.py").write_text(source)
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    arrays = layer.arrays()
    if dialect == "torch":
        import torch

        return vars(module)[class_name(layer)], [torch.from_numpy(array) for array in arrays]
    if dialect == "jax":
        import jax.numpy as jnp

        return vars(module)[layer.name], [jnp.asarray(array) for array in arrays]
    return (vars(module)[layer.forward.__name__], vars(module)[layer.backward.__name__]), arrays


def answer(layer: Layer, slip: Slip | None, dialect: str, number: int) -> Answer:
    """Check a layer as it is written in a dialect."""
    render = RENDERS[dialect]
    source = render(layer, slip)
    lines = changed_lines(render(layer), source)
    name = f"{layer.name}_{number}_in_{dialect}"
    begun = time.perf_counter()
    try:
        thing, inputs = thing_and_inputs(layer, dialect, source, name)
        begun = time.perf_counter()
        report = check(thing, *inputs)
    except Exception as error:
        told = f"{type(error).__name__}: {error}".partition("\n")[0]
        return Answer(
            layer.name, slip.tag if slip else "", "RAISED", False, False, False, told, 0.0
        )
    seconds = time.perf_counter() - begun
    if slip is None:
        return Answer(
            layer.name, "", str(report.verdict), False, False, False, _why(report), seconds
        )  # fmt: skip
    first = report.explanations[:1]
    edits = [e.place for x in report.explanations for e in x.edits]
    places = [place for e in first for place in e.places]
    own = {f"{name}.py:{line}" for line in lines}
    edited = bool(own & {place.rpartition("/")[2] for place in edits})
    placed = len(places) <= PLACES and bool(own & {p.rpartition("/")[2] for p in places})
    told = "; ".join([f"{e.code}: {e.fix}" for e in first] or [_why(report)])
    return Answer(
        layer.name, slip.tag, str(report.verdict), any(e.code in slip.codes for e in first),
        edited, edited or placed, f"{told} [{', '.join(edits or places)}] {_notes(report)}",
        seconds,
    )  # fmt: skip


def _why(report: Report) -> str:
    return "; ".join(f"{r.name}: {r.reason}" for r in report.tensors.values() if r.reason)


def _notes(report: Report) -> str:
    return " ".join(note for note in report.notes if "search" in note or "changes" in note)


def main() -> None:
    dialect, folder, every, *names = sys.argv[1:]
    warnings.simplefilter("ignore")
    sys.path.insert(0, folder)
    if dialect == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    if dialect == "torch":
        import torch

        torch.set_num_threads(1)
    for layer in LAYERS:
        if not names or layer.name in names:
            for number, slip in enumerate([None, *layer.slips]):
                if number % int(every) == 0:
                    print(json.dumps(asdict(answer(layer, slip, dialect, number))), flush=True)


if __name__ == "__main__":
    main()
