"""Run as `python -m bench.dedupe [--quick] [PART ...]`: one JSON object a line."""

import bench.dedupe
from bench.parts import carry_out

carry_out(bench.dedupe)
