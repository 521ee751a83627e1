"""Settings that the text rules share."""

from typing import Any, Literal

from pydantic import Field

Column = Literal["text", "caption"]
Unspaced = Literal["characters", "runs"]


def text_column() -> Any:
    """Declare which column is judged."""
    return Field("text", description="column that is judged: text or caption")


def unspaced(default: Unspaced) -> Any:
    """Declare what a word is where words are not written apart: Chinese, Japanese, Thai, Lao, Khmer, Burmese."""
    return Field(default, description="a word of a script without spaces: a character of it, or a run between signs")
