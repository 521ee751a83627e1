"""Tokenizers: read from the folder of a language model, or learned from the samples."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from curate.errors import TrainError

BEGIN, END, PAD = "<s>", "</s>", "<pad>"
CLASS, SEPARATOR, DECODE = "[CLS]", "[SEP]", "[DEC]"
FILE = "tokenizer.json"


@dataclass(frozen=True)
class Encoded:
    """A text as tokens, each with the characters it stands for."""

    ids: list[int]
    spans: list[tuple[int, int]]


class Vocabulary:
    """A tokenizer that takes what a text says literally: `</s>` in a caption is four letters, not the end."""

    def __init__(self, tokenizer: Tokenizer, where: str = "the tokenizer") -> None:
        """Wrap a tokenizer; `where` names it in errors."""
        tokenizer.encode_special_tokens = True  # its file does not keep this
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self.tokenizer, self.where = tokenizer, where

    def __len__(self) -> int:
        """How many tokens there are, special ones included."""
        return int(self.tokenizer.get_vocab_size())

    def encode(self, text: str) -> Encoded:
        """Split a text, adding nothing."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        return Encoded(list(encoding.ids), list(encoding.offsets))

    def decode(self, ids: Sequence[int]) -> str:
        """Join tokens to a text, special ones left out."""
        return str(self.tokenizer.decode(list(ids))).strip()

    def id(self, *tokens: str) -> int:
        """Return the id of the first of these tokens that exists.

        Raises:
            TrainError: none does.
        """
        found = (self.tokenizer.token_to_id(token) for token in tokens)
        number = next((n for n in found if n is not None), None)
        if number is None:
            raise TrainError(f"{self.where}: has no token {' or '.join(tokens)}, which the architecture's text needs")
        return int(number)

    def with_token(self, token: str) -> "Vocabulary":
        """Return this vocabulary with one more special token, or itself where it has it."""
        if self.tokenizer.token_to_id(token) is not None:
            return self
        longer = Tokenizer.from_str(self.tokenizer.to_str())
        longer.add_special_tokens([token])
        return Vocabulary(longer, self.where)


def learn(texts: Iterable[str], size: int, specials: Sequence[str]) -> Vocabulary:
    """Train a byte-level BPE (Sennrich et al. 2016, arXiv 1508.07909) of at most `size` tokens.

    The same texts in the same order give the same vocabulary.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=list(specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return Vocabulary(tokenizer)


def load(path: Path) -> Vocabulary:
    """Read a tokenizer.json.

    Raises:
        TrainError: it is missing or no tokenizer.
    """
    if not path.is_file():
        raise TrainError(f"{path}: no such file; a language model needs its tokenizer beside it")
    text = path.read_text(encoding="utf-8")
    try:
        json.loads(text)
    except ValueError as error:
        raise TrainError(f"{path}: no JSON ({error}); put back the file that the weights came with") from error
    return Vocabulary(Tokenizer.from_str(text), str(path))
