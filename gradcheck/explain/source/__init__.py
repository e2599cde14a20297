"""The line to change: single edits of the user's own code, run and compared with the numbers."""
