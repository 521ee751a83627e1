"""A teacher that needs no model: it asks about a picture in a fixed set of forms and answers with the caption.

It invents nothing, so what it teaches is as true as the caption; it also teaches nothing that the caption lacks.
Which forms a sample gets is a hash of its key: the same sample is asked the same questions for ever.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PLACEHOLDER = "<image>"
"""Stands for the picture in the first human turn, as in LLaVA's training files (arXiv 2304.08485, section 4.2)."""

Turn = dict[str, str]

SENTENCE_FORMS = (
    "What does this picture show?",
    "Give a caption for the picture.",
    "In one sentence, what can be seen here?",
    "How would you label this image?",
    "Say what the image shows.",
    "Someone cannot see this picture. What would you tell them is in it?",
)
PHRASE_FORMS = (
    "Name what is in the picture, without a full sentence.",
    "What is this? A few words are enough.",
    "In a short phrase, what is shown?",
)

_NAMED_THING = re.compile(r"(?:an?|the|some)\s+([^\W\d_][\w'\u2019-]*(?:\s+[\w'\u2019-]+){0,3})[.!]?", re.IGNORECASE)
"""An article and one to four plain words: such a caption is a name, and stays true without its article."""


@dataclass(frozen=True)
class _Form:
    question: str
    answer: str


def caption_turns(key: str, caption: str, rounds: int) -> list[Turn]:
    """Return `rounds` questions and answers, in LLaVA's turns; no question comes twice.

    The placeholder stands before or after the first question, as the key's hash says.
    """
    asked = sorted(_forms(caption), key=lambda form: _digest(key, form.question))[:rounds]
    before = _digest(key, PLACEHOLDER)[0] % 2 == 0
    first = f"{PLACEHOLDER}\n{asked[0].question}" if before else f"{asked[0].question}\n{PLACEHOLDER}"
    questions = [first, *(form.question for form in asked[1:])]
    return [
        turn
        for question, form in zip(questions, asked, strict=True)
        for turn in ({"from": "human", "value": question}, {"from": "gpt", "value": form.answer})
    ]


def short_form(caption: str) -> str | None:
    """Return a caption that only names a thing without its article and full stop, or None where that is not safe."""
    match = _NAMED_THING.fullmatch(caption)
    return match.group(1) if match else None


def _forms(caption: str) -> Sequence[_Form]:
    name = short_form(caption)
    phrases = [_Form(question, name) for question in PHRASE_FORMS] if name else []
    return [*(_Form(question, caption) for question in SENTENCE_FORMS), *phrases]


def _digest(key: str, what: str) -> bytes:
    return hashlib.blake2b(f"{key}\n{what}".encode(), digest_size=8).digest()


Teacher = Callable[[str, str, int], list[Turn]]
TEACHERS: dict[str, Teacher] = {"caption_templates": caption_turns}
