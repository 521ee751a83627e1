"""Recognizers added where Presidio's own are weak."""

from typing import Any

__all__ = ["added"]


def added(language: str) -> list[Any]:
    """Return the Presidio `EntityRecognizer`s that join its own for a language ("en"), opened in a worker."""
    del language
    return []
