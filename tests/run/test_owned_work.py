"""Raw samples belong to one run: no other reads them, and purging deletes nothing else."""

import numpy as np
import pyarrow as pa
import pytest

from curate.errors import IntegrityError, RunError
from curate.plan import make_plan
from curate.run.columns import results_at
from curate.run.job import Job
from curate.run.layout import Run
from curate.run.opened import open_stage
from curate.run.parts import read_table, write_table
from curate.run.retry import purge
from curate.stage import Filter
from tests.run.lines import carry_out, lines, published


def test_two_runs_cannot_share_work(tmp_path):
    work = str(tmp_path / "work")
    carry_out(tmp_path / "one", work=work)
    with pytest.raises(RunError, match="not this run's"):
        carry_out(tmp_path / "two", lines(rows=50), work=work)


def test_work_that_holds_somebodys_files_is_refused_and_left_alone(tmp_path):
    thesis = tmp_path / "work" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years")
    with pytest.raises(RunError, match="not this run's"):
        carry_out(tmp_path / "run", work=str(tmp_path / "work"))
    assert thesis.read_text() == "years"


def test_work_of_another_run_is_not_purged(tmp_path):
    carry_out(tmp_path / "run")
    owner = tmp_path / "run" / "work" / "owner.json"
    owner.write_text('{"id": "another"}')
    with pytest.raises(RunError, match="not this run's"):
        purge(Run.at(str(tmp_path / "run")))
    assert owner.exists()


def test_an_unfinished_run_is_not_purged(tmp_path):
    carry_out(tmp_path / "run")
    (tmp_path / "run" / "manifest.json").unlink()
    with pytest.raises(RunError, match="is not finished"):
        purge(Run.at(str(tmp_path / "run")))
    assert (tmp_path / "run" / "work" / "source").is_dir()


def test_a_shard_that_was_lost_is_written_again(tmp_path):
    carry_out(tmp_path / "run")
    expected = published(tmp_path / "run")
    (tmp_path / "run" / "shards" / "00001.tar").unlink()
    carry_out(tmp_path / "run")
    assert published(tmp_path / "run") == expected


def test_results_that_changed_after_they_were_decided_on_are_not_published(tmp_path):
    recipe = lines()
    carry_out(tmp_path / "run", recipe)
    run = Run.at(str(tmp_path / "run"))
    step = next(s for s in make_plan(recipe, recipe.source.snapshot()).steps if s.name == "shout")
    folder, file = results_at(Job(make_plan(recipe, recipe.source.snapshot()), run, 103, 6), step, 0)
    stored = read_table(folder, file)
    failed = pa.array(["http_404"] * stored.num_rows, pa.string())
    write_table(folder, file, stored.set_column(stored.column_names.index("_failed"), "_failed", failed))
    run.folder.delete("manifest.json")
    run.work.delete("shards")
    with pytest.raises(IntegrityError, match="after it was decided on"):
        carry_out(tmp_path / "run", recipe)


class NotANumber(Filter):
    """Measures nothing that can be compared."""

    name = "not_a_number"
    reads = ("caption",)
    writes = (pa.field("not_a_number", pa.float32()),)
    at_least: float | None = 0.5

    def open(self):
        return lambda table: [pa.array(np.full(table.num_rows, np.nan), pa.float32())]


def test_not_a_number_passes_no_threshold():
    result = open_stage(NotANumber())(pa.table({"caption": ["a", "b"]}))
    assert result["_failed"].to_pylist() == ["unmeasured", "unmeasured"]
