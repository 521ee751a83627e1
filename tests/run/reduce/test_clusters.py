"""Whole runs over near copies: clusters and survivors are those that comparing every pair gives."""

import contextlib

import pytest
from curate_test_stages.alike import bands_of, cells_of, jaccard, words_of

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


def test_leaders_of_a_crowded_band_are_those_that_comparing_all_gives(tmp_path):
    """Forty captions share a band: more than chains need to be compared, and each is compared with each."""
    captions = list(enumerate(f"w{i % 7} w{i % 11} w{i % 13} same words in all of these" for i in range(40)))
    settings = {"at_least": 0.75, "linkage": "leader", "memory": 512}
    found = [
        judged(tmp_path / search, recipe(listed(tmp_path, captions), search=search, **settings))[1]
        for search in ("banded", "pairwise")
    ]
    assert found[0] == found[1]


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
