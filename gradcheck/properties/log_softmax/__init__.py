"""The properties of a log-softmax: ``x - max - log(sum(exp(x - max)))`` for each row."""
