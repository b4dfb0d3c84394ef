"""What a run can be configured with: the home it works in and the settings of the build.

What lives here: the two Dagster resources; the launchpad shows their fields. What does not: what a setting
does (``warehouse/stages/stage.py``).
"""

import dagster as dg
from pydantic import Field

from warehouse.database import Warehouse
from warehouse.home import Home, default_home
from warehouse.stages.stage import BuildSettings

DEFAULTS = BuildSettings()


class HomeResource(dg.ConfigurableResource[Home]):
    """The home; its folders and its Training Database."""

    root: str = Field(
        default="",
        description="Absolute path of the home; empty means $FAKESMRT_HOME, else the default home.",
    )

    def home(self) -> Home:
        """The paths of the home, which need not exist yet."""
        from pathlib import Path

        return Home(Path(self.root).absolute() if self.root else default_home())

    def warehouse(self) -> Warehouse:
        """The Training Database.

        Raises:
            InputUnreadable: there is no home yet.
        """
        home = self.home()
        home.require()
        return Warehouse(home)


class BuildResource(dg.ConfigurableResource[BuildSettings]):
    """The settings of a build, shared by every stage of a run."""

    recipe: str = Field(default=DEFAULTS.recipe, description="Name of the recipe.")
    corpora: list[str] = Field(
        default=list(DEFAULTS.corpora), description="Corpora that the run is restricted to; empty means all."
    )
    replicates: int = Field(
        default=DEFAULTS.replicates, description="Micromodels to train, each on its own bootstrap replicate."
    )
    minutes: float = Field(
        default=DEFAULTS.minutes, description="Training budget of one micromodel, minutes."
    )
    steps: int | None = Field(
        default=DEFAULTS.steps, description="Training budget of one micromodel in steps, in place of minutes."
    )
    new_references: bool = Field(
        default=DEFAULTS.new_references,
        description="Train the pinned tokenizers and the n-gram reference anew.",
    )
    workers: int | None = Field(
        default=DEFAULTS.workers, description="Worker processes of the corpus stages; empty means one a core."
    )
    independent: bool = Field(
        default=DEFAULTS.independent,
        description="Micromodels start anew instead of branching from a common trunk; such can be a perplexity "
        "reference.",
    )

    def settings(self) -> BuildSettings:
        """The same values as a plain dataclass, for the floors below."""
        return BuildSettings(
            recipe=self.recipe,
            corpora=tuple(self.corpora),
            replicates=self.replicates,
            minutes=self.minutes,
            steps=self.steps,
            new_references=self.new_references,
            workers=self.workers,
            independent=self.independent,
        )
