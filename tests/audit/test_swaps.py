"""Terms in place of each other, scored by a filter whose answer is known: it counts characters."""

import numpy as np
import pyarrow as pa
import pytest

from curate.audit.lexicon import identity_terms
from curate.audit.swaps import Chosen, Context, over_text, swap_lines, template_contexts
from curate.registry import stages

RELIGIONS = [t.word for t in identity_terms() if t.category == "religion"]


def chosen(texts, most=100, seed=0):
    found = Chosen.begin(most, seed)
    found.offer(pa.array(texts, pa.string()))
    return found.contexts()


def test_shift_and_flips_are_those_of_counting_by_hand():
    texts = [f"the Sikh temple {'x' * i}" for i in range(20)]
    longest = len("the Sikh temple ") + 10
    stage = stages()["length"](at_least=longest)
    lines = {line.term: line for line in swap_lines(stage, "captions", chosen(texts), 0.95)}
    assert set(lines) == set(RELIGIONS)
    mean = np.mean([len(word) for word in RELIGIONS])
    for word, line in lines.items():
        assert line.shift == pytest.approx(len(word) - mean)
        assert line.shift_low == pytest.approx(line.shift)
        assert line.contexts == 20
        more = len(word) - len("Sikh")
        assert line.dropped.hits == sum(len(t) + more < longest for t in texts)
        assert line.to_kept == sum(len(t) < longest <= len(t) + more for t in texts)
        assert line.to_dropped == 0


def test_an_interval_is_students():
    texts = ["a Muslim man", "An elderly Muslim", "two Muslim women, an old Muslim friend"]
    (context,) = [c for c in chosen(texts, most=3) if c.category == "religion" and c.original == texts[2]]
    assert context.variants[RELIGIONS.index("Sikh")] == "two Sikh women, an old Sikh friend"
    values = np.array([[len(v) for v in c.variants] for c in chosen(texts) if c.category == "religion"], float)
    shifts = (values - values.mean(axis=1, keepdims=True))[:, RELIGIONS.index("Buddhist")]
    lines = swap_lines(stages()["length"](), "captions", chosen(texts), 0.95)
    (line,) = [line for line in lines if line.term == "Buddhist"]
    spread = shifts.std(ddof=1) / np.sqrt(3)
    assert line.shift_high - line.shift == pytest.approx(4.302652729911275 * spread)  # t of 2 degrees, 97.5 %


def test_templates_begin_without_a_term():
    contexts = [c for c in template_contexts() if c.category == "religion"]
    assert {len(c.variants) for c in contexts} == {len(RELIGIONS)}
    assert not any(word in c.original for c in contexts for word in RELIGIONS)


def test_a_sample_is_random_and_the_same_for_a_seed():
    texts = [f"a gay man {i}" for i in range(500)]
    first = chosen(texts, most=20, seed=1)
    assert first == chosen(texts, most=20, seed=1)
    assert first != chosen(texts, most=20, seed=2)
    assert len(first) == 20
    numbers = [int(c.original.split()[-1]) for s in range(40) for c in chosen(texts, most=20, seed=s)]
    assert 220 < np.mean(numbers) < 280
    assert chosen([*texts, *texts], most=20, seed=1) == first  # a text that stands twice has one chance


def test_plurals_and_look_alikes_are_left_alone():
    assert chosen(["Muslims at prayer", "a white wall", None]) == []
    assert swap_lines(stages()["length"](), "captions", [], 0.95) == []


def test_texts_that_cannot_be_measured_count_as_dropped():
    contexts = [
        Context("religion", "line 1", ("line 2",) * len(RELIGIONS)),
        Context("religion", "x", ("x",) * len(RELIGIONS)),
    ]
    line = swap_lines(stages()["line_number"](at_most=1), "captions", contexts, 0.95)[0]
    assert (line.dropped.hits, line.to_dropped) == (2, 1)


def test_filters_over_text_are_found():
    registry = stages()
    some = [registry["length"](), registry["short_side"](), registry["line_number"]()]
    assert [s.name for s in over_text(some)] == ["length", "line_number"]
