"""The model learns to look: figures with pictures and without, and answers from a checkpoint alone."""

import math
import shutil

import pytest

from curate.errors import TrainError
from curate.train import checkpoint, generate, train

from .shapes import TINY, draw, shapes, write_run

LEARNING = {**TINY, "steps": "400", "learning_rate": "3e-3", "warmup_steps": "20", "checkpoint_every": "400"}
QUESTION = "What is in this picture?"


@pytest.fixture(scope="module")
def learned(shapes_run, tmp_path_factory):
    """A model trained on all shapes but eight, and its final metrics."""
    out = tmp_path_factory.mktemp("learned")
    final = train("llava-tiny", shapes_run, str(out), overrides={**LEARNING, "held_out": "8"}, progress=lambda _: None)
    return out, final


@pytest.fixture(scope="module")
def control(shapes_run, tmp_path_factory):
    """The final metrics of the same training on blank pictures, and the mean tokens of a caption."""
    out, events = tmp_path_factory.mktemp("control"), []
    overrides = {**LEARNING, "blank_pictures": "true"}
    final = train("llava-tiny", shapes_run, str(out), overrides=overrides, progress=events.append)
    counts = [e["tokens"] for e in events if e["event"] == "step"]
    return final, sum(counts) / len(counts) / int(LEARNING["batch_size"])


@pytest.mark.slow
def test_it_ends_far_below_a_model_that_sees_blank_pictures(learned, control):
    (_, final), (blind, tokens) = learned, control
    # Of 64 equally likely captions, the best that a blind model can do is ln 64 nats a caption.
    assert math.log(64) / tokens * 0.99 < blind["eval_loss_blank"] < math.log(64) / tokens * 1.1
    assert final["eval_loss"] < blind["eval_loss_blank"] / 8
    assert final["eval_loss"] < final["eval_loss_blank"] / 8


@pytest.mark.slow
def test_it_sees_what_it_was_never_shown(learned):
    _, final = learned
    assert final["held_out_loss"] < final["held_out_loss_blank"] / 2


@pytest.mark.slow
@pytest.mark.parametrize(("colour", "shape"), [("red", "circle"), ("blue", "cross"), ("yellow", "square")])
def test_it_says_what_it_sees_from_the_folder_alone(learned, tmp_path, colour, shape):
    out, _ = learned
    alone = shutil.copytree(checkpoint.saved(out)[-1], tmp_path / "moved")
    for place in ("left", "right"):
        said = generate(str(alone), draw(colour, shape, place), QUESTION)
        assert said == f"A {colour} {shape} on the {place}."


@pytest.fixture(scope="module")
def barely(tmp_path_factory):
    """A checkpoint that has learned next to nothing."""
    folder = tmp_path_factory.mktemp("barely")
    data = write_run(str(folder / "data"), shapes()[:8])
    train("llava-tiny", data, str(folder / "out"), overrides={**TINY, "steps": "2"}, progress=lambda _: None)
    return folder / "out"


def test_an_answer_is_the_same_each_time_and_no_longer_than_asked(barely):
    picture = draw("red", "circle", "left")
    answers = {generate(str(barely), picture, QUESTION, max_new_tokens=5) for _ in range(2)}
    assert len(answers) == 1
    assert generate(str(barely), picture, QUESTION, max_new_tokens=0) == ""


@pytest.mark.parametrize(
    ("picture", "question", "said"),
    [
        (b"none", QUESTION, "picture_unreadable"),
        (draw("red", "circle", "left"), " ", "give a question"),
        (draw("red", "circle", "left"), "<image> twice?", "without <image>"),
        (draw("red", "circle", "left"), "why? " * 600, "the question is too long"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_error(barely, picture, question, said):
    with pytest.raises(TrainError, match=said):
        generate(str(barely), picture, question)


def test_a_folder_without_checkpoint_is_one_clear_error(tmp_path):
    with pytest.raises(TrainError, match="holds no checkpoint"):
        generate(str(tmp_path), draw("red", "circle", "left"), QUESTION)
