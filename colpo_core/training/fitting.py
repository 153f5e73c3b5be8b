"""Fit a network: in this process, or shared out among several."""

from colpo_core.training.contract import FitBackend, FitRequest, FitResult
from colpo_core.training.distributed import LocalProcesses
from colpo_core.training.loop import fit_in_this_process


def fit(request: FitRequest, *, backend: FitBackend | None = None) -> FitResult:
    """Train a network in place and leave it with the weights of its best epoch, in eval mode.

    Where the hardware has several devices, each has a process that learns from its share of every batch; see
    `distributed`. There are never more of them than images in a batch.

    Args:
        request: The fit.
        backend: Starts the processes where there are several; None starts them on this machine.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more, or a process failed.
    """
    processes = min(request.hardware.devices, request.objective.count, request.hyperparameters.batch_size)
    if processes > 1:
        return (backend or LocalProcesses()).fit(request, processes=processes)
    return fit_in_this_process(request)
