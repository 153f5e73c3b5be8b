"""Names under which the program answers, so that no foreign name can be pointed at it.

A page of another site whose name suddenly leads to this machine would be "of the same site" for the browser. It still
sends its own name, and is refused by it.
"""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from colpo_core.web.cookies import is_https


def host_of(connection: HTTPConnection) -> str:
    """The name that a request asks for, without its port; empty where it names none or two."""
    named = connection.headers.getlist("host")
    if len(named) != 1:
        return ""
    try:
        parts = urlsplit(f"//{named[0]}")
        _ = parts.port
    except ValueError:
        return ""
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return ""
    return (parts.hostname or "").removesuffix(".")


def is_loopback(host: str) -> bool:
    """Whether a name means this very machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_host(connection: HTTPConnection, hosts: Collection[str]) -> Response | None:
    """Refuse a request for a name that is not the program's, or one of the clinic's network without encryption.

    Args:
        connection: The request.
        hosts: Names beside those of loopback (`COLPO_HOSTS`).
    """
    host = host_of(connection)
    if is_loopback(host):
        return None
    if host not in hosts:
        return PlainTextResponse(
            "This program does not answer under this name. Whoever runs it can allow the name in COLPO_HOSTS.",
            status_code=421,
        )
    if not is_https(connection):
        return PlainTextResponse(
            "This connection is not encrypted, and a password would be sent for anybody to read. Open the address with "
            "https://. If you did: the proxy has to say so by X-Forwarded-Proto.",
            status_code=403,
        )
    return None


def is_own_origin(connection: HTTPConnection) -> bool:
    """Whether the `Origin` of a request is the site that it asks: name, port and scheme."""
    scheme = "https" if is_https(connection) else "http"
    origin = urlsplit(connection.headers.get("origin", ""))
    return (origin.scheme, origin.netloc.lower()) == (scheme, connection.headers.get("host", "").lower())
