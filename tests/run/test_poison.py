"""One bad sample costs one sample: stages that raise, crash their process or hang on it."""

import signal

import pytest

from curate.errors import BudgetError, StageError
from curate.run.check import check
from curate.run.isolate import open_isolated
from curate.run.layout import Run
from curate.run.opened import open_stage
from curate.run.start import start_ray
from curate.storage import Folder
from tests.run.lines import carry_out, command, counted, fates, lines, published, spelled

BAD = (33, 47)


def poisoned(how, **settings):
    stages = ("shout", {"poison": {"numbers": list(BAD), "how": how, "max_failed_fraction": 0.1}})
    return lines(*stages, **settings)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    url = tmp_path_factory.mktemp("healthy")
    carry_out(url, lines("shout", {"poison": {}}))
    return fates(url)


def others(rows, lost):
    return [fate for fate in rows if fate[0] not in lost]


def check_cost(url, healthy, reason):
    """Two samples failed for a reason, and every other one fares as it does where nothing is wrong."""
    failed = {fate[0] for fate in fates(url) if fate[1:] == ("poison", "failed", reason)}
    assert len(failed) == len(BAD)
    assert others(fates(url), failed) == others(healthy, failed)
    assert check(Run.at(str(url))) == []


def test_a_stage_that_raises_costs_that_sample(tmp_path, healthy):
    carry_out(tmp_path / "run", poisoned("raise"))
    check_cost(tmp_path / "run", healthy, "error_ValueError")


def test_what_a_stage_raises_is_quoted_nowhere(tmp_path, caplog):
    """The test's stage puts the caption into its message."""
    carry_out(tmp_path / "run", poisoned("raise"))
    assert b"line 33" not in b"".join(data for name, data in published(tmp_path / "run").items())
    assert "line 33" not in caplog.text


def test_a_process_that_dies_twice_isolates_the_third_time(tmp_path, healthy):
    """Without Ray a crash takes the command with it; the same command then finds the sample."""
    recipe = tmp_path / "lines.yaml"
    stage = {"poison": {"numbers": list(BAD), "how": "segfault", "max_failed_fraction": 0.1}}
    recipe.write_text(spelled("shout", stage, partition_size=200))
    line = ("run", recipe, "--out", tmp_path / "run", "--local")
    assert [command(*line).returncode for _ in range(3)] == [-signal.SIGSEGV, -signal.SIGSEGV, 0]
    check_cost(tmp_path / "run", healthy, "crashed_SIGSEGV")


def test_an_isolated_stage_answers_as_an_open_one(tmp_path):
    table = line_table(range(10))
    for stage in lines("shout", "line_number", "last_digit").stages:
        assert open_isolated(stage)(table).equals(open_stage(stage)(table))


def line_table(numbers):
    import pyarrow as pa

    return pa.table({"caption": [f"line {n}" for n in numbers]})


def test_a_row_that_hangs_is_killed_and_named():
    (stage,) = lines({"poison": {"numbers": [3], "how": "hang"}}).stages
    result = open_isolated(stage, stall_timeout_s=1.0)(line_table(range(5)))
    assert result["_failed"].to_pylist() == [None, None, None, "hung", None]
    assert result["poison"].to_pylist() == [1, 1, 1, None, 1]


def test_an_isolated_stage_that_crashes_names_the_signal_or_status():
    (stage,) = lines({"poison": {"numbers": [0, 2], "how": "segfault"}}).stages
    result = open_isolated(stage)(line_table(range(4)))
    assert result["_failed"].to_pylist() == ["crashed_SIGSEGV", None, "crashed_SIGSEGV", None]


def test_a_stage_that_cannot_be_opened_is_the_stages_fault():
    from curate_test_stages import DiesOpening

    with pytest.raises(StageError, match="dies_opening: cannot be opened: its process crashed_SIGSEGV"):
        open_isolated(DiesOpening())(line_table(range(4)))


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize(("how", "reason"), [("segfault", "crashed_SIGSEGV"), ("hang", "hung")])
def test_on_ray_a_crash_or_a_hang_costs_that_sample(tmp_path, healthy, how, reason):
    recipe = poisoned(how, partition_size=60)
    carry_out(tmp_path / "run", recipe, hire=lambda: start_ray(2, 3.0))
    check_cost(tmp_path / "run", healthy, reason)


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_past_the_budget_the_run_stops_and_continues(tmp_path):
    stage = {"poison": {"numbers": list(range(0, 100, 2))}}
    with pytest.raises(BudgetError, match=r"poison: .*\(error_ValueError .*\n.*\n.*--set poison"):
        carry_out(tmp_path / "run", lines(stage), hire=lambda: start_ray(2, 60.0))
    assert not Folder(str(tmp_path / "run")).exists("manifest.json")
    stage["poison"]["max_failed_fraction"] = 1
    carry_out(tmp_path / "run", lines(stage))
    assert counted(tmp_path / "run")["poison", "failed", "error_ValueError"] == 49
