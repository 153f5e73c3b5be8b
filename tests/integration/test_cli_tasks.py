"""Tasks from the command line on the real store: handed out, skipped, followed and closed."""

import json
from collections.abc import Callable
from typing import Any

from click.testing import Result

from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from tests.support.handed_out import Team, image_of, paint_and_submit

Run = Callable[..., Result]


def test_a_task_from_its_preview_to_its_end(store: Store, team: Team, run: Run, add_case: Callable[..., int]) -> None:
    first, second = (image_of(store, add_case()) for _ in range(2))
    add_case(shows_cervix=False)
    anna, ben = team.annotator_ids
    senior = team.senior.person_id
    people = f"--annotator {anna} --annotator {ben} --per-image 2 --blind --adjudicator {senior}".split()
    told = run("tasks", "preview", *people).output
    assert "2 images of 2 cases" in told
    assert "left out, does not show the cervix: 1" in told
    assert "Anna (anna)" in told
    told = run("tasks", "create", "All of them", *people, "--order", "random", "--seed", 3, "--no-proposals").output
    assert told == "task 1: 2 images, 2 annotators an image, 4 wait\n"
    assert "already" in run("tasks", "create", "All of them", *people, code=1).output

    paint_and_submit(team.anna, first)
    queue = json.loads(run("tasks", "queue", 1, anna, "--json").output)
    assert {item["image_id"]: item["state"] for item in queue} == {first: "submitted", second: "waiting"}
    (waiting,) = (item for item in queue if item["state"] == "waiting")
    run("tasks", "skip", waiting["item_id"], "--reason", "only blood")
    assert "skipped: only blood" in run("tasks", "queue", 1, anna).output
    told = run("tasks", "show", 1).output
    assert "blind, without proposals, judged by Senior" in told
    assert "only blood" in told
    assert "0 of 2 images done" in told
    run("tasks", "resume", waiting["item_id"])
    run("cases", "image", second, "--no-cervix")
    assert "left out" in run("tasks", "queue", 1, anna).output
    (listed,) = json.loads(run("tasks", "list", "--json").output)
    assert (listed["n_items"], listed["n_submitted"], listed["n_left_out"]) == (2, 1, 2)
    assert "closed with 1 of 2" in run("tasks", "close", 1).output
    assert "(none)" in run("tasks", "list").output
    assert "closed" in run("tasks", "list", "--all").output
    assert "closed" in run("tasks", "skip", waiting["item_id"], "--reason", "late", code=1).output


def test_a_wish_that_cannot_be_is_answered_with_a_sentence(team: Team, reader: Caller, run: Run) -> None:
    told = run("tasks", "create", "t", "--annotator", reader.person_id, code=1).output
    assert "Rita is a reader" in told
    assert (
        "at least 2 people"
        in run("tasks", "preview", "--annotator", team.anna.person_id, "--per-image", 2, code=1).output
    )


def test_the_json_of_a_preview_is_one_document(
    store: Store, team: Team, run: Run, add_case: Callable[..., int]
) -> None:
    add_case()
    found: dict[str, Any] = json.loads(run("tasks", "preview", "--annotator", team.anna.person_id, "--json").output)
    assert found["per_person"] == {"Anna (anna)": 1}
