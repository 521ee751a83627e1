"""Whole runs in this process: what they count, what they reuse, and what stops them."""

import json
import re

import pyarrow.compute as pc
import pytest

from curate.errors import PurgedError, RunError
from curate.ledger import read_ledger
from curate.run.books import imbalances
from curate.run.check import check
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.run.retry import forget_failures, purge
from curate.shards import Manifest, ShardReader, shard_keys
from curate.storage import Folder
from tests.run.lines import carry_out, counted, fates, lines, measured, never, published


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "run")


def test_every_sample_has_one_fate_and_the_books_balance(out):
    done = carry_out(out)
    assert done.rows == 103
    assert imbalances(done.books, 103) == []
    assert {name: (b.entered, b.kept) for name, b in done.books.items()} == {
        "numbered_lines": (103, 92),
        "repeated_rows": (92, 88),
        "line_number": (88, 79),
        "last_digit": (79, 79),
        "shout": (79, 79),
        "one_a_digit": (79, 9),
        "poison": (9, 8),
        "webdataset": (8, 8),
    }
    assert counted(out) == {
        ("webdataset", "kept", None): 8,
        ("numbered_lines", "failed", "bad_row"): 11,
        ("repeated_rows", "dropped", "repeated_row"): 4,
        ("line_number", "dropped", "above_at_most"): 9,
        ("one_a_digit", "dropped", "same_digit"): 70,
        ("poison", "failed", "error_ValueError"): 1,
    }


def test_ledger_and_shards_are_in_the_order_of_the_source(out):
    carry_out(out, lines("shout", per_shard=30))
    kept = [key for key, _, event, _ in fates(out) if event == "kept"]
    run = Folder(out)
    entries = Manifest.load(run).shards
    assert [key for e in entries for key in shard_keys(run, e.name)] == kept
    assert [e.samples for e in entries] == [30, 30, 28]
    captions = [shard_captions(run, e) for e in entries]
    numbers = [int(c.split()[-1]) for captions in captions for c in captions]
    assert numbers == sorted(numbers)


def shard_captions(run, entry):
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(run.read(f"shards/{entry.name}"))) as tar:
        return [tar.extractfile(m).read().decode() for m in tar if m.name.endswith(".txt")]


def test_what_an_edit_drops_has_a_fate_and_what_it_did_is_told(out):
    done = carry_out(out, lines({"shout": {"drop_every": 10}}, bad_every=0, repeat_every=0))
    assert done.books["shout"].dropped == {"too_loud": 11}
    assert check(Run.at(out)) == []
    assert len([1 for _, stage, event, _ in fates(out) if (stage, event) == ("shout", "dropped")]) == 11
    edited = read_ledger(Folder(out)).filter(pc.field("event") == "edited")
    assert set(edited["action"].to_pylist()) == {"capitals"}
    assert edited["place"].null_count == edited["match"].null_count == len(edited)  # the stage said nothing of them


def test_a_label_is_decided_from_stored_scores_told_and_published(out, tmp_path):
    counter = str(tmp_path / "count")
    plain = {"counter": counter, "at_most": 90}
    carry_out(out, lines({"line_number": plain}, per_shard=200))
    measured(counter)
    carry_out(out, lines({"line_number": plain | {"high_from": 80}}, per_shard=200))
    assert measured(counter) == 0
    reader = ShardReader(out)
    labels = [json.loads(reader.read(i)["json"]) for i in range(len(reader))]
    assert {v["line_number"] for v in labels if v["line_label"] == "high"} == set(range(80, 91)) - {81}
    told = read_ledger(Folder(out)).filter(pc.field("event") == "labelled")
    assert sorted(told["score"].to_pylist()) == [n for n in range(80, 91) if n != 81]
    assert set(told["reason"].to_pylist()) == {"high"}


def test_the_same_recipe_gives_the_same_bytes(tmp_path):
    carry_out(tmp_path / "a")
    carry_out(tmp_path / "b")
    assert published(tmp_path / "a") == published(tmp_path / "b")


def test_a_finished_run_hires_nobody_and_measures_nothing(out, tmp_path):
    recipe = lines({"line_number": {"counter": str(tmp_path / "count")}})
    first = carry_out(out, recipe)
    assert measured(tmp_path / "count") == 88
    again = carry_out(out, recipe, hire=never)
    assert measured(tmp_path / "count") == 0
    assert again.manifest == first.manifest
    assert again.books == first.books


def test_a_moved_threshold_decides_anew_and_measures_nothing(out, tmp_path):
    counter = str(tmp_path / "count")

    def numbered(at_most):
        return lines({"line_number": {"counter": counter, "at_most": at_most}})

    carry_out(out, numbered(90))
    before = published(out)
    assert measured(counter) == 88
    done = carry_out(out, numbered(50))
    assert done.books["line_number"].dropped == {"above_at_most": 44}
    assert measured(counter) == 0
    assert check(Run.at(out)) == []
    carry_out(out, numbered(90))
    assert published(out) == before
    assert check(Run.at(out)) == []


def test_a_loosened_threshold_measures_only_who_comes_to_life(out, tmp_path):
    counter = str(tmp_path / "count")

    def numbered(at_most):
        return lines({"slow": {"seconds": 0}}, {"line_number": {"at_most": at_most}}, flaky(tmp_path, counter))

    (tmp_path / "up").touch()
    carry_out(out, numbered(50))
    assert measured(counter) == 44
    carry_out(out, numbered(60))
    assert measured(counter) == 9
    carry_out(tmp_path / "fresh", numbered(60))
    assert published(out) == published(tmp_path / "fresh")


