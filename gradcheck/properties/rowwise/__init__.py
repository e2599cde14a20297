"""The properties of functions of each row of an array, as softmax and log-softmax are."""
