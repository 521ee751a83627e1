"""Rules that tell prose from what else pages hold, over the words and lines of whole columns at once."""

from filters.text.bad_words import BadWords
from filters.text.c4_lines import C4Lines
from filters.text.c4_quality import C4Quality
from filters.text.fineweb_quality import FinewebQuality
from filters.text.gopher_quality import GopherQuality
from filters.text.gopher_repetition import GopherRepetition

__all__ = ["BadWords", "C4Lines", "C4Quality", "FinewebQuality", "GopherQuality", "GopherRepetition"]
