"""What a clinic, a group of hospitals and a screening archive need a year: storage, hours of computing, rows.

    python -m benchmarks.cost_model
    python -m benchmarks.cost_model --images-a-case 5 --bytes-an-image 800000

Each line of the table is the arithmetic of `demand`, from assumptions that are arguments.
"""

import argparse
from dataclasses import dataclass

from benchmarks.shared import print_heading, print_row

SIZES = {"clinic": 2_000, "large clinic": 20_000, "group of hospitals": 200_000, "screening archive": 2_000_000}
"""Cases a year."""


@dataclass(frozen=True)
class Assumptions:
    """What is taken as given.

    Attributes:
        images_a_case: Photographs.
        bytes_an_image: A photograph as it is stored.
        bytes_a_prediction: Mask, probabilities, four maps and features of a predicted image.
        bytes_of_rows_a_case: What a case takes in the database with its indexes.
        seconds_an_image_cpu: To predict one on two processors (ResNet-18, at 640 x 480).
        seconds_an_image_gpu: The same on one GPU: assumed, not measured.
        labelled_share: Cases with histology, which trainings learn from.
        epochs: Of segmenter and classifiers together, over all stages of a training with the preset `standard`.
        seconds_a_step_image_gpu: To learn from one image once on one GPU: assumed, not measured.
        trainings_a_year: By schedule.
    """

    images_a_case: float = 3.0
    bytes_an_image: float = 400e3
    bytes_a_prediction: float = 150e3
    bytes_of_rows_a_case: float = 6e3
    seconds_an_image_cpu: float = 2.1
    seconds_an_image_gpu: float = 0.02
    labelled_share: float = 0.3
    epochs: float = 700.0
    seconds_a_step_image_gpu: float = 0.01
    trainings_a_year: float = 4.0


@dataclass(frozen=True)
class Demand:
    """What a year takes.

    Attributes:
        cases_a_day: On 250 days.
        files_gb: Photographs and predictions.
        rows_gb: The database.
        predicting_cpu_hours: All images once, on two processors.
        predicting_gpu_hours: The same on one GPU.
        training_gpu_hours: All trainings of the year.
    """

    cases_a_day: float
    files_gb: float
    rows_gb: float
    predicting_cpu_hours: float
    predicting_gpu_hours: float
    training_gpu_hours: float


def demand(cases: float, given: Assumptions) -> Demand:
    """The arithmetic."""
    images = cases * given.images_a_case
    learned = images * given.labelled_share
    return Demand(
        cases_a_day=cases / 250,
        files_gb=images * (given.bytes_an_image + given.bytes_a_prediction) / 1e9,
        rows_gb=cases * given.bytes_of_rows_a_case / 1e9,
        predicting_cpu_hours=images * given.seconds_an_image_cpu / 3600,
        predicting_gpu_hours=images * given.seconds_an_image_gpu / 3600,
        training_gpu_hours=learned * given.epochs * given.seconds_a_step_image_gpu * given.trainings_a_year / 3600,
    )


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in vars(Assumptions()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value)
    given = Assumptions(**vars(parser.parse_args()))
    head = ("", "cases a year", "a day", "files, GB", "database, GB", "predicting: CPU h", "GPU h", "training: GPU h")
    print_heading(*head)
    for name, cases in SIZES.items():
        figures = (cases, *vars(demand(cases, given)).values())
        print_row(name, *(f"{figure:,.0f}" for figure in figures))


if __name__ == "__main__":
    main()
