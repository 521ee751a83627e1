"""Samples that hold what evaluation sets ask, expect or show: dropped, with the test items they hold."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate.dedupe.contamination import ENTRY, Found, listed, looking_at, looking_through
from curate.dedupe.evaluation import TextSet, checked_sha256, read_set
from curate.dedupe.evaluation_pictures import LISTED, PictureIndex, PictureSet, pictures_sha256
from curate.dedupe.ngrams import Index, Looking
from curate.dedupe.perceptual import NEAR
from curate.errors import CurateError, InputError
from curate.stage import Filter, Measured, Scorer, threshold

HITS = pa.field("contamination", pa.int32())  # words of the sample at which an n-gram of a test begins
SHARE = pa.field("contamination_share", pa.float32())  # of the n-grams of the item it holds most of, 0..1
NEAREST = pa.field("contamination_bits", pa.int32())  # to the test picture most like it; 256 where there is none
BY = pa.field("contaminated_by", pa.list_(ENTRY))  # the items, those it holds most of first
Part = Literal["query", "label", "across"]
Column = Literal["text", "caption", "transcript", "conversations"]


class Decontaminate(Filter):
    """Drop samples that hold n-grams of test texts, or whose picture looks like a test picture.

    Texts: n words in a row, folded as datatrove's `simplify_text` does. 13 words as for GPT-3, Brown et al. (2020),
    arXiv:2005.14165, appendix C; `n: 12`, `shortest: 12`, `common: null`, `most_numbers: 1`, `parts: [label, across]`
    is datatrove's `NGramsDecontFilter` by its defaults. The whole sample is dropped, where GPT-3 cut out 200 characters
    around an n-gram. Pictures: PDQ hashes, at most `within` of 256 bits apart.
    """

    name: ClassVar[str] = "decontaminate"
    reads: ClassVar[tuple[str, ...]] = ("text", "image")
    writes: ClassVar[tuple[pa.Field, ...]] = (HITS, SHARE, NEAREST, BY)

    texts: dict[str, TextSet] = Field(
        {}, description="evaluation sets of texts by name: {boolq: {path: boolq.jsonl, query: question, label: answer}}"
    )
    pictures: dict[str, PictureSet] = Field(
        {}, description="evaluation sets of pictures by name: {coco: {path: val2017}}; files, folders and tars"
    )
    columns: tuple[Column, ...] = Field(("text",), min_length=1, description="columns whose texts are looked through")
    n: int = Field(13, ge=2, le=64, description="words in a row that are taken for a copy")
    shortest: int = Field(
        8, ge=2, description="words: a test text of fewer than n is looked for whole from here on, a shorter one is not"
    )
    parts: tuple[Part, ...] = Field(
        ("query", "label", "across"), min_length=1,
        description="n-grams of what is asked, of what is answered, and across: with words of both",
    )  # fmt: skip
    common: int | None = Field(
        10, ge=1, description="n-grams that stand in more test texts than this are phrases of the test, not looked for"
    )
    most_numbers: float = Field(
        0.5, ge=0, le=1, description="n-grams with a larger share of numbers, which all fold to one, are not looked for"
    )
    allowed: str | None = Field(
        None, description="a txt file of phrases, a line each, whose n-grams are not looked for: licences, quotations"
    )
    cropped: bool = Field(
        default=False, description="look for test pictures as they would look smaller and cut, too; 35 times the start"
    )
    turned: bool = Field(default=False, description="and turned and mirrored; 280 times the start")
    at_most: int | None = threshold(0, "n-grams of tests that a sample may hold; null: any number", ge=0)
    share_at_most: float = threshold(
        0.0, "of every test item, the share of its n-grams that a sample may hold, however many they are", ge=0, le=1
    )
    within: int | None = threshold(
        NEAR, "bits of 256 in which a picture that is dropped may differ from a test picture; null: none is", ge=0,
        le=LISTED,
    )  # fmt: skip

    @model_validator(mode="after")
    def _something_is_looked_for(self) -> "Decontaminate":
        if not (self.texts or self.pictures):
            raise ValueError("name evaluation sets in `texts` or `pictures`")
        both = sorted(self.texts.keys() & self.pictures.keys())
        if both:
            raise ValueError(f"'{both[0]}' names a set of texts and one of pictures: give one another name")
        return self

    def inputs(self) -> tuple[str, ...]:
        """Name the columns of texts, and `image`, as far as there is something to look for."""
        return (*(self.columns if self.texts else ()), *(("image",) if self.pictures else ()))

    def outputs(self) -> tuple[pa.Field, ...]:
        """Return what is measured of texts, of pictures, and the items."""
        return (*((HITS, SHARE) if self.texts else ()), *((NEAREST,) if self.pictures else ()), BY)

    def identity(self) -> str:
        """Hash the contents of the evaluation sets with the settings; where they are does not matter.

        Raises:
            InputError: sets that cannot be read, one line for each.
        """
        contents, faults = {}, []
        for what, read in self._contents().items():
            try:
                contents[what] = read()
            except CurateError as error:
                faults.append(f"{self.name}: {what}: {error}")
        if faults:
            raise InputError("\n".join(faults))
        settings = self.measuring() | {"pictures": None, "allowed": None}
        settings["texts"] = {name: texts | {"path": None} for name, texts in settings["texts"].items()}
        parts = [self.name, self.version, settings, contents]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _contents(self) -> Mapping[str, Callable[[], str]]:
        """Name what is read from files, each with a function that looks at it and hashes it."""
        texts = {f"texts: {name}": partial(checked_sha256, name, texts) for name, texts in self.texts.items()}
        pictures = {f"pictures: {name}": partial(pictures_sha256, p.path) for name, p in self.pictures.items()}
        allowed = {"allowed": partial(checked_sha256, "allowed", TextSet(path=self.allowed))} if self.allowed else {}
        return texts | pictures | allowed

    def index(self) -> Index:
        """Read the test texts and hash their n-grams."""
        sets = {name: read_set(name, texts) for name, texts in self.texts.items()}
        phrases = [item.queries[0] for item in read_set("allowed", TextSet(path=self.allowed))] if self.allowed else []
        return Index(sets, Looking(self.n, self.shortest, self.parts, self.common, self.most_numbers), phrases)

    def picture_index(self) -> PictureIndex:
        """Read the test pictures and hash them."""
        return PictureIndex(self.pictures, cropped=self.cropped, turned=self.turned)

    def open(self) -> Scorer:
        """Read and hash the evaluation sets; return a function from samples to what of the sets they hold."""
        looks: list[Callable[[pa.Table], Found]] = []
        if self.texts:
            looks.append(looking_through(self.index(), self.columns))
        if self.pictures:
            looks.append(looking_at(self.picture_index()))

        def score(table: pa.Table) -> Measured:
            found = [look(table) for look in looks]
            measured = [column for columns, _, _ in found for column in columns]
            by = listed([entries for _, _, entries in found], table.num_rows)
            return Measured([*measured, by], pc.coalesce(*(failed for _, failed, _ in found)))

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `test_text` where the sample holds too much of a test, `test_picture` where its picture is one."""
        reason = pa.nulls(scores.num_rows, pa.string())
        if self.pictures and self.within is not None:
            near = pc.less_equal(scores[NEAREST.name].combine_chunks(), self.within)
            reason = pc.if_else(pc.fill_null(near, fill_value=False), "test_picture", reason)
        if self.texts and self.at_most is not None:
            many = pc.greater(scores[HITS.name].combine_chunks(), self.at_most)
            much = pc.greater(scores[SHARE.name].combine_chunks(), self.share_at_most)
            reason = pc.if_else(pc.fill_null(pc.and_(many, much), fill_value=False), "test_text", reason)
        return reason
