"""Headers that every answer carries: no foreign code, no frames, no leaks, nothing kept in shared caches."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

# Streamlit writes its styles into the page as it goes and loads components' code from blobs: that much is allowed.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        # The hash is that of the one script inside Streamlit's page; it sets a flag for search engines.
        "script-src 'self' blob: 'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' blob: data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# `same-origin` sends nothing to others, as `no-referrer` does, but leaves the Origin header that the gate asks for.
_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Whoever has come over HTTPS once comes no other way for a year.
_HTTPS_ALONE = "max-age=31536000"
_PROGRAM_FILES = ("/static/",)


def with_safe_headers(scope: Scope, send: Send) -> Send:
    """Add the headers to whatever answers a request.

    Args:
        scope: The request.
        send: Where the answer goes.
    """

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers[name] = value
            if scope.get("scheme") == "https":
                headers["Strict-Transport-Security"] = _HTTPS_ALONE
            if "access-control-allow-origin" in headers:
                del headers["access-control-allow-origin"]
            _limit_caching(scope["path"], headers)
        await send(message)

    return send_with_headers


def _limit_caching(path: str, headers: MutableHeaders) -> None:
    """Only the program's own files may be kept by anybody; a route may say `private` for what its reader may keep."""
    if path.startswith(_PROGRAM_FILES):
        return
    if "private" not in headers.get("cache-control", ""):
        headers["Cache-Control"] = "no-store"
