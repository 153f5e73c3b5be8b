"""The one way into `colpo_core.cluster`: its parts by name, loaded when the settings of a store ask for them.

So the program on one machine imports nothing that only several machines need, and needs none of their packages.
"""

from enum import StrEnum
from pkgutil import resolve_name
from typing import Any


class ClusterPart(StrEnum):
    """A part of the cluster package, by module and name; what it is a kind of stands beside it."""

    PROCRASTINATE_JOBS = "colpo_core.cluster.procrastinate_jobs:ProcrastinateJobs"  # services.jobs.engine.ClusterJobs
    RAY_JOBS = "colpo_core.cluster.ray_jobs:RayJobs"  # services.jobs.engine.ClusterJobs
    RAY_BACKEND = "colpo_core.cluster.ray_backend:ray_backend"  # gives a training.contract.FitBackend
    SHARED_FILES = "colpo_core.cluster.shared_files:FsspecFiles"  # store.shared_files.SharedFiles
    SHARED_BLOBS = "colpo_core.cluster.shared_blobs:SharedBlobs"  # store.blobs.BlobFolder
    SHARED_WORK = "colpo_core.cluster.shared_work:SharedWork"  # services.jobs.files.SharedJobFiles


def load_part(part: ClusterPart) -> Any:  # noqa: ANN401 - each part has a type of its own
    """Import a part; its optional packages are imported with it.

    Raises:
        ImportError: One of its packages is not installed.
    """
    return resolve_name(part.value)
