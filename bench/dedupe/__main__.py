"""Run as `python -m bench.dedupe [--quick] [PART ...]`: one JSON object a line."""

import argparse
import importlib
import pkgutil

import bench.dedupe

PARTS = sorted(m.name.removeprefix("of_") for m in pkgutil.iter_modules(bench.dedupe.__path__) if m.name[:3] == "of_")
"""`of_NAME.py` has a function `comparisons(quick)` that yields a Comparison for each line."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dedupe", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small samples: all parts end within minutes")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}  [default: all]")
    options = parser.parse_args()
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"no part named {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in options.parts or PARTS:
        part = importlib.import_module(f"bench.dedupe.of_{name}")
        for line in part.comparisons(options.quick):
            print(line.spelled().replace('"bench": "privacy"', '"bench": "dedupe"'), flush=True)


if __name__ == "__main__":
    main()
