"""Rules that tell prose from what else pages hold, over whole columns at once, and models that judge documents."""

from filters.text.bad_words import BadWords
from filters.text.c4_lines import C4Lines
from filters.text.c4_quality import C4Quality
from filters.text.fasttext_quality import FasttextQuality
from filters.text.fineweb_quality import FinewebQuality
from filters.text.gopher_quality import GopherQuality
from filters.text.gopher_repetition import GopherRepetition
from filters.text.perplexity import Perplexity

__all__ = [
    "BadWords",
    "C4Lines",
    "C4Quality",
    "FasttextQuality",
    "FinewebQuality",
    "GopherQuality",
    "GopherRepetition",
    "Perplexity",
]
