"""What a model is asked about or looks through: pictures, each with a question and answers where it has them."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from curate.errors import TrainError
from curate.train.dealing import At
from curate.train.mixture import Mixture
from curate.train.samples import Posed, Sample
from curate.train.scores.annotations import Asked, Captioned
from curate.train.template import Unusable
from curate.train.using.opened import Opened

Told = Callable[[int], None]
"""Hears how many more are done."""


Pose = Callable[[Sample], Posed]
"""Says what a sample is asked: an architecture's `posed`, or one of those here."""


def captions(sample: Sample) -> Posed:
    """Pose a sample for its captions, whatever it was trained to say of it."""
    return sample.to_caption()


def anything(sample: Sample) -> Posed:
    """Pose a sample to be looked through: its captions, where it has any."""
    try:
        return sample.to_caption()
    except Unusable:
        return Posed("", ())


def nobody(_: int) -> None:
    """Hear nothing."""


@dataclass(frozen=True)
class Item:
    """One picture, read when it is needed."""

    key: str
    image: str
    """Which picture: several questions may be about the same."""
    read: Callable[[], bytes]
    posed: Posed
    label: str = ""
    """Its class, where it has one."""

    @property
    def question(self) -> str:
        """What is asked about it; empty for a caption."""
        return self.posed.question

    @property
    def answers(self) -> tuple[str, ...]:
        """Its captions, or what people answered."""
        return self.posed.answers


@dataclass
class Items:
    """Those that can be used, and how many could not be, by reason."""

    found: list[Item] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)


def usable(opened: Opened, items: Items, asks: Callable[[Item], object] = bool) -> Items:
    """Leave out items whose picture is broken, or that `asks` refuses: a bad sample costs itself.

    Raises:
        TrainError: none is left.
    """
    left = Items(failed=Counter(items.failed))
    for item in items.found:
        try:
            asks(item)
            opened.decoded(item.read())
            left.found.append(item)
        except (Unusable, TrainError) as reason:
            left.failed[str(reason)] += 1
    return _some(left)


def exchanged(items: Sequence[Item], seed: int = 0) -> list[Item] | None:
    """Return items that each show the picture of another; None where all are of the same picture.

    Pictures go round in one circle, drawn by the seed, so that none stays with its own questions.
    """
    read = {item.image: item.read for item in items}
    circle = sorted(read)
    random.Random(seed).shuffle(circle)
    if len(circle) == 1:
        return None
    next_of = dict(zip(circle, [*circle[1:], circle[0]], strict=True))
    return [replace(item, read=read[next_of[item.image]]) for item in items]


def of_samples(mixture: Mixture, wanted: Iterable[At], posed: Pose, label: str = "") -> Items:
    """Return samples of runs as items, with the field `label` of their json as their class.

    Raises:
        TrainError: none can be used.
    """
    items = Items()
    for at in wanted:
        try:
            items.found.append(_item(mixture, at, posed, label))
        except Unusable as reason:
            items.failed[str(reason)] += 1
    return _some(items)


def of_annotations(records: Sequence[Captioned | Asked], pictures: Path) -> Items:
    """Return pictures below a folder, with what people wrote about them; the first caption is the class."""
    return Items([_annotated(record, number, pictures) for number, record in enumerate(records)])


def whole_run(mixture: Mixture) -> Iterator[At]:
    """Yield every sample of a mixture, in the order of its sources."""
    return ((number, row) for number, source in enumerate(mixture.sources) for row in range(len(source.reader)))


def _some(items: Items) -> Items:
    if not items.found:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in items.failed.most_common(3))
        raise TrainError(f"no sample can be used: {reasons or 'there is none'}")
    return items


def _item(mixture: Mixture, at: At, posed: Pose, label: str) -> Item:
    sample = Sample(mixture.read(at), random.Random(0))
    sample.seen()
    key = mixture.key(at)
    return Item(key, key, partial(_picture, mixture, at), posed(sample), _label(sample, label) if label else "")


def _label(sample: Sample, field_name: str) -> str:
    if field_name not in sample.facts:
        raise Unusable(f"no_field_{field_name}")
    return str(sample.facts[field_name])


def _picture(mixture: Mixture, at: At) -> bytes:
    return Sample(mixture.read(at), random.Random(0)).seen()


def _annotated(record: Captioned | Asked, number: int, pictures: Path) -> Item:
    if isinstance(record, Asked):
        posed, label = Posed(record.question, record.answers, talks=True), record.answers[0]
    else:
        posed, label = Posed("", record.captions), record.captions[0]
    return Item(f"{record.image}#{number}", record.image, (pictures / record.image).read_bytes, posed, label)
