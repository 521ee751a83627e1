"""Asking a model about pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from curate.errors import TrainError
from curate.train.batch import Example
from curate.train.decoder import Decoding
from curate.train.template import PICTURE
from curate.train.using.items import Item, Told, nobody
from curate.train.using.opened import Opened, chunks


@dataclass(frozen=True)
class Asking:
    """How a model is asked."""

    how: Decoding = field(default_factory=Decoding)
    question: str | None = None
    """Asked of every picture instead of its own question; empty for a caption."""
    prompt: str = "{}"
    """What a question is put into, such as 'Question: {} Short answer:' for BLIP-2."""

    def spelled(self, own: str = "") -> str:
        """Return what is asked where a picture's own question is `own`.

        Raises:
            TrainError: it says where the picture goes, or the prompt has no place for a question.
        """
        question = (own if self.question is None else self.question).strip()
        if PICTURE in question:
            raise TrainError(f"give a question in words, without {PICTURE}: the picture is put where it belongs")
        if "{}" not in self.prompt:
            raise TrainError(f"the prompt {self.prompt!r} has no place for the question: write {{}} there")
        return self.prompt.replace("{}", question) if question else ""


def answer(opened: Opened, pictures: Sequence[bytes], asking: Asking) -> list[str]:
    """Return what a model says of each picture.

    Raises:
        TrainError: it says nothing, or a picture or the question cannot be used.
    """
    opened.speaks()
    example = opened.examples.asked(asking.spelled())
    shown = [opened.given(picture, f"picture {number}") for number, picture in enumerate(pictures, 1)]
    examples = [replace(example, picture=picture) for picture in shown]
    return [said for some in chunks(examples, opened.batch_size) for said in _said(opened, some, asking)]


def answers(
    opened: Opened, items: Sequence[Item], asking: Asking, *, blank: bool = False, told: Told = nobody
) -> Iterator[str]:
    """Yield what a model says of each item's picture, or of the mean colour where `blank`.

    Raises:
        TrainError: it says nothing, or a question cannot be asked.
        Unusable: a picture cannot be used; `items.usable` finds them before.
    """
    opened.speaks()
    for some in chunks(items, opened.batch_size):
        yield from _said(opened, [asked(opened, item, asking) for item in some], asking, blank=blank)
        told(len(some))


def asked(opened: Opened, item: Item, asking: Asking) -> Example:
    """Return an item's picture and the question about it.

    Raises:
        TrainError: the question cannot be asked.
        Unusable: the picture cannot be used.
    """
    example: Example = opened.examples.asked(asking.spelled(item.question))
    return replace(example, picture=opened.decoded(item.read()))


def _said(opened: Opened, examples: Sequence[Example], asking: Asking, *, blank: bool = False) -> Iterator[str]:
    how = replace(asking.how, ends=opened.examples.ends)
    with opened.computing():
        rows = opened.speaks().generate(opened.batch(examples, blank=blank), how)
    stop = opened.examples.stop
    for row in rows:
        words = opened.trained.vocabularies["language"].decode(row)
        yield words.split(stop)[0].strip() if stop else words
