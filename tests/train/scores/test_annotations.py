"""Annotation files: small ones of each format, and everything that may be wrong with one."""

import copy
import json
import re

import pytest

from curate.errors import TrainError
from curate.train.scores.annotations import (
    Asked,
    Captioned,
    read_captions,
    read_coco,
    read_karpathy,
    read_questions,
    read_vqa,
)

COCO = {
    "info": {"year": 2014},
    "images": [{"id": 7, "file_name": "a.jpg", "height": 2}, {"id": 3, "file_name": "val/b.jpg"}],
    "annotations": [
        {"id": 1, "image_id": 3, "caption": "A cat. "},
        {"id": 2, "image_id": 7, "caption": "A dog."},
        {"id": 3, "image_id": 7, "caption": "One dog"},
    ],
}
KARPATHY = {
    "dataset": "coco",
    "images": [
        {"filepath": "val", "filename": "b.jpg", "split": "test", "sentences": [{"raw": "A cat.", "tokens": ["a"]}]},
        {"filename": "a.jpg", "split": "val", "sentences": [{"raw": "A dog."}, {"raw": "One dog."}]},
        {"filename": "gone.jpg", "split": "train", "sentences": [{"raw": "Not read."}]},
    ],
}
QUESTIONS = {
    "questions": [
        {"image_id": 42, "question": "How many?", "question_id": 420},
        {"image_id": 42, "question": "What?", "question_id": 421},
    ]
}
ANSWERS = {
    "annotations": [
        {"question_id": 421, "answers": [{"answer": "cat", "answer_id": 1}, {"answer": "dog", "answer_id": 2}]},
        {"question_id": 420, "answers": [{"answer": "2", "answer_confidence": "yes"}]},
    ]
}
NAME = "COCO_{image_id:04}.jpg"


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jpg", "val/b.jpg", "COCO_0042.jpg"):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "pictures"


@pytest.fixture
def write(tmp_path):
    def put(content, name="file.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return put


def test_coco_captions_are_gathered_by_picture(write, folder):
    assert read_coco(write(COCO), folder) == (
        Captioned("a.jpg", ("A dog.", "One dog")),
        Captioned("val/b.jpg", ("A cat.",)),
    )


def test_karpathy_gives_one_split(write, folder):
    assert read_karpathy(write(KARPATHY), folder) == (Captioned("val/b.jpg", ("A cat.",)),)
    assert read_karpathy(write(KARPATHY), folder, "val") == (Captioned("a.jpg", ("A dog.", "One dog.")),)
    with pytest.raises(TrainError, match=r"no picture is of split 'tests', only of .* Did you mean 'test'"):
        read_karpathy(write(KARPATHY), folder, "tests")


def test_vqa_answers_find_their_questions(write, folder):
    assert read_vqa(write(QUESTIONS, "q.json"), write(ANSWERS, "a.json"), folder, NAME) == (
        Asked("COCO_0042.jpg", "How many?", ("2",)),
        Asked("COCO_0042.jpg", "What?", ("cat", "dog")),
    )


def test_lines_give_captions_and_questions(write, folder):
    lines = ['{"image": "a.jpg", "captions": ["A dog.", "One"]}', "", '{"image": "val/b.jpg", "captions": ["Café"]}']
    assert read_captions(write("\n".join(lines)), folder) == (
        Captioned("a.jpg", ("A dog.", "One")),
        Captioned("val/b.jpg", ("Café",)),
    )
    questions = '{"image": "a.jpg", "question": "What?", "answers": ["dog"]}'
    assert read_questions(write(questions), folder) == (Asked("a.jpg", "What?", ("dog",)),)


def changed(content, change):
    content = copy.deepcopy(content)
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c.pop("images"), "has no 'images', only ['annotations', 'info']"),
        (lambda c: c.update(images={}), "'images' is {}; a list belongs there"),
        (lambda c: c.update(images=[]), "annotations[0]: 'image_id' is 3, which refers to nothing"),
        (lambda c: c.update(images=[1]), "images[0] is 1; an object belongs there"),
        (lambda c: c["images"][1].update(id="3"), "images[1]: 'id' is '3'; a whole number belongs there"),
        (lambda c: c["images"][1].update(id=True), "images[1]: 'id' is True"),
        (lambda c: c["images"][1].update(id=7), "images[1]: a second picture has the id 7"),
        (lambda c: c["images"][0].update(file_name="c.jpg"), "images[0]: picture 'c.jpg' is not in"),
        (lambda c: c["images"][0].update(file_name="a" * 300), f"images[0]: picture '{'a' * 59}... is not in"),
        (lambda c: c["images"][0].update(file_name="\ud800"), "images[0]: picture '\\ud800' is not in"),
        (lambda c: c["images"][0].update(file_name="val"), "images[0]: picture 'val' is not in"),
        (lambda c: c["images"][0].update(file_name="../file.json"), "images[0]: picture '../file.json' leads out"),
        (lambda c: c["images"][0].update(file_name="/etc/passwd"), "images[0]: picture '/etc/passwd' leads out"),
        (lambda c: c["images"][0].update(file_name="a\0.jpg"), "images[0]: picture 'a\\x00.jpg' leads out"),
        (lambda c: c["annotations"][0].update(caption=5), "annotations[0]: 'caption' is 5; a text belongs there"),
        (lambda c: c["annotations"][2].update(caption=" "), "annotations[2]: 'caption' is blank"),
        (lambda c: c["annotations"].pop(0), "nobody captioned picture 3 (val/b.jpg)"),
        (lambda c: c.update(images=[], annotations=[]), "holds no records"),
    ],
)
def test_a_malformed_coco_file_is_one_error(write, folder, change, what):
    path = write(changed(COCO, change))
    with pytest.raises(TrainError, match=re.escape(what)) as error:
        read_coco(path, folder)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c["images"][0].update(sentences=[]), "images[0]: 'sentences' is empty"),
        (lambda c: c["images"][0].update(filepath=3), "images[0]: 'filepath' is 3; a text belongs there"),
        (lambda c: c["images"][0].update(filepath="../.."), "images[0]: picture '../../b.jpg' leads out"),
        (lambda c: c["images"][0]["sentences"][0].pop("raw"), "images[0]: sentences[0]: has no 'raw', only ['tokens']"),
        (lambda c: c.update(images=[]), "holds no records"),
    ],
)
def test_a_malformed_split_is_one_error(write, folder, change, what):
    with pytest.raises(TrainError, match=re.escape(what)):
        read_karpathy(write(changed(KARPATHY, change)), folder)


