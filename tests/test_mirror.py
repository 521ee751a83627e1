"""Tests stand where the code stands: the modules of curate/fetch/ are tested by files in tests/fetch/.

A module counts as tested if a test of its room imports it, or reaches it through modules of the same room.
"""

import ast
from pathlib import Path

import grimp
import pytest

TESTS = Path(__file__).parent
TESTED_ELSEWHERE = {
    "curate.builtin": "tests/contract/test_stages.py",
    "filters": "tests/contract/test_stages.py",
}
"""Modules that the tests of their room do not reach, each with the test file that holds it."""


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("curate", "filters")


def room_of(module):
    """The folder a module belongs to: curate.fetch.jpeg lives in curate.fetch, curate.errors in a room of its own."""
    parts = module.split(".")
    return parts[0] if parts[0] == "filters" else ".".join(parts[:2])


def files_testing(room):
    """The files that may test a room: its folder and its file; a room that is one module may be tested anywhere."""
    name = room.rpartition(".")[2]
    own = [*(TESTS / name).rglob("*.py"), *TESTS.glob(f"test_{name}.py")]
    return own or sorted(TESTS.rglob("test_*.py"))


def imported_by(path):
    """Dotted names that a file imports, submodules included."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def reached(graph, room):
    """Modules of a room that its tests import, directly or through the room's own modules."""
    todo = {name for path in files_testing(room) for name in imported_by(path) if name in graph.modules}
    found = set()
    while todo:
        module = todo.pop()
        if module not in found and room_of(module) == room:
            found.add(module)
            todo |= {module.rpartition(".")[0], *graph.find_modules_directly_imported_by(module)} & graph.modules
    return found


def test_every_module_is_tested_in_its_room(graph):
    rooms = {room_of(module) for module in graph.modules} - {"curate"}
    tested = {module for room in rooms for module in reached(graph, room)}
    assert graph.modules - tested - {"curate"} - TESTED_ELSEWHERE.keys() == set()


def test_the_files_named_as_testing_elsewhere_exist():
    assert [test for test in TESTED_ELSEWHERE.values() if not (TESTS.parent / test).exists()] == []
