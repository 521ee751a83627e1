"""Rows that are erased leave the sketches, and what is left can still be judged against."""

import numpy as np
import pyarrow as pa
import pytest

from curate.erase import Asked, forget, selector
from curate.run.check import check
from curate.run.layout import Run
from curate.run.reduce.forgetting import all_judged, forget_rows
from curate.storage import Folder
from tests.run.reduce.captions import judged, listed, recipe
from tests.run.reduce.test_clusters import Died, keyed

A = list(enumerate(["one two three four", "one two three four", "five six seven eight", "nine ten eleven twelve"]))
B = [(10 + i, c) for i, c in A[1:]]


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("CURATE_KEY_SECRET", "00" * 32)


def sketches(out):
    work = Folder(str(out / "work"))
    return next(work / "reduce" / n for n in work.names("reduce") if n.startswith("alike_captions"))


def held(folder, kind, column):
    with folder.open_native(f"{kind}-part-00000.arrow") as stream:
        return pa.ipc.open_file(stream).read_all()[column].to_pylist()


def test_what_is_between_rounds_is_not_ended(tmp_path):
    """It holds payloads, and nothing would take those of erased rows out of it."""
    judged(tmp_path / "a", recipe(listed(tmp_path, A, "a.jsonl")))
    folder = sketches(tmp_path / "a")
    decision = next(name for name in folder.names() if "." not in name)
    (folder / decision / "rounds").write("attached-00000.arrow", b"payloads")
    assert not all_judged(folder)


@pytest.mark.parametrize("search", ["banded", "pairwise"])
def test_a_later_run_is_judged_against_what_is_left(tmp_path, search):
    path = listed(tmp_path, A, "a.jsonl")
    judged(tmp_path / "a", recipe(path, search=search))
    folder = sketches(tmp_path / "a")
    assert all_judged(folder)
    # Row 0 has a copy that stays; row 2 has none.
    named = forget_rows(folder, 0, np.array([0, 2]))
    assert held(folder, "rows", "order")
    assert not {0, 2} & set(held(folder, "rows", "order"))
    assert set(held(folder, "payload", "row")) == {1, 3}
    assert list(named)[-1] == "rows-part-00000.arrow"
    told = recipe(listed(tmp_path, B, "b.jsonl"), search=search, against=[str(tmp_path / "a")])
    kept, found = judged(tmp_path / "b", told)
    mine, theirs = keyed(tmp_path / "b", B), keyed(tmp_path / "a", A)
    assert kept == [mine[12]]
    assert found == {mine[11]: theirs[1], mine[13]: theirs[3]}


def test_stopped_in_the_middle_it_is_ended_by_doing_it_again(tmp_path, monkeypatch):
    judged(tmp_path / "a", recipe(listed(tmp_path, A, "a.jsonl")))
    folder, writing, left = sketches(tmp_path / "a"), Folder.writing, [1]

    def once(self, name, mode=0o644):
        if not left.pop():
            raise Died
        left.append(False)
        return writing(self, name, mode)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "writing", once)
        with pytest.raises(Died):
            forget_rows(folder, 0, np.array([0, 2]))
    forget_rows(folder, 0, np.array([0, 2]))
    files = {name: folder.read(name) for name in folder.names() if name.endswith(".arrow")}
    assert set(held(folder, "bands", "order")) == {1, 3}
    forget_rows(folder, 0, np.array([0, 2]))
    assert {name: folder.read(name) for name in files} == files


def test_a_threshold_moves_after_something_was_erased(tmp_path):
    """The erased row is in nobody's way: not in the count, and nobody is dropped in its favour."""
    path = listed(tmp_path, A, "a.jsonl")
    judged(tmp_path / "a", recipe(path))
    keys = keyed(tmp_path / "a", A)
    run = Run.at(str(tmp_path / "a"))
    asked = Asked([selector("key", keys[0])])
    forget(run, asked, lambda _: None)
    kept, found = judged(tmp_path / "a", recipe(path, at_least=0.9))
    assert kept == [keys[1], keys[2], keys[3]]
    assert check(run) == []
    assert keys[0] not in found.values() or keys[1] in found  # of the first decision, which stands as it was
