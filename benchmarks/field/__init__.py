"""Code of people we never met: recognised, judged, named, and the right line told."""
