"""Bringing pictures here: bounded, guarded downloads; checks of the bytes; metadata stripped; resizing on request."""
