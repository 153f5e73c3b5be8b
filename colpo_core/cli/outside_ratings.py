"""Statistics of reader studies without the store: analysing ratings, and planning how many are needed."""

from pathlib import Path
from typing import Any

import click

from colpo_core.cli.option_types import EXISTING_FILE, NEW_FILE, WordType, take_fields
from colpo_core.cli.output import Answer, answer, errors_as_sentences, note, query
from colpo_core.exchange.rating_report import rating_text
from colpo_core.records.statistics.multi_reader_figures import U_STATISTIC, Covariance
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.services.studies.outside_ratings import analyse_ratings, write_analysis
from colpo_core.studies.analysis_options import AnalysisOptions
from colpo_core.studies.power import Assumed, estimate_power
from colpo_core.studies.roe_metz import RoeMetz


@click.command()
@click.argument("ratings", type=EXISTING_FILE, metavar="RATINGS")
@click.option("--json", "out", type=NEW_FILE, metavar="OUT.json", help="Write every figure into this file too.")
@click.option("--threshold", type=float, help="A rating from here on is a positive call.")
@click.option(
    "--covariance",
    type=click.Choice([*(method.value for method in Covariance), U_STATISTIC]),
    default=Covariance.DELONG.value,
    show_default=True,
    help="How the covariance of the readers' figures is estimated; u-statistic takes every rating, also where readers "
    "differ between treatments.",
)
@click.option("--arm", "arms", multiple=True, metavar="TREATMENT", help="Only these treatments, in this order.")
@click.option("--model", metavar="TREATMENT", help="This treatment's single reader is a model to compare with.")
@click.option(
    "--model-threshold",
    type=float,
    help="A rating of the model from here on is a positive call; the readers' threshold where it fits both scales.",
)
@click.option("--prevalence", type=float, help="Give predictive values at this prevalence too.")
@click.option(
    "--margin", type=float, help="Margin of non-inferiority of the first treatment to the second, or the model."
)
@click.option(
    "--endpoint",
    type=WordType(Endpoint),
    default=Endpoint.AUC,
    show_default=True,
    help="What the margin is of; all but the area need a threshold.",
)
@click.option(
    "--patient",
    "patient_column",
    metavar="COLUMN",
    help="This column tells whose case it is: where patients have several cases, patients are counted.",
)
@click.option(
    "--patient-from-case",
    is_flag=True,
    help="The patient is the case's name without what follows its last _ - . or blank, such as W1 of W1_img2.",
)
@click.option(
    "--keep-names",
    is_flag=True,
    help="Names that differ by capitals, blanks or leading zeros alone are different names, not slips.",
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="1 minus the intervals' confidence.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstraps.")
@errors_as_sentences()
def analyse(ratings: Path, out: Path | None, covariance: str, **given: Any) -> None:  # noqa: ANN401 - see the options
    """Analyse the ratings of readers who have read the same cases, from any reader study.

    RATINGS has the columns reader, treatment, case, truth (0 or 1, or no or yes, normal or hsil) and rating; more
    columns are passed over. It is CSV with commas, semicolons or tabs, or an Excel workbook (.xlsx). Where cases are
    images or visits, and a patient has several, name the column of patients: without it each case is taken as a patient
    of its own. Nothing is read from the store or written to it.
    """
    options = AnalysisOptions(
        covariance=Covariance.DELONG if covariance == U_STATISTIC else Covariance(covariance),
        u_statistic=covariance == U_STATISTIC,
        **take_fields(AnalysisOptions, given),
    )
    analysis = analyse_ratings(ratings, options, progress=lambda what: note(f"… {what}"), **given)
    if out is not None:
        write_analysis(analysis, out)
    click.echo(rating_text(analysis))


@query(of_store=False)
@click.option(
    "--assumed",
    "figures",
    type=float,
    nargs=2,
    required=True,
    help="What is assumed of the endpoint in both arms, or of the model and then of the readers.",
)
@click.option("--endpoint", type=WordType(Endpoint), default=Endpoint.AUC, show_default=True)
@click.option("--standalone", is_flag=True, help="The first is a model that judges by itself, not an arm of readers.")
@click.option("--margin", type=float, help="Show that the first is not worse by more than this, not a difference.")
@click.option(
    "--readers", "n_readers", type=int, required=True, help="Readers, each of whom reads every case in each arm."
)
@click.option("--positive", "n_positive", type=int, required=True, help="Cases with the condition.")
@click.option("--negative", "n_negative", type=int, required=True, help="Cases without it.")
@click.option(
    "--reader-variance",
    type=click.FloatRange(0, 10),
    default=0.03,
    show_default=True,
    help="How much readers differ, and arms by readers: 0.0055 little, 0.03 as usual near an area of 0.86.",
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Two-sided level of the test.")
@click.option("--studies", type=int, default=1000, show_default=True, help="How many studies are simulated.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the simulation.")
def power(reader_variance: float, studies: int, seed: int, **design: Any) -> Answer:  # noqa: ANN401 - what is assumed
    """Tell how likely a study is to find what is assumed.

    Ratings are simulated by the model of Roe and Metz and analysed as by `analyse`, for other readers and other cases.
    """
    assumed = Assumed(model=RoeMetz(reader=reader_variance, arm_reader=reader_variance), **design)
    return answer(
        estimate_power(assumed, studies=studies, seed=seed),
        lambda power: click.echo(f"power by simulation {power.simulated.text()}, by formula {power.by_formula:.1%}"),
    )
