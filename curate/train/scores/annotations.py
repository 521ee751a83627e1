"""What people wrote about pictures, from the files of benchmarks: COCO, Karpathy's splits, VQA v2, and JSON lines.

A file is foreign: whatever is wrong with it is one TrainError that names the file and the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from curate.errors import TrainError, nearest
from curate.train.scores.foreign import Record, known, lines, number, picture, records, some, text, texts, whole

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Captioned:
    """A picture, by its path below the folder of pictures, and what people said of it."""

    image: str
    captions: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A picture, by its path below the folder of pictures, a question about it and what people answered."""

    image: str
    question: str
    answers: tuple[str, ...]


def read_coco(path: Path, pictures: Path) -> tuple[Captioned, ...]:
    """Return the pictures of a COCO captions file (`images`, `annotations`), in its order.

    A picture of which nobody said anything is an error. `pictures` is the folder that holds `file_name`s.

    Raises:
        TrainError: the file is malformed, or a picture is missing.
    """
    content = whole(path)
    captions: dict[int, list[str]] = {}
    files: dict[int, str] = {}
    for where, image in records(path, content, "images"):
        own = number(where, image, "id")
        if own in files:
            raise TrainError(f"{where}: a second picture has the id {own}; ids must be unique")
        files[own], captions[own] = picture(where, text(where, image, "file_name"), pictures), []
    for where, annotation in records(path, content, "annotations"):
        known(where, captions, annotation, "image_id").append(text(where, annotation, "caption"))
    for own, said in captions.items():
        if not said:
            raise TrainError(f"{path}: nobody captioned picture {own} ({files[own]}); remove it from `images`")
    return _not_empty(path, [Captioned(files[own], tuple(said)) for own, said in captions.items()])


def read_karpathy(path: Path, pictures: Path, split: str = "test") -> tuple[Captioned, ...]:
    """Return one split of dataset_coco.json and its like (Karpathy and Fei-Fei 2015, arXiv 1412.2306).

    Pictures lie in `pictures`, below their `filepath` where they have one. `split` is one of the file's, like `val`.

    Raises:
        TrainError: the file is malformed, has no such split, or a picture is missing.
    """
    found, splits = [], set()
    for where, image in records(path, whole(path), "images"):
        own = text(where, image, "split")
        splits.add(own)
        if own == split:
            name = _folder(where, image) / text(where, image, "filename")
            sentences = records(where, image, "sentences")
            said = tuple(text(place, sentence, "raw") for place, sentence in sentences)
            found.append(Captioned(picture(where, str(name), pictures), some(where, "sentences", said)))
    if not found and splits:
        raise TrainError(f"{path}: no picture is of split '{split}', only of {sorted(splits)}.{nearest(split, splits)}")
    return _not_empty(path, found)


def read_vqa(questions: Path, answers: Path, pictures: Path, file_name: str) -> tuple[Asked, ...]:
    """Return the questions of a VQA v2 pair of files (Goyal et al. 2017, arXiv 1612.00837), in their order.

    `file_name` spells a picture's path from its number: `COCO_val2014_{image_id:012}.jpg`.

    Raises:
        TrainError: a file is malformed, a question has no answers, or a picture is missing.
    """
    given: dict[int, tuple[str, ...]] = {}
    for where, annotation in records(answers, whole(answers), "annotations"):
        people = tuple(text(place, one, "answer") for place, one in records(where, annotation, "answers"))
        own = number(where, annotation, "question_id")
        if own in given:
            raise TrainError(f"{where}: question {own} is answered a second time; ids must be unique")
        given[own] = some(where, "answers", people)
    found = []
    for where, record in records(questions, whole(questions), "questions"):
        name = _spelled(where, file_name, number(where, record, "image_id"))
        replies = known(f"{where} (answers in {answers})", given, record, "question_id")
        found.append(Asked(picture(where, name, pictures), text(where, record, "question"), replies))
    return _not_empty(questions, found)


def read_captions(path: Path, pictures: Path) -> tuple[Captioned, ...]:
    """Return the lines `{"image": "a/b.jpg", "captions": ["..."]}` of a JSON lines file.

    Raises:
        TrainError: a line is malformed, or a picture is missing.
    """
    return _not_empty(
        path,
        [
            Captioned(picture(where, text(where, line, "image"), pictures), texts(where, line, "captions"))
            for where, line in lines(path, {"image", "captions"})
        ],
    )


def read_questions(path: Path, pictures: Path) -> tuple[Asked, ...]:
    """Return the lines `{"image": "a/b.jpg", "question": "...", "answers": ["..."]}` of a JSON lines file.

    Raises:
        TrainError: a line is malformed, or a picture is missing.
    """
    found = []
    for where, line in lines(path, {"image", "question", "answers"}):
        image = picture(where, text(where, line, "image"), pictures)
        found.append(Asked(image, text(where, line, "question"), texts(where, line, "answers")))
    return _not_empty(path, found)


def _folder(where: str, image: Record) -> PurePosixPath:
    return PurePosixPath(text(where, image, "filepath") if "filepath" in image else ".")


def _spelled(where: str, file_name: str, image_id: int) -> str:
    try:
        return file_name.format(image_id=image_id)
    except (LookupError, ValueError, AttributeError) as error:
        raise TrainError(f"{where}: cannot spell a path by '{file_name}'; write {{image_id:012}}.jpg or so") from error


def _not_empty(path: Path, found: Sequence[_Value]) -> tuple[_Value, ...]:
    if not found:
        raise TrainError(f"{path}: holds no records; evaluate at least one picture")
    return tuple(found)
