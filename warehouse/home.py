"""Where everything lies (DESIGN §3): the folders of one home.

What lives here: paths. What does not: what is in the files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import InputUnreadable


def default_home() -> Path:
    """$FAKESMRT_HOME; else ``data/`` beside ``workspace.yaml`` in a checkout; else ``~/.local/share/fakesmrt``."""
    named = os.environ.get("FAKESMRT_HOME")
    if named:
        return Path(named).expanduser().absolute()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "workspace.yaml").is_file():
        return checkout / "data"
    return Path.home() / ".local" / "share" / "fakesmrt"


@dataclass(frozen=True)
class Home:
    """One home; every path in it. `root` is absolute."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Symlink to the newest published copy."""
        return self.root / "published.duckdb"

    @property
    def published_versions(self) -> Path:
        return self.root / "published"

    @property
    def text(self) -> Path:
        return self.root / "text"

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def references(self) -> Path:
        return self.root / "references"

    @property
    def tokens(self) -> Path:
        return self.root / "tokens"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def recipes(self) -> Path:
        """The user's own recipes."""
        return self.root / "recipes"

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"

    @property
    def temporary(self) -> Path:
        """Where DuckDB spills and stages keep what outlives no run."""
        return self.root / "temporary"

    def folders(self) -> tuple[Path, ...]:
        """Every folder that `fakesmrt init` makes."""
        return (
            self.published_versions, self.text, self.index, self.references, self.tokens,
            self.models, self.reports, self.recipes, self.raw, self.dagster, self.temporary,
        )  # fmt: skip

    def require(self) -> None:
        """Raise `InputUnreadable` unless this home was initialised."""
        if not self.database.is_file():
            raise InputUnreadable(f"There is no fakesmrt home at {self.root}", "Make one with: fakesmrt init")
