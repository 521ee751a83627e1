"""The judgements and edits that come with Curate, one file or folder each. Importing this registers what it holds."""

from filters.alignment import Alignment
from filters.aspect_ratio import AspectRatio
from filters.caption_words import CaptionWords
from filters.embeddings import EmbedImages, EmbedTexts
from filters.language import Language
from filters.nsfw import Nsfw
from filters.pii import IdentityDocuments, PiiDensity, RedactFaces, RedactImageText, RedactPii, RedactSpeech
from filters.short_side import ShortSide
from filters.text import BadWords, C4Lines, C4Quality, FinewebQuality, GopherQuality, GopherRepetition
from filters.toxicity import Toxicity

STAGES = (
    Alignment,
    AspectRatio,
    BadWords,
    C4Lines,
    C4Quality,
    CaptionWords,
    EmbedImages,
    EmbedTexts,
    FinewebQuality,
    GopherQuality,
    GopherRepetition,
    IdentityDocuments,
    Language,
    Nsfw,
    PiiDensity,
    RedactFaces,
    RedactImageText,
    RedactPii,
    RedactSpeech,
    ShortSide,
    Toxicity,
)
__all__ = ["STAGES"]
