"""A floor uses what is below it and never what is above; the imports say whether that holds."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = {
    "warehouse": {"dagster", "torch", "fakesmrt_models", "fakesmrt_assets"},
    "warehouse/tokens": {"dagster", "torch", "duckdb", "pyarrow", "fakesmrt_models", "fakesmrt_assets"},
    "fakesmrt_models": {"dagster", "duckdb", "fakesmrt_assets"},
}


def imported_names(module: Path) -> Iterator[str]:
    """Every module that is imported anywhere in a file, inside functions too."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield str(node.module)


@pytest.mark.parametrize("floor", FORBIDDEN)
def test_floor_imports_nothing_from_above(floor: str) -> None:
    modules = sorted((ROOT / floor).rglob("*.py"))
    assert modules
    wrong = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in modules
        for name in imported_names(module)
        if name.partition(".")[0] in FORBIDDEN[floor]
    ]
    assert wrong == []


def test_model_floor_reaches_only_the_token_room_of_the_ground_floor() -> None:
    """What trains must run where there is no database."""
    shared = {
        "warehouse.tokens",
        "warehouse.errors",
        "warehouse.files",
        "warehouse.identity",
        "warehouse.locks",
        "warehouse.processes",
        "warehouse.progress",
        "warehouse.serving.batches",
        "warehouse.serving.requests",
    }
    wrong = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in sorted((ROOT / "fakesmrt_models").rglob("*.py"))
        for name in imported_names(module)
        if name.startswith("warehouse")
        and not any(name == room or name.startswith(f"{room}.") for room in shared)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["warehouse", "fakesmrt_models", "fakesmrt_assets"])
def test_package_files_hold_no_code(package: str) -> None:
    """But the Data Cleanser's, which is its small Python API."""
    files = set((ROOT / package).rglob("__init__.py")) - {ROOT / "warehouse" / "cleanser" / "__init__.py"}
    full = [
        str(path)
        for path in files
        if any(not is_docstring(node) for node in ast.parse(path.read_text()).body)
    ]
    assert full == []


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_the_cleanser_loads_when_it_is_used() -> None:
    assert not modules_loaded_by("warehouse.cleanser") & {"numpy", "pyarrow", "ftfy", "charset_normalizer"}


def modules_loaded_by(module: str) -> set[str]:
    """Top-level names in sys.modules of a fresh interpreter that imported `module`."""
    script = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


def test_definitions_load_without_torch() -> None:
    loaded = modules_loaded_by("fakesmrt_assets.definitions")
    assert "dagster" in loaded
    assert "torch" not in loaded


def test_what_reads_served_streams_needs_no_database() -> None:
    for module in ("warehouse.serving.client", "fakesmrt_models.training.served"):
        assert "duckdb" not in modules_loaded_by(module)


@pytest.mark.parametrize("module", ["fakesmrt_assets.cli.main", "fakesmrt_assets.cli.cleanser"])
def test_command_line_loads_nothing_heavy(module: str) -> None:
    assert not modules_loaded_by(module) & {"dagster", "torch", "duckdb", "pyarrow"}
