"""A bad sample costs itself, and exchanged pictures are never a sample's own."""

import json

import pytest

from curate.errors import TrainError
from curate.train.samples import Posed
from curate.train.using.items import Item, Items, anything, captions, exchanged, of_samples, usable, whole_run
from curate.train.using.sources import open_run
from train.shapes import draw, sample

from .models import shape


def item(number, image):
    return Item(str(number), image, image.encode, Posed("", (str(number),)))


@pytest.mark.parametrize("images", ["ab", "abc", "aabbbc", "abcdefgh"])
def test_each_sample_is_shown_a_picture_of_another(images):
    before = [item(number, image) for number, image in enumerate(images)]
    after = exchanged(before)
    assert [i.key for i in after] == [i.key for i in before]
    assert [i.answers for i in after] == [i.answers for i in before]
    shown = {i.image: i.read().decode() for i in after}
    assert sorted(shown) == sorted(shown.values()) == sorted(set(images))
    assert all(image != other for image, other in shown.items())
    assert [i.read() for i in exchanged(before)] == [i.read() for i in after]


def test_one_picture_cannot_be_exchanged():
    assert exchanged([item(0, "a"), item(1, "a")]) is None


@pytest.fixture
def odd(opened, make_run):
    key, members = sample("torn", draw("red", "circle", "left")[:60], "<image>\nWhat?", "A torn one.")
    facts = json.loads(members[0][1])
    torn = key, [("json", json.dumps({"conversations": facts["conversations"]}).encode()), *members[1:]]
    whole = shape("red", "circle", "left")
    blind = sample("talk", None, "Say so.", "So.")
    run = make_run([whole, torn, blind, shape("blue", "cross", "right")])
    return open_run(opened("llava-tiny"), [run])


def test_what_cannot_be_used_is_counted_by_reason(opened, odd):
    llava = opened("llava-tiny")
    found = of_samples(odd, whole_run(odd), llava.examples.posed)
    assert found.failed == {"picture_missing": 1}
    left = usable(llava, found)
    assert [i.answers for i in left.found] == [("A red circle on the left.",), ("A blue cross on the right.",)]
    assert left.failed == {"picture_missing": 1, "picture_unreadable": 1}
    assert left.found[0].read() == draw("red", "circle", "left")


def test_what_is_asked_may_differ(odd):
    asked = of_samples(odd, whole_run(odd), captions)
    assert (len(asked.found), asked.failed) == (2, {"caption_missing": 1, "picture_missing": 1})
    looked_through = of_samples(odd, whole_run(odd), anything)
    assert [i.answers for i in looked_through.found] == [
        ("A red circle on the left.",), (), ("A blue cross on the right.",)
    ]  # fmt: skip


def test_a_class_is_a_field_of_the_json(odd):
    found = of_samples(odd, whole_run(odd), anything, "form")
    assert [i.label for i in found.found] == ["circle", "cross"]
    assert found.failed == {"no_field_form": 1, "picture_missing": 1}


def test_nothing_usable_says_why(opened, odd):
    found = of_samples(odd, whole_run(odd), anything)
    with pytest.raises(TrainError, match=r"no sample can be used: picture_missing \(1\)"):
        of_samples(odd, [(0, 2)], captions)
    with pytest.raises(TrainError, match=r"no sample can be used: not this one \(2\), picture_unreadable \(1\)"):
        usable(opened("llava-tiny"), Items([*found.found]), refuse)


def refuse(one):
    if one.answers:
        raise TrainError("not this one")


