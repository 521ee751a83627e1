"""`curate calibrate`: what it prints is what the filter decides, and what is wrong is told."""

import json

import pytest
import yaml

from curate.recipe import parse_recipe
from tests.audit import planted
from tests.run.lines import command, spelled


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "lines.yaml"
    path.write_text(spelled())
    return path


@pytest.fixture
def labels(tmp_path):
    """Good lines have numbers from 0 to 599, bad ones from 400 to 799."""
    rows = [f"line {i},0,{'odd' if i % 2 else 'even'}" for i in range(600)]
    rows += [f"line {i},1,{'odd' if i % 2 else 'even'}" for i in range(400, 800)]
    path = tmp_path / "labels.csv"
    path.write_text("caption,label,parity\n" + "\n".join(rows) + "\n")
    return path


def test_the_line_it_prints_is_a_setting_that_does_what_is_said(recipe, labels):
    done = command("calibrate", recipe, "line_number", "--labels", labels, "--risk", "missed<=0.05")
    assert (done.returncode, done.stderr) == (0, "")
    assert "missed <= 0.05" in done.stdout
    line = yaml.safe_load(done.stdout.rpartition("\n\n")[2])[0]["line_number"]
    changed = parse_recipe(spelled().encode(), "r", [f"line_number.at_most={line['at_most']}"])
    assert changed.stages[0].at_most == line["at_most"]
    # 12 of 400 may be missed: the exact bound of 13 is above 5 %.
    assert line["at_most"] == 411


def test_json_holds_the_same(recipe, labels):
    done = command(
        "calibrate",
        recipe,
        "line_number",
        "--labels",
        labels,
        "--risk",
        "false_positive_rate<=2%",
        "--json",
        "--group",
        "parity",
    )
    told = json.loads(done.stdout)
    (chosen,) = told["chosen"]
    assert told["lines"] == [f"at_most: {chosen['value']:g}"]
    assert [line["group"] for line in chosen["lines"]] == ["even", "odd", "all"]
    assert all(line["promised"]["false_positive_rate"] <= 0.02 for line in chosen["lines"])


def test_scores_that_are_there_need_no_model(recipe, tmp_path):
    scores, bad = planted.drawn(0, 2000)
    path = tmp_path / "scores.csv"
    path.write_text("s,label\n" + "".join(f"{s},{int(b)}\n" for s, b in zip(scores, bad, strict=True)))
    line = (
        "calibrate",
        recipe,
        "line_number",
        "--labels",
        path,
        "--score",
        "s",
        "--risk",
        "missed<=0.2",
        "--risk",
        "false_positive_rate<=0.15",
    )
    assert "Each promise is made at 0.975" in command(*line).stdout
    strict = tuple(word.replace("0.15", "0.02").replace("0.2", "0.02") for word in map(str, line))
    refused = command(*strict)
    assert refused.returncode == 1
    assert "take two thresholds with --uncertain" in refused.stderr
    assert "labelled rows are uncertain: between" in command(*strict, "--uncertain").stdout


def test_the_lower_of_two_thresholds_has_the_filters_own_name(tmp_path):
    """What is printed for an uncertain band is a recipe that `toxicity` accepts."""
    recipe = tmp_path / "toxic.yaml"
    recipe.write_text(spelled({"toxicity": {"model": "tox-block"}}))
    scores, bad = planted.drawn(0, 2000)
    path = tmp_path / "scores.csv"
    path.write_text("s,label\n" + "".join(f"{s},{int(b)}\n" for s, b in zip(scores, bad, strict=True)))
    risks = ("--risk", "missed<=0.02", "--risk", "false_positive_rate<=0.02", "--uncertain")
    done = command("calibrate", recipe, "toxicity", "--labels", path, "--score", "s", *risks)
    options = yaml.safe_load(done.stdout.rpartition("\n\n")[2])[0]["toxicity"]
    assert options.keys() == {"at_most", "uncertain_from"}
    (stage,) = parse_recipe(spelled({"toxicity": {"model": "tox-block", **options}}).encode(), "r").stages
    assert stage.uncertain_from < stage.at_most


@pytest.mark.parametrize(("words", "told"), [
    (("line_numbr", "--risk", "missed<=0.1"), "Did you mean 'line_number'?"),
    (("line_number", "--risk", "mised<=0.1"), "Did you mean 'missed'?"),
    (("line_number", "--risk", "missed<=0.001"), "needs at least 2995 bad rows, without a miss; there are 400"),
    (("line_number", "--risk", "missed<=0.1", "--confidence", "95"), "write a share between 0 and 1"),
    (("line_number", "--risk", "missed<=0.1", "--column", "caption"), "write it as NAME=COLUMN"),
    (("line_number", "--risk", "missed<=0.1", "--group", "sex"), "no column 'sex'"),
    (("line_number", "--risk", "missed<=0.1", "--uncertain"), "--uncertain needs a promise for what is kept"),
])  # fmt: skip
def test_what_is_wrong_is_one_message(recipe, labels, words, told):
    done = command("calibrate", recipe, words[0], "--labels", labels, *words[1:])
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
