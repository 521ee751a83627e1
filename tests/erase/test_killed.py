"""SIGKILL before and after every single write and deletion of a rewrite: the old version or the new, never a mix."""

import contextlib
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from curate.erase import Asked, check_erasures, finish_rewrite, forget, rewrite, selector
from curate.errors import RunError
from curate.run.check import check
from curate.run.engine import execute
from curate.run.layout import REWRITE, Run
from curate.run.local import LocalRunner
from curate.run.retry import purge
from curate.shards import Manifest, ShardReader
from curate.storage import Folder

from .runs import carry_out, contents, draw, holding, needles, recipe, store_features, url

ALBUM = (*range(18), 40, 41, 55)
"""Three partitions and three shards; 40 and 41 are copies, and a threshold drops 55."""
SIZES = {"partition_size": 8, "per_shard": 6}
NUMBERS = (*range(6), 7, 55)
"""All of the first shard, one of the second and none of the third; none of the second partition."""


def quiet(_event):
    pass


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Give a small album: every file of its run that a rewrite touches is a step at which it is killed."""
    return draw(tmp_path_factory.mktemp("few"), ALBUM)


@pytest.fixture(scope="module")
def forgotten(few, tmp_path_factory):
    """Give a run with tombstones, not rewritten."""
    out = tmp_path_factory.mktemp("forgotten") / "run"
    run = carry_out(out, few, **SIZES)
    store_features(run)
    forget(run, Asked(tuple(selector("url", url(n)) for n in NUMBERS), request="R-1"), quiet)
    return out


@pytest.fixture(scope="module")
def undisturbed(forgotten, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    shutil.copytree(forgotten, out, copy_function=shutil.copy2)
    rewrite(Run.at(str(out)), [], quiet)
    return out


def killed_at(step, out):
    """Rewrite in a process that is killed at the given step; return whether it came to that step."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)
    try:
        die_at(step)
        rewrite(Run.at(str(out)), [], quiet)
        os._exit(0)
    except BaseException:
        os._exit(1)


def die_at(step):
    """Have this process killed before or after one of its writes and deletions, counted together."""
    left = step

    def moment():
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    writing, delete = Folder.writing, Folder.delete

    @contextlib.contextmanager
    def mortal_writing(self, *args, **kwargs):
        with writing(self, *args, **kwargs) as path:
            yield path
            moment()  # filled, and not there yet
        moment()

    def mortal_delete(self, name):
        moment()
        if Path(self.path(name)).is_dir():
            for path in sorted(Path(self.path(name)).rglob("*")):
                if path.is_file():
                    path.unlink()
                    moment()  # half deleted
        delete(self, name)
        moment()

    Folder.writing, Folder.delete = mortal_writing, mortal_delete


def without_time(folder):
    """Return a run's files; of its certificate all but the time of the rewrite."""
    files = contents(folder)
    for name in [n for n in files if n.startswith("erasures/")]:
        content = json.loads(files[name])
        for rewritten in content["rewritten"]:
            rewritten["at"] = "then"
        files[name] = content
    return {name: data for name, data in files.items() if "/.tmp-" not in f"/{name}"}


def test_at_every_step(forgotten, undisturbed, tmp_path):
    expected = without_time(undisturbed)
    assert holding(undisturbed, needles(*NUMBERS)) == []
    before, after = (Manifest.load(Folder(str(f))) for f in (forgotten, undisturbed))
    live = read(forgotten)
    assert live == read(undisturbed)
    versions, step = set(), 0
    while True:
        out = tmp_path / "run"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(forgotten, out, copy_function=shutil.copy2)
        if not killed_at(step, out):
            break
        there = Manifest.load(Folder(str(out)))
        assert there in {before, after}
        versions.add(there.version)
        assert read(out) == live  # whole, and without the erased ones
        run = Run.at(str(out))
        interrupted = run.folder.exists(REWRITE)
        assert finish_rewrite(run, quiet) == interrupted
        assert check(run) == check_erasures(run) == []
        rewrite(run, [], quiet)
        assert without_time(out) == expected, step
        assert holding(out, needles(*NUMBERS), known=expected) == []  # what a killed write left behind
        step += 1
    assert versions == {before.version, after.version}
    assert step > 60


def read(out):
    reader = ShardReader(str(out))
    return {reader.key(i): reader.read(i) for i in range(len(reader))}


def test_nothing_else_begins_on_a_run_that_was_left_in_the_middle(forgotten, few, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(forgotten, out)
    assert killed_at(3, out)
    run = Run.at(str(out))
    assert any("curate rewrite" in fault for fault in check(run))
    with pytest.raises(RunError, match=r"a rewrite was stopped in the middle\. Finish it: curate rewrite"):
        execute(recipe(few, **SIZES), run, quiet, quiet)
    with pytest.raises(RunError, match="a rewrite was stopped in the middle"):
        purge(run)


def test_a_run_that_was_stopped_before_it_judged_goes_on(forgotten, few, tmp_path):
    """What was erased in between enters no stage, and no Reduce counts on it."""
    stages = ({"line_number": {"at_most": 49}}, "exact_duplicates", "shout")
    shutil.copytree(forgotten, tmp_path / "run", copy_function=shutil.copy2)
    run = Run.at(str(tmp_path / "run"))

    def stop(event):
        if event["event"] == "reduce" and event["stage"] == "exact_duplicates":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(recipe(few, *stages, **SIZES), run, LocalRunner, stop)
    rewrite(run, [], quiet)
    carry_out(run.folder.url, few, *stages, **SIZES)
    assert [*check(run), *check_erasures(run)] == []
    assert holding(Path(run.folder.path("")), needles(*NUMBERS)) == []
