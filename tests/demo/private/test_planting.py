"""What is planted: five hundred different made-up values, the same every time, each in one place."""

from collections import Counter

import pytest

from curate.demo.private.planting import recordings, samples, write
from curate.demo.private.values import CARDS, IBANS, MAKERS, values


def planted(share=1.0):
    return [(where, value) for sample in samples(share) for where, value in sample.values]


def test_there_are_five_hundred_in_three_places():
    found = planted()
    assert len({value.text for _, value in found}) == len(found) == 500
    assert Counter(where for where, _ in found) == {"caption": 260, "picture": 160, "speech": 80}
    assert {value.kind for _, value in found} == set(MAKERS)


def test_it_is_the_same_every_time():
    assert samples() == samples()


def test_a_smaller_share_has_every_kind_and_every_place():
    found = planted(0.1)
    assert {value.kind for _, value in found} == set(MAKERS)
    assert {where for where, _ in found} == {"caption", "picture", "speech"}
    assert len(found) < 60


def test_captions_hold_their_values_and_no_other_samples():
    for sample in samples():
        for where, value in sample.values:
            assert (value.text in sample.caption) == (where == "caption")


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_values_do_not_repeat(kind):
    found = [value.text for value, _ in zip(values(kind), range(40), strict=False)]
    assert len(set(found)) == len(found)


def test_published_examples_come_to_an_end():
    assert {v.text for v in values("CREDIT_CARD")} == set(CARDS)
    assert {v.text for v in values("IBAN_CODE")} == set(IBANS)


def test_every_recording_is_there():
    assert len(recordings()) == 40
    assert all(one.file.stat().st_size > 10_000 and len(one.values) == 2 for one in recordings())


def test_samples_are_written_by_stem(tmp_path):
    some = samples(0.1)
    (tmp_path / "old.txt").write_text("from before")
    write(tmp_path, some)
    assert len(list(tmp_path.glob("*.txt"))) == len(some)
    assert len(list(tmp_path.glob("*.png"))) == sum(s.picture is not None for s in some)
    assert (tmp_path / "0000.txt").read_text() == some[0].caption
