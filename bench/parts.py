"""Benchmarks of several parts: a package whose files `of_NAME.py` have `comparisons(quick)`, one Comparison a line."""

import argparse
import importlib
import pkgutil
from types import ModuleType


def carry_out(package: ModuleType) -> None:
    """Measure the parts that the command line names, all where it names none; print one JSON object a line."""
    bench = package.__name__.rpartition(".")[2]
    there = sorted(m.name.removeprefix("of_") for m in pkgutil.iter_modules(package.__path__) if m.name[:3] == "of_")
    parser = argparse.ArgumentParser(prog=f"python -m {package.__name__}", description=package.__doc__)
    parser.add_argument("--quick", action="store_true", help="small samples: all parts end within minutes")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(there)}  [default: all]")
    options = parser.parse_args()
    unknown = sorted(set(options.parts) - set(there))
    if unknown:
        parser.error(f"no part named {', '.join(unknown)}; there are {', '.join(there)}")
    for name in options.parts or there:
        for line in importlib.import_module(f"{package.__name__}.of_{name}").comparisons(options.quick):
            print(line.spelled(bench), flush=True)
