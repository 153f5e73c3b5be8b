"""The command that analyses readers' ratings from outside the store."""

from pathlib import Path

import click

from colpo_core.cli.words import EXISTING_FILE, NEW_FILE
from colpo_core.errors import ColpoError
from colpo_core.exchange.rating_report import rating_text
from colpo_core.records.reader_statistics import Covariance
from colpo_core.services.outside_ratings import analyse_ratings, write_analysis
from colpo_core.studies.rating_analysis import AnalysisOptions


@click.command()
@click.argument("ratings", type=EXISTING_FILE, metavar="RATINGS.csv")
@click.option("--json", "out", type=NEW_FILE, metavar="OUT.json", help="Write every figure into this file too.")
@click.option("--threshold", type=float, help="A rating from here on is a positive call.")
@click.option(
    "--covariance",
    type=click.Choice([one.value for one in Covariance]),
    default=Covariance.DELONG.value,
    show_default=True,
    help="How the covariance of the readers' areas is estimated.",
)
@click.option("--arm", "arms", multiple=True, metavar="TREATMENT", help="Only these treatments, in this order.")
@click.option("--model", metavar="TREATMENT", help="This treatment's single reader is a model to compare with.")
@click.option("--prevalence", type=float, help="Give predictive values at this prevalence too.")
@click.option("--margin", type=float, help="Margin of non-inferiority of the first treatment's area to the second's.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="1 minus the intervals' confidence.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstraps.")
def analyse(
    ratings: Path,
    out: Path | None,
    threshold: float | None,
    covariance: str,
    arms: tuple[str, ...],
    model: str | None,
    prevalence: float | None,
    margin: float | None,
    alpha: float,
    seed: int,
) -> None:
    """Analyse the ratings of readers who have read the same cases, from any reader study.

    RATINGS.csv has the columns reader, treatment, case, truth (0 or 1) and rating; more columns are ignored. Cases are
    taken as independent: one case a patient. Nothing is read from the store or written to it.
    """
    try:
        options = AnalysisOptions(
            threshold=threshold,
            covariance=Covariance(covariance),
            prevalence=prevalence,
            margin=margin,
            alpha=alpha,
            model=model,
            seed=seed,
        )
        found = analyse_ratings(ratings, options, arms=arms)
        if out is not None:
            write_analysis(found, out)
    except ColpoError as error:
        raise click.ClickException(str(error)) from error
    click.echo(rating_text(found))
