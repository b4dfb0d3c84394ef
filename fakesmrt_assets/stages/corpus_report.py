"""Stage reports/corpus_report: a page on what was read, kept and dropped, and why."""

from __future__ import annotations

from fakesmrt_assets.reports.corpus import collect_corpus_report, corpus_report_html
from fakesmrt_assets.reports.page import write_report
from warehouse.database import scalar
from warehouse.stages.stage import StageContext, StageReport, StageRun, input_versions

ASSET = "reports/corpus_report"
CODE = ("fakesmrt_assets.reports", "fakesmrt_assets.templates", "fakesmrt_assets.stages.corpus_report")


def version(context: StageContext) -> StageRun:
    """What the stage would be made from now."""
    recipe = context.settings.recipe
    # The word index too, though the page does not show it: this stage publishes it.
    inputs = input_versions(
        context, {"corpus/training_chunk": recipe, "corpus/search_index": recipe, "corpus/source_file": ""}
    )
    return StageRun(context, ASSET, recipe, inputs, CODE)


def run(context: StageContext) -> StageReport:
    """Write the recipe's corpus report as HTML and JSON."""
    stage = version(context)
    if stage.up_to_date():
        last = stage.last()
        return stage.report(last.n_rows if last else 0, {}, up_to_date=True)
    home, recipe = context.warehouse.home, context.settings.recipe
    with context.warehouse.read() as connection:
        data = collect_corpus_report(connection, home, recipe)
        n_rows = scalar(connection, "SELECT count(*) FROM corpus.corpus")
    page = write_report(home.reports, f"corpus_report-{recipe}", corpus_report_html(data), data)
    with context.warehouse.write("recording the corpus report") as connection:
        stage.record(connection, n_rows)
    context.warehouse.publish()
    return stage.report(n_rows, {"page": str(page)})
