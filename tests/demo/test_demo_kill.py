"""The demo's recipe, fetching from its server: killed or not, on any number of workers, it gives the same bytes."""

import shutil
from types import SimpleNamespace

import pytest

from curate.demo.faults import plant
from curate.demo.listing import write_list
from curate.demo.planted import searched_values
from curate.demo.run import found_recipe
from curate.demo.server import HOST, serving
from curate.demo.verify import leaks, unmet
from tests.demo.conftest import drawn
from tests.run.killing import drivers, same_after_kills, workers
from tests.run.lines import command, published

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PICTURES = 48


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The recipe's command line, its planted rows, and an undisturbed run of it in one process."""
    root = tmp_path_factory.mktemp("demo")
    collection = drawn(root / "pictures", PICTURES)
    faults = plant(collection)
    with serving(collection.folder, 0) as address:
        urls = root / "urls.parquet"
        write_list(urls, collection, faults, address)
        host = address.removeprefix("http://")
        assert host.startswith(HOST)
        line = ["run", found_recipe(), "--set", f"urls.path={urls}", "--set", "urls.partition_size=12"]
        line += ["--set", f'fetch.allow_hosts=["{host}"]', "--set", "fetch.timeout_s=6"]
        # Drawings are no photographs: the model for alignment would drop them all.
        line += ["--set", "alignment.at_least=-1", "--set", "webdataset.samples_per_shard=16"]
        undisturbed = root / "undisturbed"
        done = command(*line, "--out", undisturbed, "--local")
        assert done.returncode == 0, done.stderr
        yield SimpleNamespace(line=line, faults=faults, address=address, undisturbed=undisturbed)


def test_every_planted_fault_is_in_the_ledger_and_no_planted_value_outside_work(demo):
    scored = [f for f in demo.faults if f.stage != "alignment"]
    assert unmet(demo.undisturbed, tuple(scored), demo.address) == []
    assert leaks(demo.undisturbed, searched_values()) == []
    assert leaks(demo.undisturbed, searched_values(), without=()) != []


def test_any_number_of_workers(demo, tmp_path):
    """One worker; those that are killed below have another beside them."""
    done = command(*demo.line, "--out", tmp_path / "run", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert published(tmp_path / "run") == published(demo.undisturbed)


@pytest.mark.parametrize(("victims", "within_s"), [(drivers, 16.0), (workers, 4.0)])
def test_five_kills(demo, tmp_path, victims, within_s):
    line = [*demo.line, "--workers", "2"]
    assert same_after_kills(line, tmp_path / "run", demo.undisturbed, victims, seed=5, kills=5, within_s=within_s) == 5


def test_after_purge_no_planted_value_is_anywhere(demo, tmp_path):
    out = shutil.copytree(demo.undisturbed, tmp_path / "run")
    assert command("purge", out).returncode == 0
    assert not (out / "work").exists()
    assert leaks(out, searched_values(), without=()) == []
    assert command("check", out).returncode == 0
