"""The properties of a loss; each file of this folder is a room of the suite."""
