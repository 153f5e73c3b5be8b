"""The list of cases over a thousand and over a hundred thousand cases: server time of the page, run by run.

    python -m benchmarks.case_lists
    python -m benchmarks.case_lists --cases 1000 100000 --rounds 7

The page's own script runs as a browser would have it run, sign-in and all, against a store of each size. One Markdown
row a list: the median server time at each size and their ratio, both sizes in turns within one round.
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import select
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from benchmarks.filled_store import fill
from benchmarks.shared import print_heading, print_row
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Person, SignInSession, utc_now

SHELL = Path(__file__).parents[1] / "pages" / "_ui" / "shell.py"
TOKEN = "token"  # noqa: S105 - of a store that is thrown away
LISTS = {
    "all": {},
    "CIN3": {"grade": "cin3"},
    "invasive carcinoma, which is rare": {"grade": "invasive_carcinoma"},
    "missed by the model": {"model": "false_negative"},
    "networks differ": {"flip": "yes"},
    "unsure": {"uncertain": "0.05"},
    "annotators below a Dice of 0.5": {"dice": "0.5"},
    "overruled": {"review": "overruled"},
    "one reviewer": {"reviewer": "2"},
    "one device": {"device": "Mobile C"},
    "one month": {"month": "2023-03"},
    "no annotation yet": {"annotation": "none"},
    "patient code": {"code": "p-0001"},
    "by probability": {"sort": "probability"},
    "by uncertainty": {"sort": "uncertainty"},
    "by disagreement": {"sort": "disagreement"},
    "normal, by day of examination": {"label": "normal", "sort": "examined"},
    "CIN1, one device, networks differ": {"grade": "cin1", "device": "Mobile C", "flip": "yes"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, patch("pages._ui.shared.context.session_token", lambda: TOKEN):
        folders = {n_cases: make_store(Path(temporary) / str(n_cases), n_cases) for n_cases in asked.cases}
        print_heading("list", *(f"{n:,} cases, ms" for n in asked.cases), "ratio")
        for layout in ("Table", "Gallery"):
            for name, words in LISTS.items():
                if layout == "Gallery" and name not in ("all", "missed by the model"):
                    continue
                _measure(f"{name}{', as gallery' if layout == 'Gallery' else ''}", words, layout, folders, asked.rounds)


def make_store(folder: Path, n_cases: int) -> Path:
    """A store of so many cases, with somebody signed in; returns its folder."""
    store = Store.open(Settings(data_dir=folder))
    fill(store, n_cases)
    with store.writing() as session:
        person_id = session.scalars(select(Person.id).order_by(Person.id)).first()
        token_sha256 = hashlib.sha256(TOKEN.encode()).hexdigest()
        expires_at = utc_now() + timedelta(hours=2)
        session.add(SignInSession(token_sha256=token_sha256, person_id=person_id, expires_at=expires_at))
    store.close()
    return folder


def _measure(name: str, words: dict[str, str], layout: str, folders: dict[int, Path], rounds: int) -> None:
    pages = {n_cases: _open(folder, words, layout) for n_cases, folder in folders.items()}
    taken: dict[int, list[float]] = {n_cases: [] for n_cases in folders}
    for _round in range(rounds):
        for n_cases, page in pages.items():
            os.environ["COLPO_DATA"] = str(folders[n_cases])
            page.run()  # opens the store again, which a server does once
            began = time.perf_counter()
            page.run()
            taken[n_cases].append(1000 * (time.perf_counter() - began))
            if page.exception:
                raise SystemExit(f"{name}: {page.exception[0].value}")
    medians = [statistics.median(times) for times in taken.values()]
    print_row(name, *(f"{median:.0f}" for median in medians), f"{medians[-1] / medians[0]:.2f}")


def _open(folder: Path, words: dict[str, str], layout: str) -> AppTest:
    os.environ["COLPO_DATA"] = str(folder)
    page = AppTest.from_file(SHELL, default_timeout=120)
    page.query_params.update(words)
    page.session_state["cases_layout"] = layout
    page._page_hash = calc_hash("cases")
    # The first runs import the page and compare masks that wait for it.
    for _run in range(12 if "dice" in words or words.get("sort") == "disagreement" else 2):
        page.run()
    return page


if __name__ == "__main__":
    main()
