"""What models and rules say of the text of documents."""

from filters.text.fasttext_quality import FasttextQuality

__all__ = ["FasttextQuality"]
