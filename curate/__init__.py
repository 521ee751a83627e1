"""Curate: privacy-filtered, deduplicated, alignment-scored multimodal corpora, and models trained on them."""

__version__ = "0.1.0"
__all__ = ["__version__"]
