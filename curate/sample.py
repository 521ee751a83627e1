"""The columns a sample may have, with Arrow type and unit, and the key that names it for ever."""

import hashlib
from collections.abc import Sequence

import pyarrow as pa

TURN = pa.struct([pa.field("from", pa.string()), pa.field("value", pa.string())])

EMBEDDING = pa.list_(pa.float16())
"""As many numbers as the model has, the same for every row. A cosine moves by less than 0.0005 against float32's."""

COLUMNS = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),  # 32 hex digits, see `sample_key`
        pa.field("url", pa.string()),  # where the media is, as the source spells it
        pa.field("audio_url", pa.string()),  # where the sound is, as the source spells it
        pa.field("caption", pa.string()),  # text that came with the media
        pa.field("text", pa.string()),  # of a document
        pa.field("document", pa.string()),  # what the source calls a document: its id
        pa.field("date", pa.string()),  # of a document, ISO 8601 as the source gives it
        pa.field("collection", pa.string()),  # which part of a corpus a sample came from
        pa.field("image", pa.large_binary()),  # encoded picture; 32-bit offsets end at 2 GiB
        pa.field("image_format", pa.string()),  # member name in a shard: jpg, png, webp, gif
        pa.field("width", pa.int32()),  # pixels, of `image`
        pa.field("height", pa.int32()),  # pixels, of `image`
        pa.field("original_width", pa.int32()),  # pixels, as fetched
        pa.field("original_height", pa.int32()),  # pixels, as fetched
        pa.field("sha256", pa.string()),  # 64 hex digits, of `image`
        pa.field("audio", pa.large_binary()),  # encoded sound
        pa.field("audio_format", pa.string()),  # member name in a shard: wav, flac, ogg, mp3
        pa.field("audio_seconds", pa.float32()),  # of `audio`
        pa.field("audio_sha256", pa.string()),  # 64 hex digits, of `audio`
        pa.field("transcript", pa.string()),  # what is said in `audio`
        pa.field("conversations", pa.list_(TURN)),  # LLaVA's turns: from is human or gpt
        pa.field("image_embedding", EMBEDDING),  # of `image`, length 1: cosines are dot products
        pa.field("text_embedding", EMBEDDING),  # of a text column, length 1
    ]
)


def column(name: str) -> pa.Field:
    """Return the shared definition of a column, for a stage's `writes`."""
    return COLUMNS.field(name)


def is_media(field: pa.Field) -> bool:
    """Tell whether a column holds media bytes, which stay out of small files."""
    return bool(pa.types.is_large_binary(field.type))


def sample_key(identity: Sequence[str | None], secret: bytes = b"") -> str:
    """Hash what identifies a sample at its source (URL and caption, or document id) to 32 hex digits.

    Parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ; None differs from "". The hash is keyed by
    `secret` (at most 64 bytes): keys are published, and with a plain hash whoever knows an address and all of its
    caption but a telephone number could try every number until the key fits.
    """
    digest = hashlib.blake2b(digest_size=16, key=secret)
    for part in identity:
        raw = b"" if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(b"-" if part is None else str(len(raw)).encode())
        digest.update(b":" + raw)
    return digest.hexdigest()
