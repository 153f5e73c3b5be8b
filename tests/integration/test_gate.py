"""A cold server, as `streamlit run app.py` starts it: without a session there is the sign-in form and nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import accounts as people
from colpo_core.services.studies import presenting
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.terms import Role
from pages._ui.components import scripts
from pages._ui.frame import uploaded_files
from tests.browser.conftest import Server as ServerProcess
from tests.support.clinic import PredictedClinic
from tests.support.conducted import make_study
from tests.support.processes import run_python

PASSWORD = "wool lamp harbour"
NAMES = [
    "home", "cases", "tasks", "annotate", "agreement", "train", "models", "review", "dashboard", "read", "studies",
    "admin",
]  # fmt: skip
ADDRESSES = ["/", *(f"/{name}" for name in NAMES)]
DEEP = ["/cases?case=1", "/tasks?task=1", "/annotate?image=1", "/review?prediction=1", "/read?study=1"]
ODD = ["/shell", "/frame", "/_ui", "/pages/admin", "/nowhere", "/admin/", "/login/admin"]
PAGES = ADDRESSES + DEEP + ODD
MEDIA = ["/media/x", "/media/0123abcd.png", "/component/x/index.html", "/static/index.html", "/static/js/index.js"]
CORE = ["health", "host-config", "metrics", "script-health-check", "upload_file/a/b", "allowed-message-origins",
        "bidi-components/x/y.js", "agent/openapi.json", "stream"]  # fmt: skip
OURS = ["session", "images/1", "images/1/thumbnail", "annotations/1", "predictions/1/mask.png",
        "predictions/1/maps/3ch-hsil.png", "predictions/1/acetowhite.png", "readings/1/image/token"]  # fmt: skip
OTHERS = [
    *MEDIA,
    *(f"/_stcore/{name}" for name in CORE),
    *(f"/colpo/{name}" for name in OURS),
    f"/scripts/{scripts.VERSION}/0/mask_editor/main.js",
    *("/favicon.png", "/app/static/x", "/auth/login", "/oauth2callback"),
]
HTML = {"Accept": "text/html,application/xhtml+xml"}


@dataclass(frozen=True)
class Server:
    base: str
    store: Store

    @property
    def origin(self) -> dict[str, str]:
        return {"Origin": self.base}

    def connect(self, headers: dict[str, str], origin: str = "") -> ClientConnection:
        address = self.base.replace("http://", "ws://") + "/_stcore/stream"
        return connect(address, additional_headers=headers, origin=origin or self.base, subprotocols=["streamlit"])

    @contextmanager
    def signed_in(self, username: str) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.base, headers=self.origin, timeout=60) as client:
            answer = client.post("/login", data={"username": username, "password": PASSWORD})
            assert answer.status_code == 303
            yield client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    served = ServerProcess(tmp_path_factory.mktemp("server") / "data").start()
    store = Store.open(Settings(data_dir=served.data_dir))
    yield Server(served.url, store)
    store.close()
    served.kill()


@pytest.fixture(scope="module")
def people_of(server: Server) -> dict[Role, Caller]:
    first = people.create_first_administrator(server.store, username="chief", display_name="", password=PASSWORD)
    chief = Caller(server.store, Actor(first.person_id, first.username, first.display_name, first.role))
    made = {Role.ADMINISTRATOR: chief}
    for role in (Role.ANNOTATOR, Role.READER):
        one = people.create_person(chief, username=role.value, display_name="", role=role, password=PASSWORD)
        made[role] = Caller(server.store, Actor(one.person_id, one.username, one.display_name, one.role))
    return made


def cookie_of(client: httpx.Client) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def is_only_the_form(answer: httpx.Response) -> bool:
    """The form itself, the way to it, or the plain word that one has to sign in."""
    if answer.status_code == 303:
        return answer.headers["location"].startswith("/login") and not answer.content
    if answer.status_code == 401:
        return answer.text == "Sign in first."
    return answer.status_code == 400 and answer.text == "Bad Request"


# The tests of the cold server come first in this file, before anybody has ever run the script.
@pytest.mark.parametrize("headers", [HTML, {}], ids=["browser", "program"])
def test_a_cold_server_shows_nothing_but_the_form(server: Server, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=server.base, headers=headers) as client:
        for path in PAGES + OTHERS:
            answer = client.get(path)
            assert is_only_the_form(answer), (path, answer.status_code, answer.text[:200])
            assert "set-cookie" not in answer.headers, path
        assert "Create administrator" in client.get("/admin", follow_redirects=True, headers=HTML).text


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"])
def test_no_method_gets_past_the_gate(server: Server, method: str) -> None:
    with httpx.Client(base_url=server.base, headers=server.origin) as client:
        for path in PAGES + OTHERS:
            answer = client.request(method, path)
            assert answer.status_code in {303, 401}, (path, answer.status_code)


@pytest.mark.parametrize("headers", [{}, {"Cookie": "colpodesk_session=guess"}])
def test_a_cold_server_refuses_the_websocket(server: Server, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        server.connect(headers)
    assert refusal.value.response.status_code == 403


def test_every_route_of_ours_is_behind_the_gate(server: Server) -> None:
    """Asks the program itself which routes it has, so that a new one cannot be forgotten here."""
    code = "import json, app; print(json.dumps([[r.path, sorted(r.methods or [])] for r in app.app._user_routes]))"
    asked = run_python(server.store.settings.data_dir, "-c", code)
    routes = json.loads(asked.stdout.splitlines()[-1])
    assert len(routes) > 5
    with httpx.Client(base_url=server.base, headers=server.origin) as client:
        for template, methods in routes:
            if template in {"/login", "/login/first", "/colpo/health"}:
                continue
            path = "/".join("1" if part.startswith("{") else part for part in template.split("/"))
            for method in methods:
                assert client.request(method, path).status_code == 401, (method, template)


def test_after_signing_in_the_same_paths_answer(server: Server, people_of: dict[Role, Caller]) -> None:
    with server.signed_in("chief") as client:
        for path in ADDRESSES:
            answer = client.get(path, headers=HTML)
            assert answer.status_code == 200, path
            assert answer.headers["cache-control"] == "no-store"
            assert "streamlit" in answer.text.lower()
        assert client.get("/_stcore/health").status_code == 200
        assert client.get("/colpo/session").status_code == 204


def test_signing_out_ends_an_open_websocket(server: Server, people_of: dict[Role, Caller]) -> None:
    with server.signed_in("annotator") as client:
        with server.connect(cookie_of(client)) as stream:
            assert client.post("/logout").status_code == 303
            stream.send(b"")
            with pytest.raises(ConnectionClosed):
                while True:
                    stream.recv(timeout=60)
        assert client.get("/home").status_code == 401


def test_a_websocket_of_another_site_is_refused(server: Server, people_of: dict[Role, Caller]) -> None:
    with server.signed_in("annotator") as client, pytest.raises(InvalidStatus):
        server.connect(cookie_of(client), origin="http://evil.example")


def test_deactivating_shuts_the_gate_at_once(server: Server, people_of: dict[Role, Caller]) -> None:
    chief, annotator = people_of[Role.ADMINISTRATOR], people_of[Role.ANNOTATOR]
    with server.signed_in("annotator") as client:
        assert client.get("/colpo/session").status_code == 204
        people.set_active(chief, person_id=annotator.person_id, active=False)
        assert client.get("/colpo/session").status_code == 401
    people.set_active(chief, person_id=annotator.person_id, active=True)


def test_what_a_reader_tries_during_a_study_is_refused_and_recorded(
    server: Server, people_of: dict[Role, Caller]
) -> None:
    store, chief, reader = server.store, people_of[Role.ADMINISTRATOR], people_of[Role.READER]
    other = people.create_person(chief, username="other", display_name="", role=Role.READER, password=PASSWORD)
    clinic = PredictedClinic(chief)
    clinic.clinic.add_case()
    readers = [reader, Caller(store, Actor(other.person_id, "other", "other", Role.READER))]
    study_id = make_study(chief, readers)
    theirs = presenting.next_case(readers[1], study_id=study_id)
    assert theirs is not None
    tried = [
        "/colpo/images/1", "/colpo/images/1/thumbnail", "/colpo/annotations/i1-p1-mosaic",
        "/colpo/annotations/versions/1/mask.png", "/colpo/annotations/versions/1/compare/2.png",
        "/colpo/agreement/1/mosaic/union.png?versions=1,2", "/colpo/predictions/1/mask.png",
        "/colpo/predictions/1/maps/3ch-hsil.png",
        "/colpo/predictions/1/acetowhite.png", f"/colpo/readings/{study_id}/image/{theirs.token}",
        f"/colpo/studies/{study_id}/report",
    ]  # fmt: skip
    with server.signed_in("reader") as client:
        for path in tried:
            assert client.get(path).status_code in {403, 404}, path
        mine = presenting.next_case(reader, study_id=study_id)
        assert mine is not None
        assert client.get(f"/colpo/readings/{study_id}/image/{mine.token}").status_code == 200
        assert client.get("/colpo/session").status_code == 204
    found = study_conduct(chief, study_id=study_id).refusals
    assert {one.what for one in found} == {f"GET {path.split('?')[0]}" for path in tried}
    assert {(one.display_name, one.times) for one in found} == {(reader.actor.display_name, 1)}


def test_a_reader_gets_no_image_of_a_case(server: Server, people_of: dict[Role, Caller]) -> None:
    with server.signed_in("reader") as client:
        for path in ("/colpo/images/1", "/colpo/images/1/thumbnail", "/colpo/predictions/1/mask.png"):
            assert client.get(path).status_code == 403, path


def session_of(server: Server, client: httpx.Client, stream: ClientConnection) -> str:
    """The session that a page has got, once it has run."""
    message = BackMsg()
    message.rerun_script.page_name = "home"
    stream.send(message.SerializeToString())
    found = ""
    while True:
        heard = ForwardMsg.FromString(stream.recv(timeout=60, decode=False))
        if heard.WhichOneof("type") == "new_session":
            found = heard.new_session.initialize.session_id
        if heard.WhichOneof("type") == "script_finished":
            return found


def put_file(client: httpx.Client, session: str, n_bytes: int) -> int:
    client.get("/_stcore/health")
    token = client.cookies["_streamlit_xsrf"]
    files = {"file": ("a.png", bytes(n_bytes))}
    path = f"/_stcore/upload_file/{session}/{n_bytes}"
    return client.put(path, files=files, headers={"X-Xsrftoken": token}).status_code


def test_files_go_into_ones_own_page_alone_and_never_into_a_readers(
    server: Server, people_of: dict[Role, Caller]
) -> None:
    with (
        server.signed_in("annotator") as anna,
        server.signed_in("reader") as rita,
        server.connect(cookie_of(anna)) as hers,
        server.connect(cookie_of(rita)) as readers,
    ):
        of_anna, of_rita = session_of(server, anna, hers), session_of(server, rita, readers)
        assert put_file(anna, of_anna, 1000) == 204
        assert put_file(rita, of_rita, 1000) == 403
        assert put_file(anna, of_rita, 1000) == 403
        assert put_file(rita, of_anna, 1000) == 403
        assert put_file(anna, of_anna, 161 * 1024 * 1024) == 413


def test_nobody_enters_anothers_page_by_its_number(server: Server, people_of: dict[Role, Caller]) -> None:
    with server.signed_in("chief") as chief, server.signed_in("reader") as rita:
        with server.connect(cookie_of(chief)) as stream:
            of_chief = session_of(server, chief, stream)
        address = server.base.replace("http://", "ws://") + "/_stcore/stream"
        with connect(
            address, additional_headers=cookie_of(rita), origin=server.base, subprotocols=["streamlit", "x", of_chief]
        ) as stream:
            assert session_of(server, rita, stream) != of_chief


def test_what_waits_in_the_servers_memory_is_counted_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = MemoryUploadedFileManager("/_stcore/upload_file")
    for session, n_bytes in (("a", 3), ("b", 4)):
        manager.add_file(session, UploadedFileRec(file_id="x", name="x", type="", data=bytes(n_bytes)))
    monkeypatch.setattr(uploaded_files, "_manager", lambda: manager)
    waiting = uploaded_files.WaitingFiles()
    assert [waiting.bytes_of(asked) for asked in (None, {"a", "unknown"}, set())] == [7, 3, 0]
