"""All that a layer remembers between calls, put back as it was."""

from gradcheck.state.process import settings_kept, warnings_ignored
from gradcheck.state.protocol import State, Stateless
from gradcheck.state.reachable import OPAQUE_MODULES, cells_of, kept_by_class, names_read, slotted
from gradcheck.state.restored_at_end import restored_at_end
from gradcheck.state.snapshot import MOST_OBJECTS, StateSnapshot, restore_array

__all__ = [
    "MOST_OBJECTS",
    "OPAQUE_MODULES",
    "State",
    "StateSnapshot",
    "Stateless",
    "cells_of",
    "kept_by_class",
    "names_read",
    "restore_array",
    "restored_at_end",
    "settings_kept",
    "slotted",
    "warnings_ignored",
]
