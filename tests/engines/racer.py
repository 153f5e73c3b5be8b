"""A process that claims and ends whatever job it can get, until all are over; it prints how many it got.

    python -m tests.engines.racer SEED

The store is that of the environment.
"""

import os
import random
import sys

from sqlalchemy import select

from colpo_core.records.jobs.results import EvaluationResult
from colpo_core.services.common.store_access import open_store
from colpo_core.services.jobs.leases import claim_job
from colpo_core.services.jobs.machine import this_machine
from colpo_core.store.tables import Job
from colpo_core.terms import JobState


def main() -> None:
    store = open_store()
    chance = random.Random(int(sys.argv[1]))  # noqa: S311 - a race, no secret
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    got = 0
    while True:
        with store.reading() as session:
            waiting = list(session.scalars(select(Job.id).where(Job.state == JobState.QUEUED)))
        if not waiting:
            break
        # All of them run for the same few, so that they meet.
        job_id = chance.choice(waiting[:5])
        lease = claim_job(store, job_id, host=this_machine(), pid=os.getpid())
        if lease is not None:
            lease.complete(lambda _session, _job: EvaluationResult(os.getpid()))
            got += 1
    sys.stdout.write(f"{got}\n")
    store.close()


if __name__ == "__main__":
    main()