def flaky(tmp_path, counter=None, **options):
    return {"flaky": {"until": str(tmp_path / "up"), "counter": counter, **options}}


def test_a_plan_stopped_half_way_leaves_nothing_of_itself_in_another(out):
    """A finished run, then another plan that is stopped while it publishes, then the first again."""
    first = lines({"line_number": {"at_most": 90}})
    carry_out(out, first)
    before = published(out)

    def stop(event):
        if event["event"] == "shard":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(out, lines({"line_number": {"at_most": 50}}), report=stop)
    assert check(Run.at(out)) != []
    carry_out(out, first)
    assert published(out) == before
    assert check(Run.at(out)) == []


@pytest.mark.parametrize("moment", ["listed", "phase", "partition", "reduce", "publish", "shard"])
def test_a_stopped_run_continues_to_the_same_bytes(out, tmp_path, moment):
    def stop(event):
        if event["event"] == moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(out, report=stop)
    assert not Folder(out).exists("manifest.json")
    carry_out(out)
    carry_out(tmp_path / "undisturbed")
    assert published(out) == published(tmp_path / "undisturbed")


def test_retry_measures_only_what_failed_and_may_mend(out, tmp_path):
    counter = str(tmp_path / "count")
    recipe = lines(flaky(tmp_path, counter, gone=[0, 2, 3]), budget=1)
    failed = carry_out(out, recipe).books["flaky"].failed
    assert failed == {"down": 37, "gone": 3}
    assert measured(counter) == 88
    (tmp_path / "up").touch()
    run = Run.at(out)
    assert forget_failures(make(recipe, run), run) == 37
    done = carry_out(out, recipe)
    assert measured(counter) == 37
    assert done.books["flaky"].failed == {"gone": 3}
    assert check(run) == []
    assert forget_failures(make(recipe, run), run) == 0
    carry_out(tmp_path / "fresh", recipe)
    assert published(out) == published(tmp_path / "fresh")


def make(recipe, run):
    from curate.plan import make_plan

    return make_plan(recipe, run.facts()["snapshot"])


def test_a_purged_run_can_be_checked_and_repeated_and_no_more(out, tmp_path):
    carry_out(out, lines({"line_number": {"at_most": 90}}))
    before = published(out)
    run = Run.at(out)
    assert purge(run) == 6
    assert not (tmp_path / "run" / "work").exists()
    assert check(run) == []
    carry_out(out, lines({"line_number": {"at_most": 90}}), hire=never)
    with pytest.raises(PurgedError, match="another --out"):
        carry_out(out, lines({"line_number": {"at_most": 50}}), hire=never)
    with pytest.raises(PurgedError, match="trying again needs the raw samples"):
        forget_failures(make(lines(), run), run)
    assert published(out) == before
    assert "at_most: 90" in Folder(out).read("recipe.yaml").decode()
    assert not (tmp_path / "run" / "work").exists()


def test_a_run_that_keeps_nothing_publishes_an_empty_version(out):
    done = carry_out(out, lines({"line_number": {"at_least": 1000}}))
    assert done.manifest.samples == 0
    assert check(Run.at(out)) == []


def test_raw_samples_may_live_elsewhere(tmp_path):
    carry_out(tmp_path / "run", work=str(tmp_path / "secret"))
    assert not (tmp_path / "run" / "work").exists()
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o700
    carry_out(tmp_path / "run", lines({"line_number": {"at_most": 20}}))
    assert not (tmp_path / "run" / "work").exists()
    with pytest.raises(RunError, match="leave --work out"):
        Run.at(str(tmp_path / "run"), str(tmp_path / "other"))
    purge(Run.at(str(tmp_path / "run")))
    assert not (tmp_path / "secret").exists()


def test_work_is_for_its_owner_alone(out, tmp_path):
    carry_out(out)
    assert (tmp_path / "run" / "work").stat().st_mode & 0o777 == 0o700


def test_a_run_on_an_object_store_publishes_what_a_local_one_does(s3, tmp_path):
    carry_out(f"{s3}/run")
    carry_out(tmp_path / "run")
    assert published(f"{s3}/run") == published(tmp_path / "run")
    run = Run.at(f"{s3}/run")
    assert check(run) == []
    assert purge(run) == 6
    assert run.work.names() == []
    assert check(run) == []
    carry_out(f"{s3}/run", hire=never)


def test_nothing_outside_work_holds_what_an_edit_replaced(out):
    """`shout` replaces `line 2` by `LINE 2`; readers of what is published must not find the old text."""
    execute(lines("shout", per_shard=100), Run.at(out), LocalRunner, json.dumps)
    everything = b"".join(published(out).values())
    assert b"LINE 2" in everything
    assert re.search(rb"line \d*[02468]\b", everything) is None


def test_what_killed_processes_left_half_written_is_not_published(out):
    carry_out(out)
    folder = Folder(out)
    folder.write("shards/.tmp-left", b"half a shard")
    carry_out(out, lines({"line_number": {"at_most": 50}}))
    assert not folder.exists("shards/.tmp-left")
