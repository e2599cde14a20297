"""Which findings contradict each other: where each leads, and what it looks like elsewhere."""

# Where a finding sends its reader. Those that name no cause of their own stand nowhere.
LEADS_TO = {
    "evaluation_bug": "the code of the loss",
    "softmax_twice": "the code of the loss",
    "loss_scale_mismatch": "the code of the loss",
    "other_loss_trained": "the code of the loss",
    "exploding_or_nan": "a smaller step",
    "oscillating": "a smaller step",
    "slow_learning": "a larger step",
    "not_learning": "the gradients",
    "class_collapse": "the gradients",
    "dead_units": "the gradients",
    "vanishing_gradients": "the gradients",
    "underfitting": "a stronger model",
    "label_noise": "the labels",
    "distribution_shift": "the two sets",
    "train_validation_swapped": "the two sets",
    "train_validation_overlap": "the two sets",
    "overfitting": "regularisation",
    "overconfidence": "regularisation",
}

# What a cause looks like where the evidence for it is weaker.
SYMPTOMS = {
    "evaluation_bug": frozenset({"slow_learning"}),  # a constant hides how far the loss has come
    "exploding_or_nan": frozenset({"not_learning", "class_collapse", "underfitting"}),
    "oscillating": frozenset({"not_learning", "class_collapse", "underfitting"}),
    "not_learning": frozenset({"slow_learning", "underfitting"}),
    "class_collapse": frozenset({"slow_learning", "underfitting"}),
    "slow_learning": frozenset({"underfitting"}),
    "label_noise": frozenset({"overfitting", "overconfidence"}),
}


def contradict(one, other):
    """Return whether two findings send their reader to different causes.

    A symptom does not contradict its cause, and what names no cause contradicts nothing.
    """
    if one not in LEADS_TO or other not in LEADS_TO or LEADS_TO[one] == LEADS_TO[other]:
        return False
    return other not in SYMPTOMS.get(one, ()) and one not in SYMPTOMS.get(other, ())
