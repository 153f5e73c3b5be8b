"""The store's queries over a hundred thousand cases and over ten million, on PostgreSQL: what a national archive asks.

    python -m benchmarks.archive --database postgresql+psycopg://colpo@127.0.0.1:5432/empty
    python -m benchmarks.archive --database … --cases 20000 --times 10 --rounds 3

The database must be empty. It is filled with cases as the program writes them, the queries are timed, then every case
is written again under another number as many times as asked, with its images, predictions, masks' versions and
reviews, and the queries are timed again. Ten million cases take some 40 GB and three quarters of an hour. One Markdown
row a query: the median at each size.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, select, text
from sqlalchemy.orm import Session

from benchmarks.filled_store import fill, give_manifest
from benchmarks.shared import print_heading, print_row
from colpo_core.records.cases.lists import AnnotationNeed, CaseFilter, CaseSort
from colpo_core.records.people import Actor
from colpo_core.services.annotations import workbench
from colpo_core.services.cases import case as cases
from colpo_core.services.cases import lists as case_lists
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.services.jobs import leases
from colpo_core.services.models import prediction_scope
from colpo_core.services.overview import cohort, dashboard
from colpo_core.services.overview import worklist as overview
from colpo_core.services.review import desk as review
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.case_summaries import sum_up
from colpo_core.store.engine import make_engine
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    CaseLabel,
    CaseReviewer,
    CaseSummary,
    Checkpoint,
    Image,
    ImageFigures,
    Job,
    Patient,
    Person,
    Prediction,
    Review,
)
from colpo_core.terms import Grade, JobKind, LabelSource, Role

MULTIPLIED = (Patient, Case, CaseLabel, Image, ImageFigures, Prediction, Annotation, AnnotationVersion, Review,
              CaseSummary, CaseReviewer)  # fmt: skip
_ANEW = {
    ("patients", "code"): "t.code || '-' || k",
    ("images", "sha256"): "md5(t.sha256 || k) || md5(k || t.sha256)",
    ("annotations", "document_id"): "t.document_id || '-' || k",
}
"""What must differ from one copy of a row to the next, and is no number of a row."""
_COPIES_AT_ONCE = 10
Query = Callable[[Store, Actor], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--promotion", action="store_true", help="also sum all cases up: a quarter of an hour and more")
    parser.add_argument("--filled", action="store_true", help="the database was filled before: ask it once more")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        settings = Settings(data_dir=Path(temporary), database_url=asked.database)
        store = Store.open(settings)
        if not asked.filled:
            fill(store, asked.cases)
        give_manifest(store)
        actor = _actor(store)
        taken = {}
        asked_for = {name: query for name, query in queries().items() if asked.promotion or query is not _sum_up}
        for n_cases in (asked.cases,) if asked.filled else (asked.cases, asked.cases * asked.times):
            if n_cases > asked.cases:
                _multiply(make_engine(settings), asked.times)
            if not asked.filled:
                _settle_down(make_engine(settings))
            print(f"{n_cases:,} cases: {_size_gb(store):.1f} GB", flush=True)
            taken[n_cases] = {name: _time(name, query, store, actor, asked.rounds) for name, query in asked_for.items()}
        print_heading("asked", *(f"{n:,} cases, ms" for n in taken))
        for name in asked_for:
            print_row(name, *(f"{times[name]:,.0f}" for times in taken.values()))
        store.close()


def queries() -> dict[str, Query]:
    """What is asked, by its name; nothing of it stays in the store."""

    def listed(sort: CaseSort = CaseSort.NEWEST, **where: Any) -> Query:  # noqa: ANN401 - any filter
        return lambda store, actor: case_lists.list_cases(Caller(store, actor), where=CaseFilter(**where), sort=sort)

    return {
        "cases, newest first": listed(),
        "cases, a page in the middle": _middle_page,
        "cases with CIN3": listed(grade=Grade.CIN3),
        "cases with invasive carcinoma, which is rare": listed(grade=Grade.INVASIVE_CARCINOMA),
        "cases of one device": listed(device="Mobile C"),
        "cases by patient code": listed(patient_code="P-0001"),
        "cases without annotation": listed(annotation=AnnotationNeed.NONE),
        "cases by probability": listed(CaseSort.PROBABILITY),
        "cases by uncertainty": listed(CaseSort.UNCERTAINTY),
        "one case": _one_case,
        "next image to annotate": lambda store, actor: workbench.next_image(Caller(store, actor)),
        "predictions to review": lambda store, actor: review.list_for_review(Caller(store, actor)),
        "home page: what waits": lambda store, actor: overview.worklist(Caller(store, actor)),
        "the newest jobs": lambda store, actor: jobs.list_jobs(Caller(store, actor)),
        "claim a job": _claim,
        "a prediction's place in the store": _write_prediction,
        "settle a prediction of all images": _settle,
        "how much the store holds": lambda store, actor: overview.status(store),
        "dashboard: recruitment": lambda store, actor: cohort.recruitment(Caller(store, actor)),
        "dashboard: counts": lambda store, actor: dashboard.dashboard(Caller(store, actor)),
        "dashboard: the model on cases not met": lambda store, actor: cohort.unseen_figures(Caller(store, actor)),
        "promotion: all cases summed up": _sum_up,
    }


def _middle_page(store: Store, actor: Actor) -> object:
    with store.reading() as session:
        middle = session.scalar(text("SELECT max(case_id) / 2 FROM case_summaries"))
        place = session.execute(
            select(CaseSummary.created_at, CaseSummary.case_id).where(CaseSummary.case_id == middle)
        ).one()
    return case_lists.list_cases(Caller(store, actor), after=tuple(place))


def _one_case(store: Store, actor: Actor) -> object:
    return cases.get_case(Caller(store, actor), case_id=1234)


class _Undone(Exception):
    pass


@contextmanager
def _undone(store: Store) -> Iterator[Session]:
    """A writing session that leaves nothing behind."""
    try:
        with store.writing() as session:
            yield session
            session.flush()
            raise _Undone
    except _Undone:
        return


def _new_checkpoint(session: Session) -> int:
    """A model that has predicted nothing."""
    checkpoint = Checkpoint(name="new", sha256="9" * 64, snapshot_id=1, label_source=LabelSource.HISTOLOGY, card={})
    session.add(checkpoint)
    session.flush()
    return checkpoint.id


def _claim(store: Store, actor: Actor) -> None:
    with store.writing() as session:
        job = Job(kind=JobKind.EVALUATE, settings={}, created_by=actor.person_id)
        session.add(job)
        session.flush()
        job_id = job.id
    lease = leases.claim_job(store, job_id, host="archive", pid=1)
    assert lease is not None
    lease.heartbeat()
    lease.complete(lambda _session, _job: {})


def _write_prediction(store: Store, actor: Actor) -> None:
    with _undone(store) as session:
        first = session.query(Prediction).order_by(Prediction.id).first()
        values = {column.name: getattr(first, column.name) for column in Prediction.__table__.columns}
        image_id = session.scalar(text("SELECT max(id) FROM images")) or 0
        del values["id"]
        session.add(Prediction(**values | {"image_id": image_id, "checkpoint_id": _new_checkpoint(session)}))


def _settle(store: Store, actor: Actor) -> None:
    with _undone(store) as session:
        settings = prediction_scope.settle_scope(session, _new_checkpoint(session), None)
        assert settings is not None
        prediction_scope.shares_of(session, settings, shard_images=5_000)


def _sum_up(store: Store, actor: Actor) -> None:
    with _undone(store) as session:
        sum_up(session, None)


def _time(name: str, query: Query, store: Store, actor: Actor, rounds: int) -> float:
    """Median milliseconds; what takes long is asked once."""
    taken = []
    for _round in range(rounds):
        _do_something(store, actor)
        began = time.perf_counter()
        query(store, actor)
        taken.append(1000 * (time.perf_counter() - began))
        if taken[-1] > 20_000:
            break
    print(f"  {name}: {statistics.median(taken):,.0f} ms", flush=True)
    return statistics.median(taken)


def _do_something(store: Store, actor: Actor) -> None:
    """Figures that were counted are kept until something is done in the store."""
    with store.writing() as session:
        audit.record(session, actor, "ask", "archive")


def _actor(store: Store) -> Actor:
    with store.reading() as session:
        person = session.scalars(select(Person).where(Person.role == Role.ADMINISTRATOR)).one()
        return Actor(person.id, person.username, person.display_name, person.role)


def _multiply(engine: Engine, times: int) -> None:
    """Write each row as many times as asked in all, each copy under numbers of its own."""
    tables: list[Table] = [row_class.__table__ for row_class in MULTIPLIED]  # type: ignore[misc]
    with engine.connect() as connection:
        highest = {table.name: _highest(connection, table) for table in tables}
    for table in tables:
        began = time.perf_counter()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET session_replication_role = replica"))  # no triggers: the rows are whole
            connection.execute(text("SET maintenance_work_mem = '1GB'"))
            indexes = _plain_indexes(connection, table)
            for name in indexes:
                connection.execute(text(f"DROP INDEX {name}"))
            for first in range(1, times, _COPIES_AT_ONCE):
                last = min(times - 1, first + _COPIES_AT_ONCE - 1)
                connection.execute(text(_copy_of(table, highest, first, last)))
            for definition in indexes.values():
                connection.execute(text(definition))
        print(f"  {table.name}: {time.perf_counter() - began:.0f} s", flush=True)


def _highest(connection: Connection, table: Table) -> int:
    return int(connection.scalar(text(f"SELECT max(id) FROM {table.name}")) or 0) if "id" in table.columns else 0  # noqa: S608


def _plain_indexes(connection: Connection, table: Table) -> dict[str, str]:
    """Definitions of the indexes that hold no constraint."""
    asked = (
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint)"
    )
    return {row.indexname: row.indexdef for row in connection.execute(text(asked), {"table": table.name})}


def _copy_of(table: Table, highest: dict[str, int], first: int, last: int) -> str:
    names = [column.name for column in table.columns]
    values = []
    for column in table.columns:
        target = table.name if column.name == "id" else next((key.column.table.name for key in column.foreign_keys), "")
        if (table.name, column.name) in _ANEW:
            values.append(_ANEW[table.name, column.name])
        elif target in highest:
            values.append(f"t.{column.name} + k * {highest[target]}")
        else:
            values.append(f"t.{column.name}")
    own = "id" if "id" in names else next(column.name for column in table.columns if column.primary_key)
    bound = highest[table.name] or highest[next(key.column.table.name for key in table.columns[own].foreign_keys)]
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} "  # noqa: S608 - names of our own
        f"FROM generate_series({first}, {last}) AS k, {table.name} AS t WHERE t.{own} <= {bound}"
    )


def _settle_down(engine: Engine) -> None:
    """Let new rows have the next numbers, and let the planner know what there is."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (row_class.__table__ for row_class in MULTIPLIED):
            if "id" in table.columns:
                asked = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"  # type: ignore[attr-defined]  # noqa: S608
                connection.execute(text(asked))
        connection.execute(text("VACUUM ANALYZE"))


def _size_gb(store: Store) -> float:
    with store.reading() as session:
        return float(session.scalar(text("SELECT pg_database_size(current_database())")) or 0) / 1e9


if __name__ == "__main__":
    main()
