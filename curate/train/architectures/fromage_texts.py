"""What FROMAGe reads: captions that end with [RET], and prompts with pictures between their words.

Captions are cut to 24 tokens, as in the paper's code: its captions are short, and all of them ask for a picture.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from curate.errors import TrainError
from curate.train.architectures.fromage import FromageConfig
from curate.train.batch import Example
from curate.train.samples import Posed, Sample
from curate.train.template import PICTURE, UNLABELLED, Mark, Piece, Slot, Tokens, Words, assemble
from curate.train.towers.vision import transform_for
from curate.train.vocabulary import END, Vocabulary


class FromageExamples:
    """Captions that end with [RET]; prompts with pictures between their words."""

    VOCABULARIES: ClassVar[Mapping[str, tuple[str, ...]]] = {"language": (END,)}

    def __init__(self, config: FromageConfig, vocabularies: Mapping[str, Vocabulary]) -> None:
        """Look up the token that OPT begins every text with, and the end of a line, which ends an answer."""
        self.config, self.words = config, vocabularies["language"]
        self.begin = self.words.id(END)
        self.stop = "\n"
        self.ends = (self.words.encode(self.stop).ids[-1], self.begin)
        self.transform = transform_for(config.vision, config)

    def example(self, sample: Sample) -> Example:
        """Return the best caption, cut to `caption_tokens`, with [RET] after it."""
        sample.seen()
        return self.captioned(sample.captions()[0])

    def captioned(self, caption: str) -> Example:
        """Return a caption as numbers, cut to `caption_tokens`, with [RET] after it."""
        said = self.words.encode(caption).ids[: self.config.caption_tokens - 2]
        said.append(self.config.ret)
        return Example(Tokens([self.begin, *said], [UNLABELLED, *said]))

    def asked(self, question: str) -> Example:
        """Return a picture and a question as the paper puts it; without a question, the beginning of a caption.

        Raises:
            TrainError: it is too long.
        """
        return self.prompt(f"{PICTURE}Q: {question}\nA:" if question else PICTURE)

    def wanted(self, text: str) -> Example:
        """Return a text that asks for a picture: [RET] stands at its end.

        Raises:
            TrainError: it is too long.
        """
        return self.prompt(text, Mark(self.config.ret))

    def prompt(self, text: str, *after: Piece) -> Example:
        """Return a text, in which `<image>` stands for each of its pictures, for the model to go on with.

        Raises:
            TrainError: it is too long.
        """
        tokens = assemble(self.words, [*self._pieces(text), *after])
        if len(tokens) >= self.config.language.context:
            room = self.config.language.context
            raise TrainError(f"the text is too long: {len(tokens)} of {room} places. Shorten it")
        return Example(tokens)

    def posed(self, sample: Sample) -> Posed:
        """Have its captions said."""
        return sample.to_caption()

    @classmethod
    def texts(cls, sample: Sample) -> Iterator[str]:
        """Yield what a vocabulary of its own is learned from."""
        yield sample.captions()[0]

    def _pieces(self, text: str) -> Iterator[Piece]:
        """Spell a prompt; `</s>` stands once, before the first words, as in training."""
        pictured, begun = text.split(PICTURE), False
        for number, words in enumerate(pictured):
            if number:
                yield Slot(self.config.visual_tokens)
            if not begun and (words or number == len(pictured) - 1):
                yield Mark(self.begin)
                begun = True
            if words:
                yield Words(words)
