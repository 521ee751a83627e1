"""Models that were trained on a run before something was erased from it."""

import json
import shutil

import pytest

from curate.erase import Asked, check_erasures, forget, rewrite, selector
from curate.errors import InputError, TrainError
from curate.run.check import check
from curate.shards import Manifest, PastVersion, ShardReader
from curate.train import trace, train
from tests.train.shapes import TINY

from .runs import carry_out, keys, url

STAGES = ("exact_duplicates", {"line_number": {"at_most": 39}}, {"write_conversations": {"questions": 1}})
SETTINGS = {**TINY, "steps": "6", "batch_size": "4", "checkpoint_every": "3", "warmup_steps": "0",
            "eval_samples": "1", "held_out": "4", "max_failed_fraction": "1"}  # fmt: skip


def quiet(_event):
    pass


def train_on(run, out, **more):
    return train("llava-tiny", run.folder.url, str(out), overrides={**SETTINGS, **more}, progress=quiet)


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    run = carry_out(root / "run", pictures, *STAGES)
    train_on(run, root / "models" / "one")
    return root


@pytest.fixture
def there(trained, tmp_path):
    """Give a copy of the run at its own place, so that its checkpoint finds it there, and put it back afterwards."""
    from curate.run.layout import Run

    shutil.copytree(trained / "run", tmp_path / "kept", copy_function=shutil.copy2)
    yield Run.at(str(trained / "run"))
    shutil.rmtree(trained / "run")
    shutil.copytree(tmp_path / "kept", trained / "run", copy_function=shutil.copy2)


def traced(root, key):
    return trace(str(root / "models" / "one"), key=key, progress=quiet)["samples"]


def asked(*numbers):
    return Asked(tuple(selector("url", url(n)) for n in numbers), request="R-1")


def test_a_checkpoint_is_traced_after_rewrites_as_before(trained, there):
    every = keys(there, *range(40))
    before = {key: traced(trained, key) for key in every}
    assert {sample["status"] for samples in before.values() for sample in samples} >= {"used", "held_out"}
    for numbers in ((1, 2, 20), (3,), (4, 30)):
        forget(there, Asked(tuple(selector("url", url(n)) for n in numbers)), quiet)
        rewrite(there, [], quiet)
        assert check(there) == check_erasures(there) == []
        assert {key: traced(trained, key) for key in every} == before
    fed = trace(str(trained / "models" / "one"), key=every[0], progress=quiet)
    assert fed["steps"] == 6


def test_and_after_shards_are_planned_anew(trained, there, pictures):
    every = keys(there, *range(40))
    before = {key: traced(trained, key) for key in every}
    forget(there, asked(1), quiet)
    rewrite(there, [], quiet)
    carry_out(there.folder.url, pictures, "exact_duplicates", {"line_number": {"at_most": 30}}, STAGES[2])
    assert check(there) == []
    assert {key: traced(trained, key) for key in every} == before


def test_the_certificate_lists_every_checkpoint_that_saw_a_sample(trained, there, tmp_path):
    every = keys(there, *range(40))
    used = [n for n, key in enumerate(every) if any(s["used"] for s in traced(trained, key))]
    forget(there, asked(*used[:3]), quiet)
    done = rewrite(there, [str(trained / "models")], quiet)
    told = json.loads(there.folder.read("erasures/R-1.json"))["checkpoints"]
    assert done.requests == ("R-1",)
    assert told["searched"] == [str(trained / "models")]
    newest = told["saw"][-1]
    assert newest["step"] == 6
    assert newest["checkpoint"].startswith(str(trained / "models" / "one"))
    assert sorted(newest["samples"]) == sorted(every[n] for n in used[:3])
    for key, (seen,) in newest["samples"].items():
        assert seen["steps"] == list(traced(trained, key)[0]["steps"])
    assert told["did_not"] == told["cannot_tell"] == []


def test_who_did_not_and_who_cannot_be_told(trained, there, tmp_path):
    every = keys(there, *range(40))
    held = next(n for n, key in enumerate(every) if traced(trained, key)[0]["status"] == "held_out"
                and not traced(trained, key)[0]["vocabulary"])  # fmt: skip
    shutil.copytree(trained / "models", tmp_path / "models")
    (tmp_path / "models" / "one" / "metrics.jsonl").unlink()
    (tmp_path / "state.json").write_text('{"another": "program"}')
    forget(there, asked(held), quiet)
    rewrite(there, [str(trained / "models"), str(tmp_path)], quiet)
    told = json.loads(there.folder.read("erasures/R-1.json"))["checkpoints"]
    assert told["saw"] == []
    assert {e["checkpoint"].split("/step-")[0] for e in told["did_not"]} == {f"{trained}/models/one/checkpoints"}
    assert all("no step of it learned" in e["why"] for e in told["did_not"])
    assert {e["checkpoint"].split("/step-")[0] for e in told["cannot_tell"]} == {f"{tmp_path}/models/one/checkpoints"}
    with pytest.raises(InputError, match="no such folder"):
        rewrite(there, [str(tmp_path / "nowhere")], quiet)


def test_checkpoints_can_be_looked_at_later(trained, there):
    every = keys(there, *range(40))
    used = next(n for n, key in enumerate(every) if traced(trained, key)[0]["used"])
    forget(there, asked(used), quiet)
    rewrite(there, [], quiet)
    assert json.loads(there.folder.read("erasures/R-1.json"))["checkpoints"]["searched"] == []
    rewrite(there, [str(trained / "models")], quiet)
    saw = json.loads(there.folder.read("erasures/R-1.json"))["checkpoints"]["saw"]
    assert [list(entry["samples"]) for entry in saw] == [[every[used]]] * len(saw) != []


def test_training_does_not_go_on_with_another_version(trained, there, tmp_path):
    version = ShardReader(there.folder.url).version
    shutil.copytree(trained / "models" / "one", tmp_path / "one")
    shutil.rmtree(tmp_path / "one" / "checkpoints" / "step-00000006")  # as if it had been stopped before its end
    forget(there, asked(5), quiet)
    with pytest.raises(TrainError, match=r"some were erased\. What this model learned from them stays in it"):
        train_on(there, tmp_path / "one")
    rewrite(there, [], quiet)
    with pytest.raises(TrainError, match="was fed dataset version"):
        train_on(there, tmp_path / "one")
    assert train_on(there, tmp_path / "anew")["steps"] == 6
    assert PastVersion(there.folder.url, version).manifest.version == version
    assert Manifest.load(there.folder).version != version
