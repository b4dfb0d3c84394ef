"""Stage reports/model_card: what the model in use is, what it was made of, and under which licences."""

from __future__ import annotations

from fakesmrt_assets.reports.model_card import collect_model_card, model_card_markdown
from fakesmrt_assets.reports.page import write_report
from fakesmrt_assets.stages import eval_report, promoted_model
from warehouse.errors import CheckFailed
from warehouse.stages.source_file import LICENCES
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions, recorded_inputs

ASSET = "reports/model_card"
CODE = ("fakesmrt_assets.reports", "fakesmrt_assets.templates", "fakesmrt_assets.stages.model_card")


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.settings.recipe
    inputs = {
        **input_versions(context, {promoted_model.ASSET: recipe, eval_report.ASSET: recipe}),
        **recorded_inputs(context, "corpus/source_file", [LICENCES]),
    }
    return StageRun(context, ASSET, recipe, inputs, CODE)


def run(context: StageContext) -> StageReport:
    """Write the card of the promoted model as Markdown and JSON."""
    stage = version(context)
    if stage.up_to_date():
        return stage.report(1, {}, up_to_date=True)
    promoted = promoted_model.promoted_row(context)
    if promoted is None:
        raise CheckFailed("No model is promoted yet", "Run: fakesmrt build models")
    home = context.warehouse.home
    with context.warehouse.read() as connection:
        data = collect_model_card(connection, context.settings.recipe)
    page = write_report(
        home.reports, f"model_card-{promoted.experiment}", model_card_markdown(data), data, suffix=".md"
    )
    with context.warehouse.write("recording the model card") as connection:
        stage.record(connection, 1)
    context.warehouse.publish()
    return stage.report(1, {"experiment": promoted.experiment, "page": str(page)})
