"""New rows judged against earlier runs, which go by as they were judged last and may change meanwhile."""

import numpy as np
import pytest

from curate.errors import InputError
from curate.plan import make_plan
from curate.run.job import Job
from curate.run.layout import Run
from curate.run.reduce import rounds
from curate.run.reduce.corpus import between
from curate.run.reduce.forgetting import forget_rows
from curate.run.reduce.shape import shape_of
from curate.storage import Folder
from tests.run.reduce.captions import judged, listed, recipe, survivors
from tests.run.reduce.test_clusters import CAPTIONS, Died, keyed


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("CURATE_KEY_SECRET", "00" * 32)


@pytest.mark.parametrize("search", ["pairwise", "banded", "cells"])
def test_a_then_b_against_a_is_both_at_once(tmp_path, search):
    """With the first row as survivor; of a cluster that B alone joins, A's rows were kept before, and stay."""
    a, b = CAPTIONS[:45], CAPTIONS[45:]
    settings = {"search": search, "linkage": "leader"}
    judged(tmp_path / "a", recipe(listed(tmp_path, a, "a.jsonl"), **settings))
    for medium in ("samples", "edits", "source"):
        Folder(str(tmp_path / "a" / "work")).delete(medium)
    told = recipe(listed(tmp_path, b, "b.jsonl"), partition_size=11, against=[str(tmp_path / "a")], **settings)
    kept, found = judged(tmp_path / "b", told)
    both, at_once = judged(tmp_path / "both", recipe(listed(tmp_path, CAPTIONS, "both.jsonl"), **settings))
    first = survivors(tmp_path / "a")
    assert first | found == at_once
    assert len(kept) == len(b) - len(found)
    assert set(found) & set(at_once) == set(found)
    assert both


@pytest.mark.parametrize("search", ["pairwise", "banded", "unverified", "cells"])
@pytest.mark.parametrize("linkage", ["leader", "single"])
def test_few_rows_against_many_take_no_more_memory(tmp_path, search, linkage):
    """What is between is cut for the rows of both, however few ranges the new run's own rows make."""
    a, b = CAPTIONS[:75], CAPTIONS[75:]
    settings = {"search": search, "linkage": linkage}
    judged(tmp_path / "a", recipe(listed(tmp_path, a, "a.jsonl"), **settings))
    found = []
    for memory in (0.004, 512):
        told = recipe(listed(tmp_path, b, "b.jsonl"), memory, against=[str(tmp_path / "a")], **settings)
        out = tmp_path / str(memory)
        job = Job(make_plan(told, ""), Run.at(str(out)), len(b), 1)
        own, whole = shape_of(job, job.plan.phases[1].reduce), between(job, job.plan.phases[1].reduce)
        assert (whole.rows > own.rows) == (memory < 1)
        found.append(judged(out, told)[1])
    assert found[0] == found[1]
    assert found[0]


def test_single_linkage_drops_of_b_what_both_at_once_would(tmp_path):
    a, b = CAPTIONS[:45], CAPTIONS[45:]
    judged(tmp_path / "a", recipe(listed(tmp_path, a, "a.jsonl"), search="pairwise"))
    told = recipe(listed(tmp_path, b, "b.jsonl"), against=[str(tmp_path / "a")], search="pairwise")
    _, found = judged(tmp_path / "b", told)
    _, at_once = judged(tmp_path / "both", recipe(listed(tmp_path, CAPTIONS, "both.jsonl"), search="pairwise"))
    mine = set(keyed(tmp_path / "b", b).values())
    assert set(found) == {key for key in at_once if key in mine}


def test_an_earlier_run_of_other_settings_is_refused(tmp_path):
    judged(tmp_path / "a", recipe(listed(tmp_path, CAPTIONS[:9], "a.jsonl"), search="banded"))
    told = recipe(listed(tmp_path, CAPTIONS, "b.jsonl"), against=[str(tmp_path / "a")], search="pairwise")
    with pytest.raises(InputError, match=r"sketched with other settings \(search\)"):
        judged(tmp_path / "b", told)
    with pytest.raises(InputError, match="has no sketches of alike_captions"):
        judged(tmp_path / "c", recipe(listed(tmp_path, CAPTIONS, "c.jsonl"), against=[str(tmp_path / "nowhere")]))


def test_a_run_is_not_judged_against_itself(tmp_path):
    path = listed(tmp_path, CAPTIONS[:9])
    judged(tmp_path / "run", recipe(path))
    with pytest.raises(InputError, match="is the run itself"):
        judged(tmp_path / "run", recipe(path, against=[str(tmp_path / "run")]))


def test_an_earlier_run_counts_as_it_was_judged_last(tmp_path):
    """Whatever the names of its folders; and back again."""
    a, b = [(0, "one two three four"), (1, "one two three")], [(2, "one two three five")]
    path = listed(tmp_path, a, "a.jsonl")
    for n, at_least in enumerate((0, 4, 5, 4, 0)):
        judged(tmp_path / "a", recipe(path, stages=[{"caption_words": {"at_least": at_least}}]))
        told = recipe(listed(tmp_path, b, "b.jsonl"), stages=[{"caption_words": {}}], against=[str(tmp_path / "a")])
        _, found = judged(tmp_path / f"b{n}", told)
        assert len(found) == (0 if at_least == 5 else 1)


@pytest.mark.parametrize("search", ["banded", "pairwise"])
def test_an_earlier_run_that_changes_meanwhile_is_looked_at_anew(tmp_path, monkeypatch, search):
    a, b = CAPTIONS[:45], CAPTIONS[45:]
    judged(tmp_path / "a", recipe(listed(tmp_path, a, "a.jsonl"), search=search, partition_size=45))
    told = recipe(listed(tmp_path, b, "b.jsonl"), search=search, against=[str(tmp_path / "a")])
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "elect", _die)
        with pytest.raises(Died):
            judged(tmp_path / "b", told)
    work = Folder(str(tmp_path / "a" / "work"))
    folder = next(work / "reduce" / n for n in work.names("reduce") if n.startswith("alike_captions"))
    forget_rows(folder, 0, np.arange(0, 45, 2))
    _, found = judged(tmp_path / "b", told)
    _, undisturbed = judged(tmp_path / "calm", told)
    gone = {key for i, key in keyed(tmp_path / "a", a).items() if i % 2 == 0}
    assert found == undisturbed
    assert not gone & set(found.values())


def _die(*_):
    raise Died
