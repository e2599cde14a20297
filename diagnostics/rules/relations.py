"""What explains what: which evidence a finding takes away from the rules applied after it.

A rule is not applied where an earlier finding explains the very evidence that it rests on. Each
rule states what it rests on, as `Premise`; `EXPLAINS` holds what each finding explains, and why.
Beside them stand the `STATES` of a run that explain a loss's size as well. Besides, one code is
found once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum


class Premise(StrEnum):
    """What a rule concludes from; the value says it in words."""

    TRAIN_LEVEL = "how large the training loss is"
    VAL_LEVEL = "how large the validation loss is"
    RATIO = "validation by training loss"
    TRAIN_COURSE = "whether the training loss falls"
    VAL_COURSE = "whether the validation loss rises"
    REST = "whether the loss still moves at the end"
    ANSWERS = "whether the answers get better"
    GAP = "training less validation accuracy"
    PARTING = "loss and accuracy rising together"
    SWINGS = "jumps from one epoch to the next"


_WRONG = "the reported loss is not that of the answers"
_UNIT = "a loss in another unit is larger at every epoch alike"
_AT_REST = "a model that learned nothing has nothing to generalise"

EXPLAINS: Mapping[str, Mapping[Premise, str]] = {
    "evaluation_bug": {
        Premise.VAL_LEVEL: _WRONG,
        Premise.RATIO: _WRONG,
        Premise.VAL_COURSE: _WRONG,
        Premise.REST: _WRONG,
        Premise.ANSWERS: "what is not the loss of the answers says nothing about their progress",
        Premise.GAP: "the accuracy comes from the evaluation whose loss is wrong",
    },
    "other_loss_trained": {
        Premise.TRAIN_LEVEL: "squares cost less than a cross-entropy",
        Premise.RATIO: "squares cost less than a cross-entropy",
        Premise.VAL_COURSE: "nothing in training holds down the loss that is reported",
    },
    "loss_scale_mismatch": {
        Premise.VAL_LEVEL: _UNIT,
        Premise.RATIO: _UNIT,
    },
    "softmax_twice": {
        Premise.VAL_LEVEL: "the second softmax bounds the loss from below",
        Premise.TRAIN_LEVEL: "the second softmax bounds the loss from below",
        Premise.RATIO: "the second softmax bounds the loss from below",
    },
    "exploding_or_nan": dict.fromkeys(Premise, "weights that grow without bound spoil all curves"),
    "oscillating": {
        Premise.TRAIN_COURSE: "a rate too high to settle keeps the loss up",
        Premise.VAL_COURSE: "a rate too high to settle throws the loss up",
        Premise.REST: "a loss that swings neither rests nor falls",
        Premise.SWINGS: "its swings are this finding already",
    },
    "class_collapse": {
        Premise.TRAIN_COURSE: "one answer for all costs the entropy of the classes at least",
        Premise.VAL_COURSE: "one answer for all has nothing to generalise",
        Premise.RATIO: "one answer for all costs what the shares of the classes cost",
        Premise.GAP: "one answer for all is as right as the shares of the classes allow",
        Premise.REST: "nothing but the answered class is left to learn",
    },
    "not_learning": {
        Premise.TRAIN_COURSE: "that the loss stays is this finding already",
        Premise.VAL_COURSE: _AT_REST,
        Premise.RATIO: _AT_REST,
        Premise.GAP: _AT_REST,
        Premise.REST: "that the loss stays is this finding already",
    },
    "slow_learning": {
        Premise.TRAIN_LEVEL: "much is left because the steps are small",
        Premise.REST: "that it still falls is this finding already",
    },
    "underfitting": {
        Premise.VAL_COURSE: "training that came to rest memorises nothing",
        Premise.GAP: "what training could not learn is missing, not what carries over",
    },
    "train_validation_swapped": {
        Premise.RATIO: "each loss bears the other's name",
        Premise.VAL_COURSE: "each loss bears the other's name",
        Premise.GAP: "each set bears the other's name",
    },
    "distribution_shift": {
        Premise.GAP: "other data are answered worse, from the first epoch on",
        Premise.VAL_COURSE: "other data cost more, the surer the model grows",
        Premise.VAL_LEVEL: "other data cost more, from the first epoch on",
        Premise.RATIO: "other data cost more, from the first epoch on",
        Premise.ANSWERS: "what is learned does not carry over to other data",
    },
    "label_noise": {
        Premise.VAL_COURSE: "the wrong labels that are memorised cost it",
        Premise.TRAIN_COURSE: "wrong labels are learned slowly, or never",
        Premise.GAP: "wrong labels are learned by heart, and carry over to nothing",
        Premise.ANSWERS: "wrong labels are learned by heart, and carry over to nothing",
        Premise.REST: "it rises",
    },
    "overfitting": {
        Premise.VAL_COURSE: "that it rises is this finding already",
        Premise.GAP: "what is memorised widens it",
        Premise.ANSWERS: "validation may stop improving while training goes on",
        Premise.REST: "it rises",
    },
    "still_improving": {
        Premise.REST: "that it still falls is this finding already",
    },
}

# States of a run that explain what some rules rest on; each is a property of `Run`.
STATES: Mapping[str, str] = {
    "diverges": "weights that grow without bound make any loss as large, at any accuracy",
    "restless": "a rate too high to settle throws the loss up, in any code",
    "apart": "other data cost more from the first epoch on, by right code",
    "sure_at_once": "wrong answers cost too much in training too, and less as it learns: weights "
    "that begin too large, or a sum",
}


def explaining(rests_on: Collection[Premise]) -> frozenset[str]:
    """Return the codes of the findings that explain evidence which a rule rests on."""
    return frozenset(
        code for code, explained in EXPLAINS.items() if any(e in explained for e in rests_on)
    )
