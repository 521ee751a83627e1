"""The commands that use a model: what they print, what they write, what they refuse."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from curate.cli.app import app
from curate.errors import TrainError


def ran(*line):
    done = CliRunner().invoke(app, [str(word) for word in line], catch_exceptions=True)
    if isinstance(done.exception, TrainError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_generate_says_one_line_for_each_picture(folder, red, blue):
    model = folder("blip2-opt-tiny")
    (one,) = ran("generate", model, "--image", red)
    first, second = ran("generate", model, "--image", red, "--image", blue)
    assert first == f"{red}: {one}"
    assert second.startswith(f"{blue}: ")
    (said,) = ran("generate", model, "--image", red, "--json", "--beams", 2, "--length-penalty", 0.5)
    assert json.loads(said).keys() == {"image", "question", "said"}


def test_generate_writes_a_line_of_json_for_each_sample(folder, data):
    lines = [json.loads(line) for line in ran("generate", folder("llava-tiny"), "--data", data, "--samples", 3)]
    assert [line["answers"] for line in lines] == [
        [f"A red {form}."] for form in ("circle on the left", "circle on the right", "square on the left")
    ]
    assert all(line["question"] == "What is in this picture?" and len(line["key"]) == 32 for line in lines)


def test_retrieve_prints_key_score_caption(folder, data):
    line = ("retrieve", folder("fromage-tiny"), "--data", data, "--text", "a red circle", "--top", 3)
    hits = [json.loads(hit) for hit in ran(*line, "--json")]
    assert [hit.split()[0] for hit in ran(*line)] == [hit["key"] for hit in hits]
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert len(hits) == 3


def test_embed_writes_pictures_captions_and_texts(folder, data, red, tmp_path):
    model, out = folder("blip2-stage1-tiny"), tmp_path / "v.npy"
    for given, shape in (
        (("--data", data), (64, 4, 64)),
        (("--data", data, "--captions"), (64, 64)),
        (("--image", red), (1, 4, 64)),
        (("--text", "a circle", "--text", "a cross"), (2, 64)),
    ):
        (said,) = ran("embed", model, *given, "--out", out)
        assert np.load(out).shape == shape
        assert " x ".join(map(str, shape)) in said


def test_evaluate_prints_a_table_and_writes_json(folder, tmp_path):
    line = ("evaluate", folder("llava-tiny"), "--held-out", "--max-new-tokens", 12)
    table = ran(*line, "--out", tmp_path / "s.json")
    assert table[0].split() == ["score", "real", "blank", "shuffled"]
    assert table[1].split()[0] == "exact_match"
    written = json.loads((tmp_path / "s.json").read_text())
    assert written["samples"] == 8
    (printed,) = ran(*line, "--json")
    assert json.loads(printed) == written


def test_evaluate_reads_classes(folder, data, tmp_path):
    names = tmp_path / "names"
    names.write_text("circle\nsquare\n\ntriangle\ncross\n")
    line = ("evaluate", folder("fromage-tiny"), "--data", data, "--label", "form", "--no-controls", "--samples", 9)
    table = ran(*line, "--classes", names)
    assert [row.split()[0] for row in table[:3]] == ["score", "top-1", "top-5"]
    for wrong, says in (("a\na\n", "'a' stands twice"), ("\n", "names no class")):
        names.write_text(wrong)
        with pytest.raises(TrainError, match=says):
            ran(*line, "--classes", names)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("generate", "none"), "give one of --image, --data"),
        (("generate", "none", "--image", "{red}", "--data", "x"), "--image and --data cannot be given together"),
        (("generate", "none", "--image", "{red}"), "holds no checkpoint"),
        (("embed", "none", "--out", "v.npy"), "give one of --image, --data, --text"),
        (("embed", "none", "--text", "a", "--out", "v.csv"), "end the name so"),
        (("evaluate", "none"), "give one of --data or --held-out"),
        (("evaluate", "none", "--coco", "a", "--karpathy", "b"), "--coco and --karpathy cannot be given together"),
        (("evaluate", "none", "--data", "x", "--label", "form"), "name the classes too"),
    ],
)
def test_what_does_not_go_together_is_one_message(red, line, says):
    with pytest.raises(TrainError, match=says):
        ran(*(word.format(red=red) for word in line))
