"""What stops a run: each cause is one clear error with place and remedy; nothing is lost, and the run goes on."""

import subprocess

import pytest

from curate.errors import BudgetError, InputError, IntegrityError, RunError, StorageError
from curate.recipe import parse_recipe
from curate.run.local import LocalRunner
from curate.storage import Folder
from tests.run.lines import carry_out, lines, never, published


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "run")


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


def test_books_that_do_not_balance_are_never_published(out):
    """A runner that loses a partition is found out before anything is published."""

    class Forgetful(LocalRunner):
        def carry(self, job, phase, partitions):
            yield from super().carry(job, phase, list(partitions)[1:])

    with pytest.raises(IntegrityError, match="1 of 6 partitions were not committed"):
        carry_out(out, lines("shout"), hire=Forgetful)
    assert not Folder(out).exists("manifest.json")


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
    """What a machine that lost power may leave."""
    flaky = {"flaky": {"until": "/"}}
    carry_out(out, lines(flaky))
    (damaged,) = (tmp_path / "run" / "work").glob(f"{where}/part-00002.*")
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IntegrityError, match=rf"{damaged}: damaged\. Restore it"):
        carry_out(out, lines(flaky, "line_number"))
