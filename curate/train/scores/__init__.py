"""How good answers, captions and rankings are: figures that need no network, no Java and no torch."""
