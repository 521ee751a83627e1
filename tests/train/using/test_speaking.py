"""What a model says is the same however many pictures pass it at once."""

from dataclasses import replace

import pytest

from curate.errors import TrainError
from curate.train.decoder import Decoding
from curate.train.using.items import captions, of_samples, whole_run
from curate.train.using.sources import open_run
from curate.train.using.speaking import Asking, answer, answers

from .models import QUESTION


@pytest.fixture
def items(opened, data):
    mixture = open_run(opened("llava-tiny"), [data])
    return of_samples(mixture, [at for at in whole_run(mixture) if at[1] % 9 == 0], captions).found


@pytest.mark.parametrize("preset", ["llava-tiny", "blip2-opt-tiny", "fromage-tiny"])
def test_batches_change_nothing(opened, items, preset):
    model = opened(preset)
    asking = Asking(Decoding(12), QUESTION if preset == "llava-tiny" else None)
    done = []
    together = list(answers(model, items, asking, told=done.append))
    alone = [answer(model, [item.read()], asking)[0] for item in items]
    assert together == alone == list(answers(replace(model, batch_size=3), items, asking))
    assert sum(done) == len(items) == 8
    assert len(set(together)) > 1 or preset == "blip2-opt-tiny"  # which has not learned to look yet


def test_blank_pictures_are_all_alike(opened, items):
    said = list(answers(opened("blip2-opt-tiny"), items, Asking(Decoding(8)), blank=True))
    assert len(set(said)) == 1


def test_a_broken_picture_is_told_by_its_number(opened, red):
    with pytest.raises(TrainError, match="picture 2 cannot be used: picture_unreadable"):
        answer(opened("blip2-opt-tiny"), [red.read_bytes(), b"none"], Asking())


def test_beams_are_searched(opened, red):
    asking = Asking(Decoding(12, beams=3, length_penalty=-1.0))
    (said,) = answer(opened("blip2-opt-tiny"), [red.read_bytes()], asking)
    assert said
    with pytest.raises(TrainError, match="ask for 1 beam"):
        answer(opened("fromage-tiny"), [red.read_bytes()], asking)


@pytest.mark.parametrize(
    ("asking", "spelled"),
    [
        (Asking(), "Which colour?"),
        (Asking(question=" How many? "), "How many?"),
        (Asking(question=""), ""),
        (Asking(prompt="Question: {} Short answer:"), "Question: Which colour? Short answer:"),
        (Asking(question="", prompt="Question: {}"), ""),
        (Asking(question="What of {}?", prompt="Q: {}"), "Q: What of {}?"),
    ],
)
def test_a_question_is_spelled(asking, spelled):
    assert asking.spelled("Which colour?") == spelled


@pytest.mark.parametrize(
    ("asking", "says"),
    [(Asking(question="<image> what?"), "without <image>"), (Asking(prompt="Question:"), "no place for the question")],
)
def test_what_cannot_be_asked_says_why(asking, says):
    with pytest.raises(TrainError, match=says):
        asking.spelled("What?")
