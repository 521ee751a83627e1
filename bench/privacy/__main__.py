"""Run as `python -m bench.privacy [--quick] [PART ...]`: one JSON object a line."""

import bench.privacy
from bench.parts import carry_out

carry_out(bench.privacy)
