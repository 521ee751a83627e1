"""Whole runs over near copies: clusters and survivors are those that comparing every pair gives."""

import contextlib

import numpy as np
import pytest
from curate_test_stages.alike import bands_of, cells_of, jaccard, words_of

from curate.errors import InputError
from curate.plan import make_plan
from curate.run.job import Job
from curate.run.layout import Run
from curate.run.reduce import rounds
from curate.run.reduce.corpus import between
from curate.run.reduce.forgetting import forget_rows
from curate.run.reduce.shape import shape_of
from curate.run.start import start_ray
from curate.storage import Folder
from tests.run.lines import carry_out, published
from tests.run.reduce.captions import judged, listed, near_copies, recipe, survivors
from tests.run.test_agreement import Shuffled

CAPTIONS = list(enumerate(near_copies(80)))


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    """Have a row keep its key in every list."""
    monkeypatch.setenv("CURATE_KEY_SECRET", "00" * 32)


def keyed(out, captions):
    """Return {number: key}, from a run's own list."""
    found = {}
    work = Folder(str(out)) / "work"
    for name in work.names("source"):
        if name.startswith("part-"):
            table = work.read_parquet(f"source/{name}", ["url", "key"])
            found |= {
                int(u.rpartition("/")[2]): k
                for u, k in zip(table["url"].to_pylist(), table["key"].to_pylist(), strict=True)
            }
    assert len(found) == len(captions)
    return found


def clustered(captions, at_least, together=lambda a, b: True):
    """Return {number: the first of its cluster}, by comparing all pairs."""
    words = {i: words_of(c) for i, c in captions}
    label = {i: i for i, _ in captions}
    for i, a in captions:
        for j, b in captions:
            if i < j and together(a, b) and jaccard(words[i], words[j]) >= at_least:
                one, other = sorted((label[i], label[j]))
                label = {n: one if r == other else r for n, r in label.items()}
    return label


def expected(out, captions, at_least=0.5):
    keys = keyed(out, captions)
    return {keys[i]: keys[first] for i, first in clustered(captions, at_least).items() if i != first}


@pytest.mark.parametrize("memory", [0.004, 512])
def test_comparing_all_finds_all(tmp_path, memory):
    kept, found = judged(tmp_path / "run", recipe(listed(tmp_path, CAPTIONS), memory, search="pairwise"))
    assert found == expected(tmp_path / "run", CAPTIONS)
    assert set(kept) == set(keyed(tmp_path / "run", CAPTIONS).values()) - set(found)
    assert len(found) > 25


@pytest.mark.parametrize("memory", [0.004, 512])
def test_bands_find_what_shares_one(tmp_path, memory):
    """Captions are compared only if they share a band; those that do and are alike are never missed."""
    kept, found = judged(tmp_path / "run", recipe(listed(tmp_path, CAPTIONS), memory, search="banded"))
    bands = {i: set(bands_of(words_of(c))) for i, c in CAPTIONS}
    numbers = {c: i for i, c in reversed(CAPTIONS)}
    shares = clustered(CAPTIONS, 0.5, lambda a, b: bool(bands[numbers[a]] & bands[numbers[b]]))
    keys = keyed(tmp_path / "run", CAPTIONS)
    assert found == {keys[i]: keys[first] for i, first in shares.items() if i != first}
    assert len(kept) + len(found) == len(CAPTIONS)


@pytest.mark.parametrize(("search", "searched"), [("cells", 1), ("two_cells", 2)])
@pytest.mark.parametrize("memory", [0.004, 512])
def test_rows_are_compared_within_cells(tmp_path, memory, search, searched):
    _, found = judged(tmp_path / "run", recipe(listed(tmp_path, CAPTIONS), memory, search=search))
    cells = [set(cells_of(words_of(c), searched)) for _, c in CAPTIONS]
    numbers = {c: i for i, c in CAPTIONS}
    shares = clustered(CAPTIONS, 0.5, lambda a, b: bool(cells[numbers[a]] & cells[numbers[b]]))
    keys = keyed(tmp_path / "run", CAPTIONS)
    assert found == {keys[i]: keys[first] for i, first in shares.items() if i != first}


@pytest.mark.parametrize("search", ["pairwise", "banded"])
def test_a_leader_is_like_all_that_it_stands_for(tmp_path, search):
    _, chained = judged(tmp_path / "single", recipe(listed(tmp_path, CAPTIONS), search=search))
    _, led = judged(tmp_path / "leader", recipe(listed(tmp_path, CAPTIONS), search=search, linkage="leader"))
    captions = {key: CAPTIONS[i][1] for i, key in keyed(tmp_path / "leader", CAPTIONS).items()}
    alike = [jaccard(words_of(captions[a]), words_of(captions[b])) for a, b in led.items()]
    assert min(alike) >= 0.5
    assert set(led) < set(chained)
    assert not set(led.values()) & set(led)


def test_shuffled_input_gives_the_same_clusters_and_survivors(tmp_path):
    mixed = CAPTIONS[1::2] + CAPTIONS[::2]
    found = [
        judged(tmp_path / str(n), recipe(listed(tmp_path, c, f"{n}.jsonl"), partition_size=n, keep="smallest_key"))[1]
        for n, c in ((7, CAPTIONS), (11, mixed))
    ]
    assert found[0] == found[1]
    assert all(survivor < key for key, survivor in found[0].items())


