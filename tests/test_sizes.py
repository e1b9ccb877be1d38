"""The house stays readable: modules and functions have ceilings, and nothing is left unannotated (mypy) or unsaid (ruff)."""

import ast
from pathlib import Path
from statistics import median

SOURCE = Path(__file__).parents[1] / "src" / "kithe"
MODULES = {file: file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py")}


def lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


def functions() -> dict[str, int]:
    found = {}
    for file, text in MODULES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = body[-1].end_lineno - body[0].lineno + 1 if body else 1
                found[f"{file.relative_to(SOURCE)}:{node.name}:{node.lineno}"] = length
    return found


def test_modules() -> None:
    sizes = {str(file.relative_to(SOURCE)): lines(text) for file, text in MODULES.items() if file.name != "__init__.py"}
    assert {name: size for name, size in sizes.items() if size > 400} == {}
    assert median(sizes.values()) <= 120


def test_functions() -> None:
    sizes = functions()
    assert {name: size for name, size in sizes.items() if size > 60} == {}
    assert median(sizes.values()) <= 10


def test_comments_are_few() -> None:
    comments = sum(line.strip().startswith("#") for text in MODULES.values() for line in text.splitlines())
    assert comments / sum(map(lines, MODULES.values())) <= 0.06


def test_nothing_is_left_undone() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")
    assert [file.name for file, text in MODULES.items() for mark in marks if mark in text] == []


def test_no_pickle_and_no_foreign_code() -> None:
    banned = ("import pickle", "trust_remote_code=True", "weights_only=False")
    assert [(file.name, word) for file, text in MODULES.items() for word in banned if word in text] == []
