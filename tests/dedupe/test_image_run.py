"""Near-duplicate pictures through a whole run."""

from collections import Counter

import pyarrow as pa
import pytest
import yaml
from PIL import Image

from curate.dedupe import image_near_duplicates
from curate.recipe import parse_recipe
from curate.run.layout import Run
from tests.dedupe.test_image_near_duplicates import COPIES, CROPPED, FLIPPED, encoded, opened
from tests.run.lines import carry_out, counted, fates, never


def recipe(folder, **settings):
    tree = {
        "name": "pictures",
        "source": {"image_folder": {"path": str(folder), "partition_size": 4}},
        "stages": [{"image_near_duplicates": settings}],
        "sink": {"webdataset": {"samples_per_shard": 100}},
    }
    return parse_recipe(yaml.safe_dump(tree).encode(), "pictures.yaml")


def survivors(out):
    """Return {key: key that stands for it} of all that were dropped as copies."""
    work = Run.at(str(out)).work
    tables = [
        pa.ipc.open_file(work.open_native(f"reduce/{stage}/{decision}/{name}")).read_all()
        for stage in work.names("reduce")
        if stage.startswith("image_near_duplicates")
        for decision in work.names(f"reduce/{stage}")
        for name in work.names(f"reduce/{stage}/{decision}")
        if name.startswith("verdict-")
    ]
    return {
        row["key"]: row["survivor"] for table in tables for row in table.to_pylist() if row["key"] != row["survivor"]
    }


CHANGES = {"coarse": COPIES["coarse"], "half": COPIES["half"], "mirrored": FLIPPED["left and right"]}
CHANGES["without its edge"] = CROPPED["bottom, 6 %"]


@pytest.fixture
def folder(tmp_path):
    """Four pictures with four copies each, and a file that is no picture's copy."""
    pictures = {"5": encoded(Image.new("RGB", (60, 60), "teal"))}
    for number in range(4):
        pictures[f"{number} original"] = encoded(opened(number))
        pictures |= {f"{number} {name}": change(opened(number)) for name, change in CHANGES.items()}
    for name, data in pictures.items():
        (tmp_path / f"{name}.jpg").write_bytes(data)
        (tmp_path / f"{name}.txt").write_text(name)
    return tmp_path


@pytest.mark.parametrize(("settings", "copies"), [({}, 2), ({"flips": True}, 3), ({"crops": True}, 3)])
def test_copies_in_a_folder_are_dropped_and_who_stands_for_them_is_known(folder, tmp_path_factory, settings, copies):
    out = tmp_path_factory.mktemp("run")
    carry_out(out, recipe(folder, **settings))
    told = fates(out)
    kept = {key for key, _, event, _ in told if event == "kept"}
    dropped = {key: reason for key, _, event, reason in told if event == "dropped"}
    assert (len(kept), len(dropped)) == (21 - 4 * copies, 4 * copies)
    assert set(dropped.values()) == {"image_near_duplicate"}
    stands = survivors(out)
    assert set(stands) == set(dropped)
    assert set(stands.values()) <= kept
    assert sorted(Counter(stands.values()).values()) == [copies] * 4
    assert counted(out)[("image_near_duplicates", "dropped", "image_near_duplicate")] == 4 * copies


def test_a_moved_radius_decodes_nothing(folder, tmp_path_factory, monkeypatch):
    out = tmp_path_factory.mktemp("run")
    carry_out(out, recipe(folder))
    before = len(survivors(out))
    monkeypatch.setattr(image_near_duplicates, "luminance", never)
    carry_out(out, recipe(folder, radius=0, at_least_quality=60))
    assert before == 8
    kept = [key for key, _, event, _ in fates(out) if event == "kept"]
    assert 21 - before < len(kept) <= 21
