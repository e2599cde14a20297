"""The conventions in which people write layers, losses and networks: one module for each.

Each is a `gradcheck.adapters.callable_target.ConventionModule`: its ``describe`` says how a thing
is called, or why it is not of this form. `gradcheck.adapters.CONVENTIONS` lists them in the order
of their tries.
"""
