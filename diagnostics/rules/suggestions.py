"""What to change, and what to measure first, as calls to paste: the names are the user's own."""

from __future__ import annotations

LOWER_RATE = "Lower the learning rate three- to tenfold."
ROW_WISE = "Compute the evaluation loss by the code of training; softmax row-wise, axis=-1."
ALIKE = "Prepare both sets by one and the same function, fitted on the training set alone."
SPLIT_FIRST = "Split before augmenting or oversampling, by object or person."
INVESTIGATE = "investigate(predict, X_val, y_val, history=history, train=(X_train, y_train))"
ROW_SUMS = "np.abs(predict(X_val).sum(axis=-1) - 1).max()  # 0 unless rows are not normalised"
SET_MEANS = "X_train.mean(axis=0) - X_val.mean(axis=0), X_train.std(axis=0) / X_val.std(axis=0)"
SHARED_ROWS = (
    "len({row.tobytes() for row in X_train} & {row.tobytes() for row in X_val})  # must be 0"
)
LEAST_BELIEVED = (
    "np.argsort(predict(X_train)[np.arange(len(y_train)), y_train])[:20]  # look at these rows "
    "beside their labels"
)
PREDICTED_CLASSES = "np.bincount(predict(X_val).argmax(axis=-1))  # one class only?"
GRADIENTS = "gradcheck.check(layer, X_train[:4])  # for each layer: are the gradients right?"
FEW_SAMPLES = (
    "fit(X_train[:16], y_train[:16], epochs=300)  # without regularisation the loss must reach "
    "nearly 0: if not, gradients or updates are wrong"
)
FASTER = "diagnose(fit(X_train, y_train, learning_rate=10 * learning_rate))"
SLOWER = "diagnose(fit(X_train, y_train, learning_rate=learning_rate / 10))"
FINITE_INPUTS = "np.isfinite(X_train).all(), np.abs(X_train).max()  # (True, about 1)"
BOTH_SETS = "loss_of(predict(X_train), y_train), loss_of(predict(X_val), y_val)  # which is which?"
