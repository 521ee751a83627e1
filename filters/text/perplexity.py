"""How surprised an n-gram language model is by a document."""
# ruff: noqa: RUF001 - the table below is of characters that look like others

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate.errors import ModelError
from curate.models import Model
from curate.stage import Filter, Scorer, threshold

NO_MODEL = "none"
LANGUAGE = "{language}"
_LARGEST = 38.0  # log10 of what a float32 holds
_DIGIT = re.compile(r"\d")
_ASCII_OF = str.maketrans(
    {
        **dict.fromkeys("„”“«»」「《》１", '"'), **dict.fromkeys("´’", "'"), **dict.fromkeys("∶：", ":"),
        **dict.fromkeys("–━►", "-"), "，": ",", "。": ".", "、": ",", "？": "?", "！": "!", "（": "(", "）": ")",
        "；": ";", "—": " - ", "．": ". ", "～": "~", "…": "...", "〈": "<", "〉": ">", "【": "[", "】": "]", "％": "%",
    }
)  # fmt: skip
"""CCNet's table, its 1 for a quotation mark included: its models were trained on what it makes."""
_UNPRINTED = dict.fromkeys((*range(32), *range(127, 160)))
Measure = Callable[[str], float | None]


class Perplexity(Filter):
    """Drop documents that a KenLM model finds too surprising, or too little so.

    Perplexity is 10 ** (-log10 probability / tokens), over all lines together, each with its end as one more token.
    Source: CCNet, Wenzek et al. (2020), arXiv:1911.00359, section 4.4: models of Wikipedia for each language, on text
    in small letters, without accents, with every digit as 0, cut into pieces by SentencePiece. CCNet's code normalises
    a document before it looks for lines, which takes their ends away; here lines are kept, and those without a token
    left out.
    """

    name: ClassVar[str] = "perplexity"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[tuple[pa.Field, ...]] = (
        pa.field("perplexity_model", pa.string()),  # of which language, `none` where there is no model or no token
        pa.field("perplexity", pa.float32()),  # 1 or more, a token; null where there is none
    )

    model: str = Field(description="KenLM or ARPA file; `{language}` in it stands for each of `languages`")
    tokenizer: str | None = Field(
        None, description="SentencePiece model, with `{language}` as in `model`; not set: words between spaces"
    )
    languages: tuple[str, ...] = Field(("en",), min_length=1, description="codes that there are models for")
    language_column: str | None = Field(
        None, description="the column that says in which language a row is; not set: all are in the one of `languages`"
    )
    column: Literal["text", "caption", "transcript"] = Field("text", description="what is read")
    normalize: bool = Field(
        default=True, description="CCNet's small letters, accents, digits and punctuation; as in training"
    )
    licence: str = Field("unknown", description="of the models' weights, for the ledger of models")
    at_least: float | None = threshold(None, "lowest perplexity that stays: repeated phrases have less", ge=1)
    at_most: float | None = threshold(None, "highest perplexity that stays", ge=1)

    @model_validator(mode="after")
    def _a_model_for_each_language(self) -> "Perplexity":
        if len(self.languages) > 1 and (self.language_column is None or LANGUAGE not in self.model):
            raise ValueError("several `languages` need `language_column`, and `{language}` in `model`")
        return self

    def inputs(self) -> tuple[str, ...]:
        """Name what is read, and the column that tells languages."""
        return (self.column, *((self.language_column,) if self.language_column else ()))

    def models(self) -> tuple[Model, ...]:
        """Name each language's model, and its tokenizer."""
        templates = (self.model, *((self.tokenizer,) if self.tokenizer else ()))
        names = dict.fromkeys(t.replace(LANGUAGE, code) for code in self.languages for t in templates)
        return tuple(Model(name, licence=self.licence) for name in names)

    def open(self) -> Scorer:
        """Load the models; return a function from texts to perplexities, distinct texts once.

        Raises:
            ModelError: one is not here or broken, or kenlm or sentencepiece is not installed.
        """
        measures = {code: self._measure(code) for code in self.languages}

        def score(table: pa.Table) -> list[pa.Array]:
            texts = pc.fill_null(table[self.column], "").to_pylist()
            known = table[self.language_column].to_pylist() if self.language_column else self.languages * len(texts)
            seen: dict[tuple[str, str], float | None] = {}
            for pair in zip(known, texts, strict=True):
                if pair not in seen:
                    seen[pair] = measures[pair[0]](pair[1]) if pair[0] in measures else None
            found = [seen[pair] for pair in zip(known, texts, strict=True)]
            by = [NO_MODEL if value is None else code for code, value in zip(known, found, strict=True)]
            return [pa.array(by, pa.string()), pa.array(found, pa.float32())]

        return score

    def decide(self, scores: pa.Table) -> pa.Array:
        """Return `below_at_least` or `above_at_most`; what has no perplexity stays."""
        return super().decide(scores.select(["perplexity"]))

    def _measure(self, code: str) -> Measure:
        model = _language_model(Model(self.model.replace(LANGUAGE, code), self.licence).locate())
        cut: Callable[[str], list[str]] = str.split
        if self.tokenizer:
            cut = _tokenizer(Model(self.tokenizer.replace(LANGUAGE, code), self.licence).locate())

        def measure(text: str) -> float | None:
            total, length = 0.0, 0
            for line in text.splitlines():
                tokens = cut(_normalized(line) if self.normalize else line)
                if tokens:
                    total += model.score(" ".join(tokens), bos=True, eos=True)
                    length += len(tokens) + 1
            return 10 ** min(-total / length, _LARGEST) if length else None

        return measure


def _normalized(line: str) -> str:
    apart = unicodedata.normalize("NFD", line.strip().lower())
    plain = "".join(c for c in apart if unicodedata.category(c) != "Mn")
    return _DIGIT.sub("0", plain).translate(_ASCII_OF).translate(_UNPRINTED)


def _language_model(path: Path) -> Any:
    try:
        import kenlm
    except ModuleNotFoundError as error:
        fix = "Install it, `pip install kenlm==0.3.0`, which compiles it: a C++ compiler and cmake are needed"
        raise ModelError(f"`perplexity` needs the package kenlm. {fix}") from error
    try:
        return kenlm.Model(str(path))
    except OSError as error:
        raise ModelError(f"{path}: is no KenLM or ARPA model: {' '.join(str(error).split())}") from error


def _tokenizer(path: Path) -> Callable[[str], list[str]]:
    try:
        import sentencepiece
    except ModuleNotFoundError as error:
        raise ModelError("`tokenizer` needs the package sentencepiece: `pip install sentencepiece`") from error
    try:
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{path}: is no SentencePiece model: {error}") from error
    return lambda line: list(pieces.encode(line, out_type=str))
