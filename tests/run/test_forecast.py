"""What a plan says before it runs: what is stored, what is to do, and how long that took before."""

import pytest

from curate.errors import InputError
from curate.recipe import parse_recipe
from curate.run.forecast import forecast
from curate.run.layout import Run
from tests.run.lines import carry_out, lines


def told(url, recipe):
    return {line.stage: line for line in forecast(recipe, Run.at(str(url))).lines}


def test_before_a_run_nothing_is_stored_and_nothing_is_written(tmp_path):
    said = forecast(lines(), Run.at(str(tmp_path / "run")))
    assert (said.rows, said.partitions) == (103, 6)
    assert {(line.stored, line.time) for line in said.lines if line.kind != "reduce"} == {(0, "not measured yet")}
    assert [line.stage for line in said.lines][:2] == ["repeated_rows", "line_number"]
    assert not (tmp_path / "run").exists()


def test_after_a_run_a_moved_threshold_finds_its_measurements(tmp_path):
    carry_out(tmp_path, lines("shout", {"line_number": {"at_most": 90}}))
    after = told(tmp_path, lines("shout", {"line_number": {"at_most": 50}}))
    assert (after["shout"].stored, after["line_number"].stored) == (88, 88)


def test_a_changed_stage_is_to_do_and_its_neighbours_are_not(tmp_path):
    carry_out(tmp_path, lines({"slow": {"seconds": 0}}, "line_number"))
    after = told(tmp_path, lines({"slow": {"seconds": 0.001}}, "line_number"))
    assert (after["slow"].stored, after["slow"].to_do) == (0, "at most 103")
    assert after["line_number"].stored == 88


def test_notes_say_what_memory_and_time_it_takes(tmp_path):
    carry_out(tmp_path, lines({"slow": {"seconds": 0.002}}))
    notes = forecast(lines({"slow": {"seconds": 0.002}}), Run.at(str(tmp_path))).notes
    assert any("two partitions of 20 samples" in note for note in notes)
    assert any("holds a finished run" in note for note in notes)
    assert any("CPU time of everything" in note for note in notes)


def test_disk_is_told_from_what_is_stored(tmp_path):
    recipe = lines("shout")
    assert forecast(recipe, Run.at(str(tmp_path))).notes[-1] == "disk: not measured yet"
    carry_out(tmp_path, recipe)
    stored = sum(file.stat().st_size for file in tmp_path.glob("work/edits/shout-*/*"))
    expected = f"disk: at most {stored / 88 * 103 / 1e6:,.1f} MB, shards included, at the sizes of what is stored"
    assert forecast(recipe, Run.at(str(tmp_path))).notes[-1] == expected


def test_a_source_that_is_missing_is_told_before_any_work(tmp_path):
    text = f"name: n\nsource: {{urls: {{path: {tmp_path}/none.csv}}}}\nsink: webdataset\n"
    with pytest.raises(InputError, match=r"none\.csv"):
        forecast(parse_recipe(text.encode(), "n.yaml"), Run.at(str(tmp_path / "run")))
