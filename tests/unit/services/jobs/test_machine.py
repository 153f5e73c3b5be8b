import subprocess
import sys

from colpo_core.services.jobs.machine import this_machine


def test_every_process_of_the_machine_calls_it_the_same() -> None:
    code = "from colpo_core.services.jobs.machine import this_machine; print(this_machine())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert told == this_machine()
    assert 0 < len(told) <= 120
