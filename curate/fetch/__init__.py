"""Bringing pictures here: guarded downloads; checks of bytes, of sounds too; metadata stripped; resizing on request."""