@pytest.mark.parametrize("keep", ["highest", "lowest"])
def test_the_best_by_a_score_survives(tmp_path, keep):
    captions = [(i, c + " more" * (i % 3)) for i, c in CAPTIONS]
    told = recipe(listed(tmp_path, captions), stages=[{"caption_words": {"at_least": 0}}], keep=keep,
                  score="caption_words", search="pairwise")  # fmt: skip
    _, found = judged(tmp_path / "run", told)
    count = {key: len(captions[i][1].split()) for i, key in keyed(tmp_path / "run", captions).items()}
    assert found
    for key, survivor in found.items():
        mine, theirs = (count[key], key), (count[survivor], survivor)
        assert (theirs[0] >= mine[0]) if keep == "highest" else (theirs[0] <= mine[0])
        assert theirs[0] != mine[0] or survivor < key


def test_rows_are_compared_within_a_scope(tmp_path):
    told = recipe(listed(tmp_path, CAPTIONS), stages=[{"line_parity": {}}], within=["parity"], search="pairwise")
    _, found = judged(tmp_path / "run", told)
    number = {c: i for i, c in reversed(CAPTIONS)}
    keys = keyed(tmp_path / "run", CAPTIONS)
    parity = {key: len(CAPTIONS[i][1]) % 2 for i, key in keys.items()}
    assert found
    assert all(parity[key] == parity[survivor] for key, survivor in found.items())
    scoped = clustered(CAPTIONS, 0.5, lambda a, b: len(a) % 2 == len(b) % 2)
    assert found == {keys[i]: keys[first] for i, first in scoped.items() if i != first}
    assert number


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


def test_a_moved_threshold_sketches_nothing_again(tmp_path):
    path = listed(tmp_path, CAPTIONS)
    judged(tmp_path / "run", recipe(path))
    sketched = _sketches(tmp_path / "run")
    judged(tmp_path / "run", recipe(path, at_least=0.9))
    assert _sketches(tmp_path / "run") == sketched
    carry_out(tmp_path / "fresh", recipe(path, at_least=0.9))
    assert published(tmp_path / "run") == published(tmp_path / "fresh")


def _sketches(out):
    folder = out / "work" / "reduce"
    return {p: p.stat().st_mtime_ns for p in folder.glob("alike*/*-*.arrow")}


def test_nulls_and_empty_captions_are_kept_apart_and_together(tmp_path):
    captions = [(0, None), (1, None), (2, ""), (3, ""), (4, "one two")]
    kept, found = judged(tmp_path / "run", recipe(listed(tmp_path, captions)))
    keys = keyed(tmp_path / "run", captions)
    assert found == {keys[3]: keys[2]}
    assert kept == [keys[0], keys[1], keys[2], keys[4]]


def test_one_caption_a_thousand_times_is_compared_with_none(tmp_path):
    captions = [(i, "the same words again") for i in range(1000)] + [(1000, "the same words")]
    told = recipe(listed(tmp_path, captions), partition_size=100, memory=0.1, search="banded")
    kept, found = judged(tmp_path / "run", told)
    assert len(kept) == 1
    assert set(found.values()) == set(kept)


@pytest.mark.parametrize("search", ["banded", "unverified", "pairwise", "cells"])
def test_stopped_at_every_write_it_goes_on_to_the_same(tmp_path, monkeypatch, search):
    """After each file that appears, and before the next, the process dies; the same command ends the same."""
    path = listed(tmp_path, CAPTIONS[:30])
    told = recipe(path, memory=0.004, partition_size=15, search=search, linkage="leader")
    _, undisturbed = judged(tmp_path / "calm", told)
    turns = _die_after_each_write(monkeypatch, lambda: judged(tmp_path / "run", told))
    assert turns > 10
    assert survivors(tmp_path / "run") == undisturbed
    assert published(tmp_path / "run") == published(tmp_path / "calm")


class Died(BaseException):
    """What no code catches."""


def _die_after_each_write(monkeypatch, work):
    writing, turns = Folder.writing, 0

    @contextlib.contextmanager
    def once(self, name, mode=0o644):
        with writing(self, name, mode) as local:
            yield local
        if "/reduce/" in self.url:
            raise Died

    while True:
        with monkeypatch.context() as patch:
            patch.setattr(Folder, "writing", once)
            try:
                work()
            except Died:
                turns += 1
                continue
        return turns


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize("search", ["banded", "cells"])
def test_one_two_and_four_workers_and_any_order_give_the_same(tmp_path, search):
    path = listed(tmp_path, CAPTIONS)
    told = recipe(path, search=search)
    _, expected = judged(tmp_path / "local", told, hire=Shuffled)
    for workers in (1, 2, 4):
        _, found = judged(tmp_path / str(workers), told, hire=lambda workers=workers: start_ray(workers, 60.0))
        assert found == expected
        assert published(tmp_path / str(workers)) == published(tmp_path / "local")
