"""Versions of code: a hash of what modules compute, so that a stage knows that its code has changed.

What lives here: that hash. What does not: which modules decide a stage's result, which the stage says.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from warehouse.database import query
from warehouse.errors import InvalidConfiguration
from warehouse.files import file_sha256
from warehouse.identity import fingerprint

QUERY_FUNCTIONS = {"query", "run_script"}
"""Calls that name a file of ``warehouse/queries``."""


def _query_texts(tree: ast.AST) -> list[str]:
    """The SQL that a module names: text of the queries whose names stand in its calls."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {
        argument.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in QUERY_FUNCTIONS
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    return [query(name) for name in sorted(named)]


def _normalised_source(path: Path) -> str:
    """What a module computes: its syntax without comments and docstrings, and the SQL that it names."""
    tree = ast.parse(path.read_text())
    queries = _query_texts(tree)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [
                child
                for child in body
                if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant))
            ]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]  # every node with a list named body takes one
    return ast.dump(tree) + "".join(queries)


def _sources(name: str) -> list[tuple[str, str]]:
    """File names and contents of a module, a package, or a folder of templates."""
    spec = find_spec(name)
    if spec is None:
        raise InvalidConfiguration(f"There is no module {name}", "Reinstall fakesmrt")
    if spec.origin is None:
        folders = [Path(folder) for folder in spec.submodule_search_locations or []]
        paths = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
        return [(path.name, path.read_text()) for path in paths]
    origin = Path(spec.origin)
    parts = sorted(origin.parent.rglob("*")) if spec.submodule_search_locations else [origin]
    return [(path.name, _content(path)) for path in parts if path.is_file() and path.suffix != ".pyc"]


def _content(path: Path) -> str:
    """What a file of a package computes, or decides as data: tables decide encodings as code does."""
    return _normalised_source(path) if path.suffix == ".py" else file_sha256(path).hex()


@lru_cache
def code_version(*modules: str) -> str:
    """Hash of what the named modules and packages compute, their data, SQL and templates included.

    Comments and docstrings of Python do not count.
    """
    parts = [part for name in sorted(modules) for source in _sources(name) for part in source]
    return fingerprint(*parts)
