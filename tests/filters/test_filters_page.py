"""docs/filters.md says what the filters are; it goes stale unless it is held to them."""

from pathlib import Path

import pytest

import filters

PAGE = (Path(__file__).parents[2] / "docs" / "filters.md").read_text("utf-8")


@pytest.mark.parametrize("stage", filters.STAGES, ids=lambda stage: stage.name)
def test_page_names_columns_and_settings(stage):
    settings = set(stage.model_fields) - {"max_failed_fraction"}
    expected = {f"`{name}`" for name in (stage.name, *settings, *(field.name for field in stage.writes))}
    assert {name for name in expected if name not in PAGE} == set()


def test_table_shows_the_default_thresholds():
    table = [line.split("|") for line in PAGE.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    shown = {cells[1].strip(" `"): cells[5] for cells in table}
    assert set(shown) == {stage.name for stage in filters.STAGES}
    for stage in filters.STAGES:
        for name, field in stage.model_fields.items():
            if (field.json_schema_extra or {}).get("decides") and name != "max_failed_fraction":
                default = field.default if isinstance(field.default, str) else "null"
                default = f"{field.default:g}" if isinstance(field.default, int | float) else default
                assert f"`{name}` {default}" in shown[stage.name]
