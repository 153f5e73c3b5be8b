"""Annotators and photographs for tests that paint, written straight into the store of a server."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import cv2
import numpy as np
from sqlalchemy import delete, select

from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.records.people import Actor
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import accounts as people
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Patient, Person, SignInSession, utc_now
from colpo_core.terms import Role, Stage

SMALL = (640, 480)
LARGE = (2976, 1984)
PASSWORD = "wool lamp harbour"


@dataclass(frozen=True)
class Annotator:
    """Somebody who is signed in: `token` is what the cookie holds."""

    actor: Actor
    token: str


@dataclass(frozen=True)
class Seat:
    """One annotator before one image."""

    annotator: Annotator
    image_id: int
    document_id: str
    width_px: int
    height_px: int


def add_annotator(store: Store, username: str) -> Annotator:
    """An annotator with a sign-in that lasts; without a password, so nobody waits for its hash."""
    with store.writing() as session:
        person = Person(username=username, display_name=username.title(), role=Role.ANNOTATOR, active=True)
        session.add(person)
        session.flush()
        actor = Actor(person.id, person.username, person.display_name, person.role)
    annotator = Annotator(actor, f"token-of-{username}")
    sign_in(store, annotator)
    return annotator


def add_annotator_with_password(store: Store, username: str) -> Annotator:
    """An annotator who can also sign in by the form, with `PASSWORD`."""
    chief = people.create_first_administrator(store, username="chief", display_name="", password=PASSWORD)
    made = people.create_person(
        Caller(store, Actor(chief.person_id, chief.username, chief.display_name, chief.role)),
        username=username,
        display_name=username.title(),
        role=Role.ANNOTATOR,
        password=PASSWORD,
    )
    annotator = Annotator(Actor(made.person_id, made.username, made.display_name, made.role), f"token-of-{username}")
    sign_in(store, annotator)
    return annotator


def sign_in(store: Store, annotator: Annotator) -> None:
    token_sha256 = hashlib.sha256(annotator.token.encode()).hexdigest()
    person_id = annotator.actor.person_id
    with store.writing() as session:
        row = SignInSession(token_sha256=token_sha256, person_id=person_id, expires_at=utc_now() + timedelta(hours=6))
        session.add(row)


def let_sign_in_expire(store: Store, annotator: Annotator) -> None:
    with store.writing() as session:
        for row in session.scalars(select(SignInSession).where(SignInSession.person_id == annotator.actor.person_id)):
            row.expires_at = utc_now() - timedelta(minutes=1)


def drop_sign_ins(store: Store) -> None:
    with store.writing() as session:
        session.execute(delete(SignInSession))


def add_image(store: Store, *, width_px: int, height_px: int) -> int:
    """An image after acetic acid, of a patient of its own: soft tissue colours, no two alike."""
    with store.reading() as session:
        number = session.query(Image).count() + 1
    rng = np.random.default_rng(number)
    coarse = rng.normal((170, 90, 90), 18, (12, 16, 3)).clip(0, 255).astype(np.uint8)
    rgb = cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    file = encode_clean(CleanImage(rgb, width_px=width_px, height_px=height_px))
    with store.writing() as session:
        image = Image(
            case=Case(patient=Patient(code=f"painted-{number}")),
            sha256=store.blobs.put(file.content),
            media_type=file.media_type,
            width_px=width_px,
            height_px=height_px,
            stage=Stage.ACETIC_ACID,
        )
        session.add(image)
        session.flush()
        return image.id


def seat(store: Store, annotator: Annotator, image_id: int) -> Seat:
    opened = own_masks.open_annotation(Caller(store, annotator.actor), image_id=image_id)
    return Seat(annotator, image_id, opened.document_id, opened.image.width_px, opened.image.height_px)


def add_seats(store: Store, n_seats: int, *sizes: tuple[int, int]) -> list[Seat]:
    """Annotators, each before an image of their own; the sizes (width, height) take turns."""
    seats = []
    for number in range(n_seats):
        width_px, height_px = sizes[number % len(sizes)]
        image_id = add_image(store, width_px=width_px, height_px=height_px)
        seats.append(seat(store, add_annotator(store, f"annotator-{image_id}"), image_id))
    return seats
