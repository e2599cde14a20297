"""What to change, and what to measure first, as calls to paste: the names are the user's own."""

from __future__ import annotations

from diagnostics.finding import NextStep, StepKind, measure

LOWER_RATE = "Lower the learning rate three- to tenfold."
ROW_WISE = "Compute the evaluation loss by the code of training; softmax row-wise, axis=-1."
ALIKE = "Prepare both sets by one and the same function, fitted on the training set alone."
SPLIT_FIRST = "Split before augmenting or oversampling, by object or person."
INVESTIGATE = NextStep(
    StepKind.INVESTIGATE,
    call="investigate(predict, X_val, y_val, history=history, train=(X_train, y_train))",
)
PROVE = INVESTIGATE.saying("proves the cause")
ROW_SUMS = measure(
    "np.abs(predict(X_val).sum(axis=-1) - 1).max()", "0 unless rows are not normalised"
)
SET_MEANS = measure(
    "X_train.mean(axis=0) - X_val.mean(axis=0), X_train.std(axis=0) / X_val.std(axis=0)", "0 and 1"
)
SHARED_ROWS = measure(
    "len({row.tobytes() for row in X_train} & {row.tobytes() for row in X_val})", "must be 0"
)
LEAST_BELIEVED = measure(
    "np.argsort(predict(X_train)[np.arange(len(y_train)), y_train])[:20]",
    "look at these rows beside their labels",
)
PREDICTED_CLASSES = measure("np.bincount(predict(X_val).argmax(axis=-1))", "one class only?")
CROSS_ENTROPY = measure(
    "-np.log(predict(X_val)[np.arange(len(y_val)), y_val]).mean()", "the loss logged?"
)
GRADIENTS = measure(
    "gradcheck.check(layer, X_train[:4])", "for each layer: are the gradients right?"
)
FEW_SAMPLES = measure(
    "fit(X_train[:16], y_train[:16], epochs=300)",
    "without regularisation the loss must reach nearly 0: if not, gradients or updates are wrong",
)
FASTER = measure("diagnose(fit(X_train, y_train, learning_rate=10 * learning_rate))")
SLOWER = measure("diagnose(fit(X_train, y_train, learning_rate=learning_rate / 10))")
FINITE_INPUTS = measure("np.isfinite(X_train).all(), np.abs(X_train).max()", "(True, about 1)")
BOTH_SETS = measure(
    "loss_of(predict(X_train), y_train), loss_of(predict(X_val), y_val)", "which is which?"
)
