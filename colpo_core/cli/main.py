"""The command line's root: it names the groups; each group has a file of its own."""

import click

from colpo_core import __version__
from colpo_core.cli import (
    agreement,
    analysing,
    annotations,
    cases,
    importing,
    jobs,
    learning,
    overview,
    people,
    preferences,
    reproducing,
    review,
    serving,
    studies,
    tasks,
    training,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="colpodesk")
def main() -> None:
    """ColpoDesk without a screen: every step of the program as a command.

    COLPO_DATA names the folder of the store (default: data). Whoever may run commands on this machine acts as its
    operator, with an administrator's rights; every deed is in the log.
    """


for command in (
    serving.demo,
    serving.serve,
    people.people,
    importing.import_group,
    cases.cases,
    annotations.annotations,
    agreement.agreement,
    agreement.adjudications,
    agreement.adjudicate,
    tasks.tasks,
    cases.histology,
    preferences.preferences,
    learning.snapshot,
    training.train,
    training.look_ahead,
    training.retraining,
    reproducing.reproduce,
    jobs.jobs,
    learning.checkpoints,
    jobs.predict,
    jobs.worker,
    review.review,
    studies.studies,
    analysing.analyse,
    analysing.power,
    overview.worklist,
    overview.dashboard,
    overview.status,
    overview.store_group,
    jobs.run_job,
):
    main.add_command(command)
