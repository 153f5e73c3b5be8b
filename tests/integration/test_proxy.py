"""The proxy's example in `docs/hospital.md`, started as it stands there, with a certificate made for the test."""

import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.browser.conftest import CHECKOUT, Server
from tests.support.ports import free_port

HOST = "colpo.clinic.example"
FORM = {"username": "chief", "display_name": "", "password": "wool lamp harbour", "again": "wool lamp harbour"}


def example(folder: Path, *, https: int, http: int, program: int) -> str:
    (block,) = re.findall(r"```nginx\n(.*?)```", (CHECKOUT / "docs" / "hospital.md").read_text("utf-8"), re.DOTALL)
    for before, after in (
        ("listen 443", f"listen 127.0.0.1:{https}"),
        ("listen 80", f"listen 127.0.0.1:{http}"),
        ("/etc/ssl/", f"{folder}/"),
        ("127.0.0.1:8501", f"127.0.0.1:{program}"),
    ):
        assert before in block
        block = block.replace(before, after)
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"daemon off; pid {folder}/pid; events {{}} http {{ access_log off; {places} {block} }}"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[httpx.Client]:
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    name = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"]
    key = ["-keyout", str(tmp_path / "colpo.key"), "-out", str(tmp_path / "colpo.crt")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *key, *name], check=True)
    server = Server(tmp_path / "data", environment={"COLPO_HOSTS": HOST}).start()
    https = free_port()
    (tmp_path / "nginx.conf").write_text(example(tmp_path, https=https, http=free_port(), program=server.port))
    proxy = subprocess.Popen(
        [nginx, "-p", str(tmp_path), "-e", str(tmp_path / "errors"), "-c", str(tmp_path / "nginx.conf")]
    )
    trusted = ssl.create_default_context(cafile=str(tmp_path / "colpo.crt"))
    headers = {"Host": HOST, "Origin": f"https://{HOST}"}
    with httpx.Client(base_url=f"https://127.0.0.1:{https}", verify=trusted, headers=headers, timeout=60) as client:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                client.get("/colpo/health")
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        yield client
    proxy.terminate()
    proxy.wait()
    server.kill()


def test_through_the_documented_proxy_the_cookie_is_secure_and_the_program_works(browser: httpx.Client) -> None:
    answer = browser.post("/login/first", data=FORM)
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-colpodesk_session=")
    assert "Secure" in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    token = {"Cookie": cookie.split(";")[0]}
    assert browser.get("/colpo/session", headers=token).status_code == 204
    assert browser.get("/home", headers=token | {"Accept": "text/html"}).status_code == 200
    foreign = {"Host": "evil.example"}
    assert browser.get("/login", headers=foreign).status_code in {421, 400}
