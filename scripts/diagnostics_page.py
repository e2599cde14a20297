"""The page on diagnosing histories: its list of findings and its pictures.

Run as a script, it writes the list into the page and draws the runs that the page shows::

    python -m scripts.diagnostics_page
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import network
from benchmarks import diagnosis
from benchmarks.runs import store
from diagnostics import History, compare, compare_histories, diagnose, plot_history
from diagnostics.history.readers import READERS
from diagnostics.live.alpha_spending import looks, sightings_needed
from diagnostics.rules import RULES
from diagnostics.rules.relations import EXPLAINS, STATES, Premise
from tests.support.contradictions import LEADS_TO, SYMPTOMS

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURES = DOCS / "diagnostics.md", DOCS / "diagnostics"
STATE_WORDS = {
    "diverges": "diverges",
    "restless": "jumps instead of settling",
    "apart": "is far more accurate in training from the first epochs on",
    "sure_at_once": "is too sure in training too, at first",
}
MARKS = "<!-- {name} -->", "<!-- end of {name} -->"


def findings() -> str:
    """The findings with what is tested for each, in the order of judgement."""
    tests: dict[str, list[str]] = {}
    remarks = {rule.code for rule in RULES if rule.info}
    for rule in RULES:
        summary = (rule.find.__doc__ or "").splitlines()[0]
        needs = f" Needs {', '.join(rule.needs)}." if rule.needs else ""
        tests.setdefault(rule.code, []).append(f"{summary}{needs} From {rule.epochs} epochs on.")
    rows = [
        f"| `{code}` | {'remark' if code in remarks else 'finding'} | {'<br>'.join(texts)} |"
        for code, texts in tests.items()
    ]
    return "\n".join(["| code | kind | what is tested |", "| --- | --- | --- |", *rows])


def explained() -> str:
    """What each finding explains, and why: what leaves other rules without evidence."""
    rows = []
    for code, premises in EXPLAINS.items():
        reasons = dict.fromkeys(premises.values())
        for reason in reasons:
            same = [str(premise) for premise, why in premises.items() if why == reason]
            what = "all of them" if len(same) == len(Premise) else "; ".join(same)
            rows.append(f"| `{code}` | {what} | {reason} |")
    return "\n".join(["| finding | explains | because |", "| --- | --- | --- |", *rows])


def premises() -> str:
    """What the findings rest on, where they lead, and what they look like on weaker evidence."""
    rows = []
    for code in dict.fromkeys(rule.code for rule in RULES):
        rules = [rule for rule in RULES if rule.code == code]
        resting = dict.fromkeys(str(premise) for rule in rules for premise in rule.rests_on)
        spared = dict.fromkeys(STATE_WORDS[s] for rule in rules for s in rule.not_while)
        symptoms = sorted(f"`{symptom}`" for symptom in SYMPTOMS.get(code, ()))
        lists = ["; ".join(resting), "; ".join(spared), LEADS_TO.get(code, ""), " ".join(symptoms)]
        if any(lists):
            rows.append(f"| `{code}` | {' | '.join(lists)} |")
    head = "| finding | rests on | not asked of a run that | leads to | its symptoms |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *rows])


def states() -> str:
    """The states of a run that explain the size of its losses."""
    rows = [f"| {STATE_WORDS[state]} | {reason} |" for state, reason in STATES.items()]
    return "\n".join(["| a run that | is spared them, because |", "| --- | --- |", *rows])


def formats() -> str:
    """The formats by name, in the order in which they are tried."""
    return "\n".join(f"- {reader.name}" for reader in READERS)


def schedule() -> str:
    """The first looks at a watched run."""
    chosen = [1, 2, 3, 5, 9, 10, 20, 40]
    epochs = dict(zip(range(1, 41), looks(), strict=False))
    return "\n".join(
        [
            "| look | " + " | ".join(map(str, chosen)) + " |",
            "| --- |" + " --- |" * len(chosen),
            "| epochs | " + " | ".join(str(epochs[look]) for look in chosen) + " |",
            "| seen at so many looks in a row | "
            + " | ".join(str(sightings_needed(look)) for look in chosen)
            + " |",
        ]
    )


def corpus() -> str:
    """What is said about the labelled runs, by us and by others."""
    runs = store.read()
    verdicts = diagnosis.everyone(runs)
    quiet = {tool: said for tool, said in verdicts.items() if tool != diagnosis.LOUD}
    tables = [
        diagnosis.counts(runs),
        diagnosis.by_tool(verdicts),
        diagnosis.overfitting(quiet),
        diagnosis.by_finding(verdicts[diagnosis.OURS]),
        diagnosis.by_what_is_logged(runs),
    ]
    return "\n\n".join(tables)


PARTS = {
    "findings": findings,
    "explained": explained,
    "states": states,
    "premises": premises,
    "formats": formats,
    "schedule": schedule,
}
# These take half a minute.
MEASURED = {"corpus": corpus}


def filled(text: str, parts: Mapping[str, Callable[[], str]] = PARTS) -> str:
    """The page with every part between its marks made anew."""
    for name, make in parts.items():
        begin, end = (mark.format(name=name) for mark in MARKS)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{make()}\n{end}{after}"
    return text


def digits_run(samples: int, learning_rate: float, epochs: int) -> History:
    """The reference network on the packaged digits."""
    digits = network.load_data()
    records: list[dict[str, float]] = []
    try:
        network.fit(
            network.mlp([digits.X_train.shape[1], 64, len(digits.classes)], seed=0),
            digits.X_train[:samples],
            digits.y_train[:samples],
            validation=(digits.X_test, digits.y_test),
            epochs=epochs,
            optimizer=network.SGD(learning_rate, momentum=0.9),
            callback=records.append,
            progress=False,
        )
    except FloatingPointError:
        last = {name: float("nan") for name in ("train_loss", "val_loss")}
        records.append({"epoch": len(records) + 1.0, **last})
    return History.from_records(records)


def noisy_run() -> History:
    """A log of 200,000 steps with noise and one spike."""
    rng = np.random.default_rng(0)
    step = np.arange(200_000)
    loss = (2.3 * np.exp(-step / 4e4) + 0.3) * rng.gamma(25, 1 / 25, len(step))
    loss[150_000] = 6.0
    val_loss = np.full(len(step), np.nan)
    val_loss[999::1000] = (2.2 * np.exp(-step / 4e4) + 0.35)[999::1000]
    return History.from_dict({"step": step, "loss": loss, "val_loss": val_loss})


def figures() -> Iterator[tuple[str, Figure]]:
    """Yield each picture of the page by its name."""
    few = digits_run(100, 0.1, 60)
    many = digits_run(1000, 0.05, 60)
    runs = {"100 samples": few, "1000 samples": many}
    reports = compare(runs)
    yield "overfitting", plot_history(few, diagnose(few).findings)
    yield "column", plot_history(few, diagnose(few).findings, width=3.3)
    yield "comparison", compare_histories(runs, {n: reports[n].findings for n in runs})
    yield "long", plot_history(noisy_run(), diagnose(noisy_run()).findings)


def draw() -> None:
    """Draw the pictures of the page."""
    PICTURES.mkdir(exist_ok=True)
    for name, figure in figures():
        path = PICTURES / f"{name}.png"
        figure.savefig(path, dpi=110)
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    draw()
    page = filled(PAGE.read_text(encoding="utf-8"), PARTS | MEASURED)
    PAGE.write_text(page, encoding="utf-8")
