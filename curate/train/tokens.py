"""Conversations to tokens and labels, by the template vicuna_v1.

The template is a list of pieces, each said by the assistant or not; a piece is tokenised once and its labels follow
from what it is. Nothing is tokenised twice to find out where an answer began.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from curate.errors import TrainError

IMAGE = -200
"""Stands in `ids` for one place of a picture; never looked up in the embedding."""
UNLABELLED = -100
BEGIN, END = "<s>", "</s>"
_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)
_PICTURE = "<image>"


@dataclass(frozen=True)
class Piece:
    """A stretch of the template."""

    text: str
    answer: bool
    """Whether the assistant says it: then its tokens, and the closing eos, are labels."""


@dataclass(frozen=True)
class Tokens:
    """One conversation as tokens."""

    ids: list[int]
    labels: list[int]


def turns(member: bytes) -> list[tuple[str, str]] | str:
    """Read (question, answer) turns from a sample's json member, or return the reason why there are none."""
    try:
        said = json.loads(member).get("conversations")
    except (ValueError, AttributeError):
        return "json_unreadable"
    if not isinstance(said, list) or not said or len(said) % 2:
        return "conversation_incomplete"
    pairs = [(_said(q, "human"), _said(a, "gpt")) for q, a in zip(said[::2], said[1::2], strict=True)]
    kept = [(q, a) for q, a in pairs if q and a and a.strip()]
    return kept if len(kept) == len(pairs) else "conversation_malformed"


def _said(turn: Any, by: str) -> str:
    if not isinstance(turn, dict) or turn.get("from") != by:
        return ""
    value = turn.get("value")
    return value if isinstance(value, str) else ""


def pictures_named(conversation: Sequence[tuple[str, str]]) -> int:
    """Count the places where a conversation wants a picture."""
    return sum(text.count(_PICTURE) for turn in conversation for text in turn)


def pieces(conversation: Sequence[tuple[str, str]]) -> Iterator[Piece]:
    """Spell `SYSTEM USER: q ASSISTANT: a</s>USER: ...`; an empty last answer leaves the turn open."""
    lead = _SYSTEM
    for question, answer in conversation:
        yield Piece(f"{lead}USER: {question} ASSISTANT:", answer=False)
        if answer:
            yield Piece(f" {answer}", answer=True)
        lead = ""


def tokenise(tokenizer: Tokenizer, conversation: Sequence[tuple[str, str]], patches: int) -> Tokens:
    """Return ids and labels of equal length; each `<image>` of a question takes `patches` places."""
    begin, end = bounds(tokenizer)
    ids, labels = [begin], [UNLABELLED]
    for piece in pieces(conversation):
        if piece.answer:
            said = [*_encode(tokenizer, piece.text), end]
            ids += said
            labels += said
        else:
            asked = _with_pictures(tokenizer, piece.text, patches)
            ids += asked
            labels += [UNLABELLED] * len(asked)
    return Tokens(ids, labels)


def bounds(tokenizer: Tokenizer, where: str = "the tokenizer") -> tuple[int, int]:
    """Return the ids of `<s>` and `</s>`.

    Raises:
        TrainError: the tokenizer lacks one.
    """
    begin, end = tokenizer.token_to_id(BEGIN), tokenizer.token_to_id(END)
    if begin is None or end is None:
        raise TrainError(f"{where}: has no tokens {BEGIN} and {END}, which open and close what is said")
    return begin, end


def _with_pictures(tokenizer: Tokenizer, text: str, patches: int) -> list[int]:
    first, *rest = text.split(_PICTURE)
    ids = _encode(tokenizer, first)
    for part in rest:
        ids += [IMAGE] * patches + _encode(tokenizer, part)
    return ids


def _encode(tokenizer: Tokenizer, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


def learn(conversations: Iterable[Sequence[tuple[str, str]]], vocabulary: int) -> Tokenizer:
    """Train a byte-level BPE (Sennrich et al. 2016, arXiv 1508.07909) of at most `vocabulary` tokens.

    The same conversations in the same order give the same tokenizer.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[BEGIN, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    spelled = (piece.text.replace(_PICTURE, "") for c in conversations for piece in pieces(c))
    tokenizer.train_from_iterator(spelled, trainer)
    return _literal(tokenizer)


def load(path: Path) -> Tokenizer:
    """Read a tokenizer.json.

    Raises:
        TrainError: it is missing, lacks `<s>` or `</s>`, or tokenises a piece in another way than as part of a text.
    """
    if not path.is_file():
        raise TrainError(f"{path}: no such file; a language model needs its tokenizer beside it")
    text = path.read_text(encoding="utf-8")
    try:
        json.loads(text)
    except ValueError as error:
        raise TrainError(f"{path}: no JSON ({error}); put back the file that the weights came with") from error
    tokenizer = _literal(Tokenizer.from_str(text))
    bounds(tokenizer, str(path))
    if _encode(tokenizer, "USER: a") != _encode(tokenizer, "USER:") + _encode(tokenizer, " a"):
        raise TrainError(
            f"{path}: puts a space before each text, so pieces of a conversation would not join. "
            "Save the tokenizer without its dummy prefix (legacy=False)"
        )
    return tokenizer


def _literal(tokenizer: Tokenizer) -> Tokenizer:
    """Let a caption that spells `</s>` be four letters, not the end of an answer. The file does not keep this."""
    tokenizer.encode_special_tokens = True
    return tokenizer
