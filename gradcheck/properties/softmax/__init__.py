"""The properties of a softmax; each file of this folder is a part of the suite."""
