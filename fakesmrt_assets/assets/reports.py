"""The report stages: what a person reads, and the audit that every model's lineage is whole."""

from fakesmrt_assets.assets.stage_asset import stage_asset
from fakesmrt_assets.stages import corpus_report as corpus_report_stage
from fakesmrt_assets.stages import eval_report as eval_report_stage
from fakesmrt_assets.stages import lineage_audit as lineage_audit_stage
from fakesmrt_assets.stages import model_card as model_card_stage
from warehouse.stages.stage import StageContext, StageReport


@stage_asset(
    "reports/corpus_report",
    after=["corpus/search_index", "corpus/source_file", "corpus/training_chunk"],
    kinds={"html", "duckdb"},
    code=corpus_report_stage.CODE,
)
def corpus_report(context: StageContext) -> StageReport:
    """One row is a corpus with what was read, kept and dropped, and why; the report is a page with
    pictures.

    It exists because a data set is judged by looking at what its rules removed.
    """
    return corpus_report_stage.run(context)


@stage_asset(
    "reports/eval_report",
    after=["models/mixed_model"],
    kinds={"pytorch", "html", "duckdb"},
    code=eval_report_stage.CODE,
)
def eval_report(context: StageContext) -> StageReport:
    """One row is a metric of a model on a suite, with its interval: members, mix and baselines side by
    side.

    It exists because bits per byte on unseen documents, against an n-gram model, says whether training
    was worth it.
    """
    return eval_report_stage.run(context)


@stage_asset(
    "reports/model_card",
    after=["corpus/source_file", "models/promoted_model", "reports/eval_report"],
    kinds={"html", "duckdb"},
    code=model_card_stage.CODE,
)
def model_card(context: StageContext) -> StageReport:
    """One row is a promoted model with its size, its data, their licences and its figures, as a page.

    It exists so that a model never travels without what it was made of.
    """
    return model_card_stage.run(context)


@stage_asset(
    "reports/lineage_audit", after=["models/promoted_model"], kinds={"duckdb"}, code=lineage_audit_stage.CODE
)
def lineage_audit(context: StageContext) -> StageReport:
    """One row is a model with the number of tokens that lead back to a chunk, a file and a licence.

    It exists because a lineage that nobody counts is a lineage that breaks.
    """
    return lineage_audit_stage.run(context)


REPORT_ASSETS = [corpus_report, eval_report, model_card, lineage_audit]
