"""The properties of a softmax; each file of this folder is a room of the suite."""