@pytest.mark.parametrize(
    ("questions", "answers", "what"),
    [
        (None, lambda c: c["annotations"].pop(), "'question_id' is 420, which refers to nothing"),
        (None, lambda c: c["annotations"][0].update(answers=[]), "annotations[0]: 'answers' is empty"),
        (None, lambda c: c["annotations"][0].update(question_id=420), "annotations[1]: question 420 is answered"),
        (lambda c: c["questions"][1].update(image_id=1), None, "questions[1]: picture 'COCO_0001.jpg' is not in"),
        (lambda c: c.pop("questions"), None, "has no 'questions'"),
    ],
)
def test_a_malformed_pair_is_one_error(write, folder, questions, answers, what):
    with pytest.raises(TrainError, match=re.escape(what)):
        read_vqa(
            write(changed(QUESTIONS, questions or bool), "q.json"),
            write(changed(ANSWERS, answers or bool), "a.json"),
            folder,
            NAME,
        )


@pytest.mark.parametrize("name", ["{id}.jpg", "{image_id:s}.jpg", "{.jpg", "{0}.jpg", "{image_id.x}"])
def test_a_path_that_cannot_be_spelled_is_refused(write, folder, name):
    with pytest.raises(TrainError, match="cannot spell a path"):
        read_vqa(write(QUESTIONS, "q.json"), write(ANSWERS, "a.json"), folder, name)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "holds no records"),
        ("\n[1]", "file.json:2: holds [1]; an object belongs there"),
        ('{"image": "a.jpg", ', "file.json:1: is not JSON"),
        ("[" * 100_000, "file.json:1: is not JSON"),
        ('{"image": "a.jpg", "caption": ["x"]}', "'caption' is not one of ['captions', 'image']. Did"),
        ('{"image": "a.jpg"}', "file.json:1: has no 'captions'"),
        ('{"image": "a.jpg", "captions": "x"}', "file.json:1: 'captions' is 'x'; a list belongs there"),
        ('{"image": "a.jpg", "captions": []}', "file.json:1: 'captions' is empty"),
        ('{"image": "a.jpg", "captions": ["x", null]}', "file.json:1: captions[1] is None; a text belongs there"),
        ('{"image": "a.jpg", "captions": [" "]}', "file.json:1: captions[0] is blank"),
    ],
)
def test_a_malformed_line_is_one_error(write, folder, content, what):
    with pytest.raises(TrainError, match=re.escape(what)):
        read_captions(write(content), folder)


def test_a_file_that_cannot_be_read_is_refused(tmp_path, folder):
    with pytest.raises(TrainError, match=r"gone\.json: cannot be read: No such file"):
        read_coco(tmp_path / "gone.json", folder)
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(TrainError, match=r"latin\.json: is not UTF-8 at byte 7"):
        read_coco(tmp_path / "latin.json", folder)
