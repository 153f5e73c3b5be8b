"""A worker process that keeps its unfinished work after every step, so that it can be killed at any of them.

python -m tests.keeping JOB
"""

import sys

from colpo_core.services import runner
from colpo_core.services.opening import open_store
from colpo_core.training.shelf import Shelf


def main() -> None:
    defaults = Shelf.__init__.__kwdefaults__
    defaults["keep_every_s"] = 0.0
    sys.exit(runner.run_job(open_store(), int(sys.argv[1])))


if __name__ == "__main__":
    main()
