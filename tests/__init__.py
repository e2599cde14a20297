"""The tests: a folder for each package, mirroring its tree."""
