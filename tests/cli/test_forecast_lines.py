"""What `--dry-run` says of memory."""

import pytest

from curate.cli.presets import run_forecast
from tests.train.shapes import shapes, write_run


@pytest.mark.parametrize(
    ("preset", "said"),
    [("llava-tiny", "GiB for activations of its language model"), ("blip2-stage1-tiny", "are not estimated")],
)
def test_memory_that_is_not_known_is_not_called_none(tmp_path, capsys, preset, said):
    run = write_run(str(tmp_path / "run"), shapes())
    run_forecast(preset, [run], [], as_json=False)
    memory = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("memory"))
    assert said in memory
    assert "0.00 GiB for activations" not in memory
