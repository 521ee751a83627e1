"""One recipe and one input give the same bytes: in this process, on Ray, for any number of workers and any order."""

import random

import pytest

from curate.run.check import check
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.run.start import start_ray
from tests.run.lines import STAGES, carry_out, lines, published


class Shuffled(LocalRunner):
    """Takes partitions, and everything else, in an order that has nothing to do with theirs."""

    def carry(self, job, phase, partitions):
        yield from super().carry(job, phase, mixed(partitions))

    def each(self, task, items):
        yield from super().each(task, mixed(items))


def mixed(items):
    items = list(items)
    random.Random(len(items)).shuffle(items)
    return items


def recipe():
    """Return a recipe whose stages take four calls: a stage with resources of its own stands between others."""
    first, *rest = STAGES
    return lines(first, {"length": {"at_least": 6}}, *rest)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    url = tmp_path_factory.mktemp("expected")
    carry_out(url, recipe())
    return published(url)


def test_the_order_of_partitions_does_not_matter(tmp_path, expected):
    carry_out(tmp_path / "run", recipe(), hire=Shuffled)
    assert published(tmp_path / "run") == expected


def test_the_size_of_a_partition_changes_no_sample(tmp_path, expected):
    """Partitions of another size give another ledger layout, and the same shards."""
    first, *rest = STAGES
    carry_out(tmp_path / "run", lines(first, {"length": {"at_least": 6}}, *rest, partition_size=7))
    shards = {name: data for name, data in published(tmp_path / "run").items() if not name.startswith("ledger")}
    assert shards == {name: data for name, data in expected.items() if not name.startswith("ledger")}


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize("workers", [1, 2])
def test_ray_gives_the_bytes_of_this_process(tmp_path, expected, workers):
    done = carry_out(tmp_path / "run", recipe(), hire=lambda: start_ray(workers, 60.0))
    assert published(tmp_path / "run") == expected
    assert check(Run.at(str(tmp_path / "run"))) == []
    assert done.manifest.samples == 8


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_ray_continues_what_this_process_began(tmp_path, expected):
    def stop(event):
        if event["event"] == "partition" and event["partition"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path / "run", recipe(), report=stop)
    carry_out(tmp_path / "run", recipe(), hire=lambda: start_ray(2, 60.0))
    assert published(tmp_path / "run") == expected
