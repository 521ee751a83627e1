"""Small finished runs whose every count is known."""

import yaml

from curate.recipe import parse_recipe
from tests.run.lines import carry_out

PEOPLE = 60
"""Captions of each kind below."""


def captions():
    """Of each group as many: about a gay couple, a Muslim woman, a cat; every second one is short."""
    for number in range(PEOPLE):
        tail = "" if number % 2 else " stands in front of a house with a garden"
        yield f"http://one.example/{number}", f"a gay couple {number}{tail}"
        yield f"http://two.example/{number}", f"a Muslim woman {number}{tail}"
        yield f"http://site{number}.example/", f"a cat {number} by Jane Smith, jane.smith@example.com{tail}"


def recipe(folder, *stages, **sink):
    (folder / "list.csv").write_text("url,caption\n" + "".join(f'{u},"{c}"\n' for u, c in captions()))
    tree = {
        "name": "people", "source": {"urls": {"path": str(folder / "list.csv"), "partition_size": 50}},
        "stages": list(stages), "sink": {"webdataset": {"samples_per_shard": 40, **sink}},
    }  # fmt: skip
    return parse_recipe(yaml.safe_dump(tree).encode(), "people.yaml")


def finished(folder, *stages):
    """Carry a recipe out; return its URL."""
    carry_out(folder / "run", recipe(folder, *stages))
    return str(folder / "run")
