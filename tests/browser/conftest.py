"""A real Chromium, and the real server in a process of its own on a free loopback port."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.browser.mask_page import TOKEN, Clinic, EditorPage, NewTab
from tests.browser.sign_in import SCREEN, signed_in
from tests.support.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Two browsers and two servers share the machine: what comes at once alone may take seconds.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that it does not run at the end with nothing beside it."""
    items.sort(key=lambda item: item.path.name != "test_walk.py")


def find_chromium() -> str | None:
    """The browser that COLPO_CHROMIUM names, or one on the path."""
    named = os.environ.get("COLPO_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a module, and no longer: while Playwright is open its event loop runs in this thread, and tests that
    start a loop of their own would fail."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("Chromium is not installed and could not be: install it, or name it in COLPO_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Server:
    """The program, serving one store."""

    data_dir: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Serve, on the same port as before if there was one, and wait until it answers."""
        self.port = self.port or free_port()
        Store.open(Settings(data_dir=self.data_dir)).close()  # as `serve` does
        log = (self.data_dir.parent / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
            cwd=CHECKOUT,
            env={**os.environ, "COLPO_DATA": str(self.data_dir), **self.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/colpo/health", timeout=2) as answer:  # noqa: S310 - loopback
                    if answer.status == 200:
                        return self
            except (URLError, OSError):
                time.sleep(0.1)
        self.kill()
        raise RuntimeError(f"the server did not answer; see {self.data_dir.parent / 'server.log'}")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Server]:
    """A server on an empty store, for one test."""
    server = Server(tmp_path / "data").start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on an empty store, for all tests of a file."""
    server = Server(tmp_path_factory.mktemp("served") / "data").start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def clinic(server: Server) -> Iterator[Clinic]:
    clinic = Clinic(server)
    yield clinic
    clinic.store.close()


@pytest.fixture
def image_id(clinic: Clinic, request: pytest.FixtureRequest) -> int:
    return clinic.add_image(int(hashlib.sha256(request.node.name.encode()).hexdigest()[:8], 16))


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an empty page in a browser of somebody who is signed in: `new_page(server, token, viewport=TALL)`."""
    contexts: list[BrowserContext] = []

    def new(server: Server, token: str, **options: object) -> Page:
        contexts.append(signed_in(chromium, server.url, token, **options))
        return contexts[-1].new_page()

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def new_tab(clinic: Clinic, new_page: Callable[..., Page]) -> NewTab:
    def new(**options: object) -> EditorPage:
        return EditorPage(new_page(clinic.server, TOKEN, viewport=SCREEN, **options), clinic.server.url, clinic)

    return new


@pytest.fixture
def tab(image_id: int, new_tab: NewTab) -> EditorPage:
    """A tab in which the test's image is open."""
    return new_tab().open(image_id)
