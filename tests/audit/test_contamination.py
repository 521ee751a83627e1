"""The report on evaluation sets, from runs whose every hit is known."""

import json

import pytest
import yaml

from curate.audit.contamination import contamination
from curate.audit.runs import open_run
from curate.erase import Asked, forget, selector
from curate.errors import RunError
from curate.recipe import parse_recipe
from curate.run.layout import Run
from curate.run.retry import purge
from tests.run.lines import carry_out, command

ITEMS = {
    "whole": "the quick brown fox jumps over the lazy dog",
    "part": "a part of this item stands in a caption and its end does not stand there at all",
    "often": "please read the terms and conditions before you go on",
    "never": "nobody says this in any of the captions of the list",
    "short": "too short",
}
CAPTIONS = [
    "a page with the quick brown fox, jumps over the lazy dog!",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG",
    "one said: a part of this item stands in a caption and its",
    *(f"{i}: please read the terms and conditions before you go on" for i in range(12)),
    *(f"nothing of it, {i}" for i in range(20)),
]


def recipe(folder, **settings):
    if not (folder / "list.csv").exists():
        (folder / "list.csv").write_text(
            "url,caption\n" + "".join(f'http://x/{i},"{c}"\n' for i, c in enumerate(CAPTIONS))
        )
    rows = [json.dumps({"id": name, "text": text}) for name, text in ITEMS.items()]
    (folder / "items.jsonl").write_text("\n".join(rows))
    texts = {"zoo": {"path": str(folder / "items.jsonl"), "columns": ["text"], "id": "id"}}
    stage = {"texts": texts, "columns": ["caption"], "n": 8, "share_at_most": 0.5, **settings}
    tree = {
        "name": "quiz", "source": {"urls": {"path": str(folder / "list.csv"), "partition_size": 10}},
        "stages": [{"decontaminate": stage}], "sink": {"webdataset": {}},
    }  # fmt: skip
    return parse_recipe(yaml.safe_dump(tree).encode(), "quiz.yaml")


@pytest.fixture
def url(tmp_path):
    carry_out(tmp_path / "run", recipe(tmp_path))
    return str(tmp_path / "run")


def held(found):
    return {line.item: (line.samples, line.published) for line in found.sets[0].held}


def test_items_are_counted_by_samples_and_by_what_was_published(url):
    found = contamination(open_run(url), 2)
    (zoo,) = found.sets
    assert (zoo.name, zoo.items, zoo.searched, zoo.samples, zoo.published) == ("zoo", 5, 4, 15, 1)
    assert held(found) == {"often": (12, 0), "whole": (2, 0), "part": (1, 1)}
    assert [line.item for line in zoo.held] == ["often", "whole", "part"]
    assert found.measured == len(CAPTIONS)
    assert found.dropped == {"test_text": 14}
    assert [line.share for line in zoo.held[:2]] == [1, 1]
    assert 0 < zoo.held[2].share <= 0.5
    assert [len(line.examples) for line in zoo.held] == [2, 2, 1]


def test_keys_name_the_samples(url):
    (zoo,) = contamination(open_run(url), 5).sets
    (example,) = zoo.held[2].examples
    told = json.loads(command("explain", url, "--url", "http://x/2", "--json").stdout)
    assert told["key"] == example["key"]
    assert example["published"]


def test_a_purged_run_says_the_same(url):
    before = contamination(open_run(url), 3)
    purge(Run.at(url))
    assert contamination(open_run(url), 3) == before


def test_an_erased_sample_counts_and_is_not_named(url):
    before = contamination(open_run(url), 3)
    key = before.sets[0].held[2].examples[0]["key"]
    forget(Run.at(url), Asked((selector("key", key),)), lambda _: None, dry_run=False)
    after = contamination(open_run(url), 3)
    assert [line.samples for line in after.sets[0].held] == [line.samples for line in before.sets[0].held]
    assert key not in json.dumps(after.to_json())


def test_moved_thresholds_decide_anew(tmp_path, url):
    carry_out(url, recipe(tmp_path, share_at_most=0))
    found = contamination(open_run(url), 3)
    assert found.sets[0].published == 0
    assert found.dropped == {"test_text": 15}


def test_the_command_prints_and_tells_machines(url):
    printed = command("contamination", url)
    assert (printed.returncode, printed.stderr) == (0, "")
    for said in ("33 of", "zoo", "60.0 %", "often", "1 items were not looked for", "as common phrases are"):
        assert said in printed.stdout.replace("35 samples", "33 of")
    told = json.loads(command("contamination", url, "--json").stdout)
    assert (told["sets"][0]["hit"], told["sets"][0]["published"], told["measured"]) == (3, 1, len(CAPTIONS))


def test_changed_or_missing_files_and_runs_without_the_stage_are_errors(tmp_path, url):
    items = (tmp_path / "items.jsonl").read_text()
    (tmp_path / "items.jsonl").write_text(items.replace("fox", "cat"))
    with pytest.raises(RunError, match="have changed since"):
        contamination(open_run(url), 3)
    (tmp_path / "items.jsonl").unlink()
    with pytest.raises(RunError, match=r"decontaminate: texts: zoo: .*items\.jsonl: no such file"):
        contamination(open_run(url), 3)
    assert command("audit", url, "--json", "--swaps", "0", "--sample", "0").returncode == 0


def test_a_run_without_the_stage_has_nothing_to_tell(tmp_path):
    carry_out(tmp_path / "run")
    with pytest.raises(RunError, match="no stage 'decontaminate'"):
        contamination(open_run(str(tmp_path / "run")), 3)
