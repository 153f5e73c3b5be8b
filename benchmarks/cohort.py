"""The dashboard over a thousand and over a hundred thousand cases: server time of each tab, first and again.

    python -m benchmarks.cohort
    python -m benchmarks.cohort --cases 1000 100000 --rounds 7

The page's own script runs as a browser would have it run, sign-in and all, against a store of each size. *First* is
the run that counts; the others find what was counted, until something is done in the store.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from benchmarks.case_lists import SHELL, TOKEN, make_store
from benchmarks.filled_store import give_manifest
from benchmarks.shared import print_heading, print_row
from colpo_core.settings import Settings
from colpo_core.store import Store

TABS = ("cohort", "model", "watch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, patch("pages._ui.shared.context.session_token", lambda: TOKEN):
        folders = {n_cases: make_store(Path(temporary) / str(n_cases), n_cases) for n_cases in asked.cases}
        for folder in folders.values():
            store = Store.open(Settings(data_dir=folder))
            give_manifest(store)
            store.close()
        titles = [f"{n:,} cases, {when}, ms" for n in asked.cases for when in ("first", "again")]
        print_heading("tab", *titles, "ratio again")
        for tab in TABS:
            _measure(tab, folders, asked.rounds)


def _measure(tab: str, folders: dict[int, Path], rounds: int) -> None:
    cells, again = [], []
    for folder in folders.values():
        os.environ["COLPO_DATA"] = str(folder)
        page = AppTest.from_file(SHELL, default_timeout=300)
        page._page_hash = calc_hash("home")
        page.run()  # imports, and opens the store
        page._page_hash = calc_hash("dashboard")
        page.query_params["tab"] = tab
        taken = []
        for _round in range(rounds + 1):
            began = time.perf_counter()
            page.run()
            taken.append(1000 * (time.perf_counter() - began))
            if page.exception:
                raise SystemExit(f"{tab}: {page.exception[0].value}")
        again.append(statistics.median(taken[1:]))
        cells += [f"{taken[0]:.0f}", f"{again[-1]:.0f}"]
    print_row(tab, *cells, f"{again[-1] / again[0]:.2f}")


if __name__ == "__main__":
    main()
