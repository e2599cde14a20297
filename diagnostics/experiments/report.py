"""The outcome of an investigation: a paragraph in plain words, the findings, and the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from diagnostics.finding import Finding, Severity
from diagnostics.report import formats
from diagnostics.report.report import DiagnosisReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from diagnostics.experiments.model.subject import Subject


class Level(StrEnum):
    """What a finding rests on, from a suspicion to a proof."""

    HISTORY = "suspected from the curves"
    PREDICTIONS = "decided from predictions and labels"
    MODEL = "proven by experiment on the model"


# Remarks on the answers, inputs and units, which no one looks for first.
REMARKS = frozenset({"logits_returned", "classes_returned", "unnormalised_inputs", "dead_units"})
# What is shown even where nothing is found.
OPEN = ("undecided", "too_few_samples")
# Where the fault is to be looked for.
PLACES = {
    "evaluation_bug": "in how predict turns a batch into probabilities",
    "input_mutated": "in what predict does to its argument",
    "nondeterministic_prediction": "in the mode in which the model predicts",
    "softmax_twice": "in the output layer, or in what predict does after it",
    "rounded_probabilities": "between the model and the loss",
    "biased_average": "in the code that averages the loss over batches",
    "loss_scale_mismatch": "in the code that computes the reported loss",
    "loss_not_reproduced": "between these predictions and the reported loss",
    "metric_mismatch": "in the code that computes the reported accuracy",
    "other_loss_trained": "in the loss that training descends",
    "shuffled_labels": "in the order of samples and labels",
    "train_validation_overlap": "in the split of the data",
    "distribution_shift": "in the preparation of the data",
    "label_noise": "in the training labels",
    "dead_units": "in the hidden layers",
    "class_collapse": "in the model, or in the preparation of its inputs",
    "unnormalised_inputs": "in the scale of the inputs",
    "not_learning": "in training, or in the order of samples and labels",
    "overconfidence": "in how sure the model is, not in which class it answers",
    "underconfidence": "in how sure the model is, not in which class it answers",
    "exploding_or_nan": "in the logarithm or exponential of the output",
    "predict_failed": "in predict, or in the arguments",
}


@dataclass(frozen=True, repr=False)
class Investigation(DiagnosisReport):
    """A report that says what its findings rest on, and draws the experiment that decided.

    Parameters
    ----------
    subject
        The model and the samples on which the experiments were made.
    levels
        What each finding rests on, by code.
    experiments
        The experiment behind each finding in a sentence, by code.
    """

    subject: Subject | None = field(default=None, repr=False, compare=False)
    levels: Mapping[str, Level] = field(default_factory=dict)
    experiments: Mapping[str, str] = field(default_factory=dict)

    @property
    def paragraph(self) -> str:
        """What is wrong, where, how sure that is, and what to change, in plain sentences."""
        first = self.primary
        if first is None or (first.severity is Severity.INFO and self._unremarkable(first)):
            return " ".join(
                [self.tests_in_words, *(self[code].message for code in OPEN if code in self)]
            )
        sentences = [first.message]
        if first.severity is Severity.INFO:
            sentences.insert(0, f"{self.tests_in_words} Worth knowing, though:")
        elif first.code in PLACES:
            sentences.append(f"The fault is {PLACES[first.code]}.")
        sentences.append(self._how_sure(first))
        if first.steps and first.severity is not Severity.INFO:
            step = (first.changes or first.next_steps)[0]
            stop = "" if step.endswith((".", "!", "?")) else "."
            sentences.append(f"What to change: {step}{stop}")
        others = [f.code for f in self.findings[1:] if f.severity is not Severity.INFO]
        if others:
            sentences.append(f"Besides: {', '.join(dict.fromkeys(others))}.")
        return " ".join(sentences)

    def _unremarkable(self, finding: Finding) -> bool:
        """Whether a finding is worth no sentence, or no experiment stands behind it."""
        if finding.code in REMARKS or finding.code in OPEN:
            return True
        return self.levels.get(finding.code, Level.HISTORY) is Level.HISTORY

    def _how_sure(self, finding: Finding) -> str:
        """What the finding rests on, with its confidence."""
        level = self.levels.get(finding.code, Level.HISTORY)
        said = f"This is {level} ({finding.confidence:.0%} sure)"
        experiment = self.experiments.get(finding.code, "")
        return f"{said}: {experiment[0].lower()}{experiment[1:]}" if experiment else f"{said}."

    def __str__(self) -> str:
        parts = [self.paragraph]
        if self.findings:
            parts += ["Evidence", *(str(finding) for finding in self.findings)]
        return "\n\n".join(parts)

    def figure(self) -> Figure:
        """Return the picture of the experiment that decided, two panels.

        Raises
        ------
        ValueError
            No experiment could be made.
        """
        from diagnostics.experiments.plots.picture import draw

        if self.subject is None:
            raise ValueError("there is no experiment to draw: predict gave no usable answers")
        first = self.primary
        title = "" if first is None else f"{first.code} ({first.severity})"
        return draw(self.subject, None if first is None else first.code, title)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        levels = {code: str(level) for code, level in self.levels.items()}
        return {"paragraph": self.paragraph, **super().to_dict(), "levels": levels}

    def _to_image(self, file_format: str) -> bytes:
        """The experiment that decided, or the curves where none could be made."""
        if self.subject is None:
            return self._curves(file_format)
        return formats.figure_to_bytes(self.figure(), file_format)

    def _to_html(self) -> str:
        """The page, which begins with the deciding experiment."""
        experiment = "" if self.subject is None else formats.inline(self._to_image("svg"))
        return self._page("investigation.html.j2", experiment=experiment)
