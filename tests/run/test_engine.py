"""Whole runs in this process: what they count, what they reuse, and what stops them."""

import json
import re
import subprocess

import pytest

from curate.errors import BudgetError, InputError, IntegrityError, PurgedError, RunError, StorageError
from curate.recipe import parse_recipe
from curate.run.books import imbalances
from curate.run.check import check
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.run.retry import forget_failures, purge
from curate.shards import Manifest, shard_keys
from curate.storage import Folder
from tests.run.lines import carry_out, counted, fates, lines, measured, published


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "run")


def never():
    raise AssertionError("somebody was hired though there was nothing to do")


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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "others"}, r"holds a run of recipe 'lines', not 'others'\. Choose another --out"),
        ({"partition_size": 7}, r"other settings of its source 'numbered_lines'\. Choose another --out"),
        ({"rows": 50}, r"other settings of its source"),
    ],
)
def test_another_recipes_run_is_refused_and_left_alone(out, change, says):
    carry_out(out)
    before = published(out)
    with pytest.raises(RunError, match=says):
        carry_out(out, lines(**change), hire=never)
    assert published(out) == before
    assert Folder(out).read("recipe.yaml").decode() == lines().to_yaml()


def test_a_changed_input_is_refused(tmp_path):
    listing = tmp_path / "list.csv"
    listing.write_text("url,caption\nhttp://a/1.jpg,one\nhttp://a/2.jpg,two\n")
    text = f"name: n\nsource: {{urls: {{path: {listing}}}}}\nstages: []\nsink: webdataset\n"
    recipe = parse_recipe(text.encode(), "n.yaml")
    carry_out(tmp_path / "run", recipe)
    listing.write_text("url,caption\nhttp://a/1.jpg,one\nhttp://a/3.jpg,three\n")
    with pytest.raises(RunError, match="the input files of 'urls' have changed"):
        carry_out(tmp_path / "run", recipe, hire=never)


def test_a_folder_with_somebodys_files_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("all my work")
    with pytest.raises(RunError, match="holds files, and they are not a run's"):
        carry_out(tmp_path, hire=never)
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == ["thesis.txt"]


def test_a_source_that_lists_nothing_is_an_error(out):
    with pytest.raises(InputError, match="numbered_lines: the input lists no samples"):
        carry_out(out, lines(rows=0), hire=never)


def test_a_run_that_keeps_nothing_publishes_an_empty_version(out):
    done = carry_out(out, lines({"line_number": {"at_least": 1000}}))
    assert done.manifest.samples == 0
    assert check(Run.at(out)) == []


def test_past_the_budget_the_run_stops_with_reasons_and_remedies(out):
    recipe = lines({"poison": {"numbers": list(range(0, 100, 3))}})
    with pytest.raises(BudgetError) as stopped:
        carry_out(out, recipe)
    text = str(stopped.value)
    assert "poison: " in text
    assert "over its budget of 20.0% (error_ValueError " in text
    assert f"curate retry {out}" in text
    assert "--set poison.max_failed_fraction=" in text
    assert not Folder(out).exists("manifest.json")
    fraction = float(text.rpartition("=")[2])
    accepted = lines({"poison": {"numbers": list(range(0, 100, 3)), "max_failed_fraction": fraction}})
    done = carry_out(out, accepted)
    assert done.books["poison"].failed["error_ValueError"] > 20


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


def test_books_that_do_not_balance_are_never_published(out):
    """A runner that loses a partition is found out before anything is published."""

    class Forgetful(LocalRunner):
        def carry(self, job, phase, partitions):
            yield from super().carry(job, phase, list(partitions)[1:])

    with pytest.raises(IntegrityError, match="1 of 6 partitions were not committed"):
        carry_out(out, lines("shout"), hire=Forgetful)
    assert not Folder(out).exists("manifest.json")


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


def test_a_bucket_that_vanishes_is_one_clear_error(s3):
    import boto3

    def vanish(event):
        if event["event"] == "partition":
            bucket = boto3.resource("s3").Bucket(s3.removeprefix("s3://"))
            bucket.objects.all().delete()
            bucket.delete()

    with pytest.raises(StorageError, match=s3.removeprefix("s3://")):
        carry_out(f"{s3}/run", report=vanish)
    boto3.client("s3").create_bucket(Bucket=s3.removeprefix("s3://"))
    assert carry_out(f"{s3}/run").manifest.samples == 8


def test_nothing_outside_work_holds_what_an_edit_replaced(out):
    """`shout` replaces `line 2` by `LINE 2`; readers of what is published must not find the old text."""
    execute(lines("shout", per_shard=100), Run.at(out), LocalRunner, json.dumps)
    everything = b"".join(published(out).values())
    assert b"LINE 2" in everything
    assert re.search(rb"line \d*[02468]\b", everything) is None


@pytest.fixture
def small_disk(tmp_path):
    """Give a disk of a quarter of a megabyte, where this machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs rights that this account lacks")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_one_clear_error_and_the_same_command_continues(small_disk, tmp_path):
    recipe = lines("shout", {"flaky": {"until": "/"}}, rows=400, per_shard=100)
    with pytest.raises(StorageError, match=r"disk/run/.*No space left on device.*the same command continues"):
        carry_out(small_disk / "run", recipe)
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    carry_out(small_disk / "run", recipe)
    carry_out(tmp_path / "undisturbed", recipe)
    assert published(small_disk / "run") == published(tmp_path / "undisturbed")


@pytest.mark.parametrize("where", ["source", "samples/flaky-*"])
def test_a_damaged_file_among_the_stored_is_named(out, tmp_path, where):
    """What a machine that lost power may leave; deleting what the error names mends the run."""
    (tmp_path / "up").touch()
    carry_out(out, lines(flaky(tmp_path)))
    (damaged,) = (tmp_path / "run" / "work").glob(f"{where}/part-00002.*")
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IntegrityError, match=rf"{damaged}: damaged\. Delete this file"):
        carry_out(out, lines(flaky(tmp_path), "shout"))
