"""The stage that writes a conversation about each sample, with the teacher that its recipe names."""

from typing import ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from curate.sample import column
from curate.stage import Edit, Edited, Editor
from curate.synthesize.caption_templates import PLACEHOLDER, TEACHERS, Teacher, Turn


class WriteConversations(Edit):
    """Write `conversations` in LLaVA's turns (arXiv 2304.08485) about each picture.

    The teacher `caption_templates` uses no model: fixed question forms, answered with the caption or its bare name.
    Fails a row as `no_caption` where there is nothing to answer with, and as `placeholder_in_caption` where the caption
    itself says `<image>`: a trainer would put a second picture there.
    """

    name: ClassVar[str] = "write_conversations"
    reads: ClassVar[tuple[str, ...]] = ("key", "caption")
    writes: ClassVar[tuple[pa.Field, ...]] = (column("conversations"),)
    permanent: ClassVar[frozenset[str]] = frozenset({"no_caption", "placeholder_in_caption"})

    teacher: Literal["caption_templates"] = Field("caption_templates", description="who writes the turns")
    questions: int = Field(1, ge=1, le=3, description="questions asked about each picture")

    def open(self) -> Editor:
        """Return a function that writes the turns of each row from its key and caption alone."""
        teacher, questions = TEACHERS[self.teacher], self.questions
        return lambda table: _write(table, teacher, questions)


def _write(table: pa.Table, teacher: Teacher, questions: int) -> Edited:
    turns: list[list[Turn] | None] = []
    failed: list[str | None] = []
    for key, raw in zip(table["key"].to_pylist(), table["caption"].to_pylist(), strict=True):
        caption = " ".join((raw or "").split())
        reason = _unusable(caption)
        failed.append(reason)
        turns.append(None if reason else teacher(key, caption, questions))
    field = column("conversations")
    return Edited(
        columns=pa.table([pa.array(turns, field.type)], schema=pa.schema([field])),
        failed=pa.array(failed, pa.string()),
    )


def _unusable(caption: str) -> str | None:
    if not caption:
        return "no_caption"
    return "placeholder_in_caption" if PLACEHOLDER in caption else None
