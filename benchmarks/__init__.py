"""Races against rivals, and the corpus they are run on."""
