"""Captions and prompts, token by token."""

import pytest

from curate.errors import TrainError
from curate.train.architectures.fromage_texts import FromageExamples
from curate.train.presets import configure
from curate.train.template import IMAGE, UNLABELLED
from curate.train.vocabulary import END, learn

from .small_fromage import SMALL, captioned, sample_of


@pytest.fixture(scope="module")
def examples():
    config = configure("fromage-tiny", SMALL | {"language.vocabulary": "400"})
    words = learn([captioned(n)[0] for n in range(64)] * 2 + ["Q: A:\n"] * 2, 400, (END,))
    return FromageExamples(config, {"language": words})


def test_a_caption_ends_with_ret_and_is_cut(examples):
    caption, picture = captioned(0)
    tokens = examples.example(sample_of(caption, picture)).text
    assert (tokens.ids[0], tokens.ids[-1]) == (examples.begin, 400)
    assert tokens.labels == [UNLABELLED, *tokens.ids[1:]]
    assert examples.words.decode(tokens.ids) == caption
    long = examples.example(sample_of(caption * 20, picture)).text
    assert len(long) == 24
    assert long.ids[-1] == 400
    assert long.ids[: len(tokens) - 2] == tokens.ids[: len(tokens) - 2]


def test_prompts_begin_once_and_have_places_for_pictures(examples):
    words, begin, slot = examples.words, examples.begin, [IMAGE, IMAGE]
    assert examples.asked("").text.ids == [*slot, begin]
    assert examples.asked("red?").text.ids == [*slot, begin, *words.encode("Q: red?\nA:").ids]
    assert examples.wanted("red").text.ids == [begin, *words.encode("red").ids, 400]
    two = examples.prompt("<image>red<image>")
    assert two.text.ids == [*slot, begin, *words.encode("red").ids, *slot]
    assert set(two.text.labels) == {UNLABELLED}
    assert words.decode(examples.ends) == ""
    with pytest.raises(TrainError, match="too long"):
        examples.wanted("red " * 200)
