"""Where pictures come from that a model is measured on: a run, what its training held out, or a benchmark's files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from curate.errors import TrainError
from curate.train.mixture import Mixture, open_mixture
from curate.train.origin import Origin, require_same
from curate.train.scores import annotations
from curate.train.scores.annotations import Asked, Captioned
from curate.train.using.items import Items, Pose, anything, captions, of_annotations, of_samples, whole_run
from curate.train.using.opened import Opened

VQA_NAMES = "COCO_val2014_{image_id:012}.jpg"
KINDS = ("coco", "karpathy", "captions", "vqa", "questions")


@dataclass(frozen=True)
class Source:
    """Pictures to be measured on, from one place."""

    data: tuple[str, ...] = ()
    """Runs; with `held_out`, those that the model was fed, where they lie elsewhere now."""
    held_out: bool = False
    """Only what training held out."""
    file: tuple[str, tuple[Path, ...]] | None = None
    """Annotations: one of KINDS and its files, two for vqa."""
    pictures: Path | None = None
    """The folder that the files' pictures are in."""
    split: str = "test"
    """Of karpathy."""
    names: str = VQA_NAMES
    """How vqa's pictures are named."""
    label: str = ""
    """Field of a sample's json that is its class."""
    at_most: int | None = None
    """The first so many."""


def collect(opened: Opened, source: Source, *, asked: bool = False) -> Items:
    """Return what a source holds, posed as the architecture was trained, or to be captioned where it is `asked`.

    Raises:
        TrainError: the source is not one, or cannot be used.
        RunError: a run is no finished one.
    """
    if source.file is not None:
        records = _records(source)[: source.at_most]
        return of_annotations(records, _folder(source))
    if source.held_out:
        return _held_out(opened, source, _pose(opened, source, asked=asked))
    mixture = open_run(opened, source.data)
    wanted = islice(whole_run(mixture), source.at_most)
    return of_samples(mixture, wanted, _pose(opened, source, asked=asked), source.label)


def open_run(opened: Opened, data: Sequence[str]) -> Mixture:
    """Open runs to be read whole.

    Raises:
        TrainError: none is named.
        RunError: one is no finished run.
    """
    return open_mixture(data, opened.config.model_copy(update={"held_out": 0}))


def _pose(opened: Opened, source: Source, *, asked: bool) -> Pose:
    if source.label:
        return anything
    posed: Pose = captions if asked else opened.trained.examples.posed
    return posed


def _held_out(opened: Opened, source: Source, pose: Pose) -> Items:
    config, fed = opened.config, opened.trained.state.origins
    if not config.held_out:
        raise TrainError(f"{opened.folder}: its training held nothing out (--set held_out=N). Give other --data")
    mixture = open_mixture(source.data or [_spelled(origin) for origin in fed], config)
    require_same(opened.folder, fed, tuple(map(Origin.of, mixture.sources)))
    wanted = [mixture.held_out(number) for number in range(config.held_out)]
    return of_samples(mixture, wanted[: source.at_most], pose, source.label)


def _spelled(origin: Origin) -> str:
    return origin.url if origin.weight is None else f"{origin.url}:{origin.weight!r}"


def _records(source: Source) -> Sequence[Captioned | Asked]:
    kind, files = source.file or ("", ())
    folder = _folder(source)
    readers: Mapping[str, Callable[[], Sequence[Captioned | Asked]]] = {
        "coco": lambda: annotations.read_coco(files[0], folder),
        "karpathy": lambda: annotations.read_karpathy(files[0], folder, source.split),
        "captions": lambda: annotations.read_captions(files[0], folder),
        "vqa": lambda: annotations.read_vqa(files[0], files[1], folder, source.names),
        "questions": lambda: annotations.read_questions(files[0], folder),
    }
    return readers[kind]()


def _folder(source: Source) -> Path:
    if source.pictures is None:
        raise TrainError("annotations name pictures: say with --pictures which folder they are in")
    return source.pictures
