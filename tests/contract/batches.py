"""Tables for any stage: a column for each name that it reads, of that column's type, with nulls and real pictures."""

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile
from hypothesis import strategies as st
from PIL import Image

from curate.registry import stages
from curate.sample import COLUMNS, EMBEDDING

CAPTIONS = (
    "",
    "   ",
    "A great blue heron.",
    "eine rote Katze\nauf dem Dach",
    "这是一只狗",
    "Write to jane.smith@example.com or call 212-555-0187.",
    "John Smith and Mary Jones at the beach",
    "you are a stupid idiot",
    "word " * 300,
)
# Nothing here is contacted but 127.0.0.1, which a stage must refuse unless it is told otherwise.
URLS = ("", "no url", "ftp://127.0.0.1/a.png", "http://127.0.0.1:9/a.png", "http://10.0.0.1/a.png", "http://[::1]/")


def picture(mode, size, kind):
    """A real encoded picture with a pattern that depends on its size."""
    width, height = size
    ramp = np.add.outer(np.arange(height) * 7, np.arange(width) * 5).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(ramp).convert(mode).save(stream, kind)
    return stream.getvalue()


@lru_cache(maxsize=1)
def pictures():
    whole = picture("RGB", (40, 30), "JPEG")
    return (
        whole,
        picture("RGBA", (33, 50), "PNG"),
        picture("L", (1, 1), "PNG"),
        picture("P", (20, 20), "GIF"),
        whole[: len(whole) // 2],
        b"",
        b"not a picture",
    )


@lru_cache(maxsize=1)
def sounds():
    tone = io.BytesIO()
    soundfile.write(tone, 0.3 * np.sin(np.arange(8000) / 9), 16_000, "PCM_16", format="WAV")
    said = Path(__file__).parents[1] / "data" / "speech" / "name.ogg"
    return (tone.getvalue(), said.read_bytes(), b"", b"not a sound")


def field(name):
    """The definition of a column: shared by all samples, or written by some stage."""
    if name in COLUMNS.names:
        return COLUMNS.field(name)
    return next(f for s in stages().values() for f in s.writes if f.name == name)


BY_NAME = {
    "key": st.binary(min_size=16, max_size=16).map(bytes.hex),
    "caption": st.sampled_from(CAPTIONS) | st.text(max_size=60),
    "url": st.sampled_from(URLS),
    "image": st.deferred(lambda: st.sampled_from(pictures())),
    "audio": st.deferred(lambda: st.sampled_from(sounds())),
    "sha256": st.sampled_from("abcdef").map(lambda digit: digit * 64),
    "contaminated_by": st.just([]),
    "conversations": st.lists(st.fixed_dictionaries({"from": st.sampled_from(("human", "gpt")), "value": st.text()})),
}
BY_TYPE = {
    pa.string(): st.text(max_size=20),
    pa.large_binary(): st.binary(max_size=20),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(-1, 1, width=32),
    pa.bool_(): st.booleans(),
    # Of one width, as one model writes them.
    EMBEDDING: st.lists(st.floats(-1, 1, width=16), min_size=3, max_size=3),
}


def values(column):
    strategy = BY_NAME.get(column.name, BY_TYPE.get(column.type))
    assert strategy is not None, f"say in BY_NAME or BY_TYPE what values column {column.name} {column.type} may have"
    return st.none() | strategy if column.nullable else strategy


@st.composite
def batches(draw, names, max_rows=5):
    """A table of 0 to `max_rows` rows with the columns `names`."""
    schema = pa.schema([field(name) for name in names])
    rows = draw(st.lists(st.fixed_dictionaries({f.name: values(f) for f in schema}), max_size=max_rows))
    return pa.Table.from_pylist(rows, schema=schema)
