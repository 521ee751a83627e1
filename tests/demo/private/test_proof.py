"""The proof end to end: what is planted is found in the input, and nowhere in what the recipe made of it."""

import pytest

from curate.demo.private.__main__ import main
from curate.demo.private.run import RECIPE, Proof, prove
from curate.demo.run import found_recipe
from curate.errors import RunError


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_planted_value_gets_out_of_the_private_recipe(tmp_path, capfd):
    assert main(["--out", str(tmp_path), "--share", "0.1"]) == 0
    said = capfd.readouterr().out
    assert "finds all" in said
    assert "is left in" in said


@pytest.mark.slow
def test_a_recipe_that_redacts_nothing_is_caught(tmp_path, monkeypatch):
    leaky = tmp_path / "leaky.yaml"
    leaky.write_text("name: leaky\nsource: {media_folder: {path: x}}\nsink: {webdataset: {}}\n")
    monkeypatch.setattr("curate.demo.private.run.RECIPE", str(leaky))
    with pytest.raises(RunError, match=r"planted values were found outside work/:\n.*shards"):
        prove(Proof(tmp_path / "out", print, share=0.05))


@pytest.mark.slow
def test_a_recipe_that_publishes_nothing_proves_nothing(tmp_path, monkeypatch):
    empty = tmp_path / "empty.yaml"
    drops = "stages: [{caption_words: {at_least: 9999}}]"
    empty.write_text(f"name: empty\nsource: {{media_folder: {{path: x}}}}\n{drops}\nsink: {{webdataset: {{}}}}\n")
    monkeypatch.setattr("curate.demo.private.run.RECIPE", str(empty))
    with pytest.raises(RunError, match="too few to prove anything"):
        prove(Proof(tmp_path / "out", print, share=0.05))


def test_the_recipe_is_the_one_that_the_project_ships():
    assert found_recipe(RECIPE).endswith("pipelines/private_pairs.yaml")
