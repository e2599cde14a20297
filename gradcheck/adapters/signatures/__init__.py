"""How things are called: arguments, containers, names, and errors that say what to write."""
