"""Sums over the processes of a fit, by which each of them has the loss of the whole batch.

Source: Li et al. 2020, PyTorch Distributed (all-reduce).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed


def sum_over_processes() -> Callable[[Tensor], Tensor] | None:
    """Adds a tensor up over all processes of a fit, with its gradient; None in a fit of one process.

    A loss made of such sums is the loss of the whole batch in every process. Every process must add up the same
    tensors in the same order, so it is for learning alone: only the first process judges.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return None
    return _summed


class _AllReduceSum(torch.autograd.Function):
    """The sum over all processes. Each has the same loss of it, and the gradients are averaged afterwards."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:  # noqa: ANN401 - torch's own, without a type
        total = value.detach().clone().contiguous()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        return _AllReduceSum.forward(ctx, gradients[0])


def _summed(value: Tensor) -> Tensor:
    total: Tensor = _AllReduceSum.apply(value)
    return total
