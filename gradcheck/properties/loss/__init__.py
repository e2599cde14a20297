"""The properties of a loss; each file of this folder is a part of the suite."""
