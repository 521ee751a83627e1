"""What models and rules say of the text of documents."""

from filters.text.fasttext_quality import FasttextQuality
from filters.text.perplexity import Perplexity

__all__ = ["FasttextQuality", "Perplexity"]
