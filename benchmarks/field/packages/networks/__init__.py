"""Neural networks with layers written by hand."""
