"""The cookie of a sign-in: over HTTPS one that no other site or plain connection can set, on loopback a plain one.

A browser takes a cookie whose name begins with `__Host-` only over HTTPS, for this host alone, and sends it over HTTPS
alone.
"""

from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import Response

from colpo_core.services.people.signing_in import SESSION_COOKIE

HOST_COOKIE = f"__Host-{SESSION_COOKIE}"


def is_https(connection: HTTPConnection) -> bool:
    """Whether the browser speaks HTTPS: with this program, or with a proxy that says so and is trusted."""
    return connection.scope.get("scheme") in {"https", "wss"}


def token_in(cookies: Mapping[str, str], *, https: bool = False) -> str:
    """The token that a browser's cookies hold; empty where there is none.

    Args:
        cookies: By their names.
        https: Whether only the cookie counts that was set over HTTPS.
    """
    token = cookies.get(HOST_COOKIE, "")
    return token if token or https else cookies.get(SESSION_COOKIE, "")


def token_of(connection: HTTPConnection) -> str:
    """The token that a request's cookies hold; empty where there is none."""
    return token_in(connection.cookies, https=is_https(connection))


def set_token(response: Response, token: str, *, max_age: int, https: bool) -> None:
    """Give a browser the token, out of reach of scripts and of other sites.

    Args:
        response: What answers the sign-in.
        token: The new session's.
        max_age: Seconds after which the browser forgets it.
        https: Whether the browser speaks HTTPS.
    """
    response.set_cookie(
        HOST_COOKIE if https else SESSION_COOKIE,
        token,
        max_age=max_age,
        path="/",
        httponly=True,
        samesite="lax",
        secure=https,
    )


def forget_token(response: Response, *, https: bool) -> None:
    """Let a browser forget the token."""
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    if https:
        response.delete_cookie(HOST_COOKIE, path="/", httponly=True, samesite="lax", secure=True)
