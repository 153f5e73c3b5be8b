"""The look of the sign-in form: one HTML page that needs nothing else, because everything else is behind the gate."""

from html import escape
from string import Template

from colpo_core.mark import MARK_SVG

_STYLE = """
:root { --accent: #0f6b74; --accent-dark: #0b525a; --ink: #1d2b2f; --soft: #5b6b70; --line: #d5dfe1; }
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { font: 16px/1.5 "Source Sans", "Source Sans 3", "Source Sans Pro", "Segoe UI", system-ui, sans-serif;
  color: var(--ink); display: grid; place-items: center; padding: 1.5rem;
  background: linear-gradient(160deg, #f3f8f8 0%, #e3eeef 60%, #d9e8ea 100%); }
main { width: 100%; max-width: 25rem; }
.brand { display: flex; align-items: center; gap: .8rem; margin: 0 0 1.4rem .2rem; }
.brand svg { width: 2.6rem; height: 2.6rem; flex: none; }
.brand strong { font-size: 1.35rem; line-height: 1.15; letter-spacing: -.01em; display: block; }
.brand span { color: var(--soft); font-size: .9rem; }
form { background: #fff; border: 1px solid var(--line); border-radius: .75rem; padding: 1.75rem;
  box-shadow: 0 10px 30px -18px rgba(15, 60, 66, .45); }
h1 { font-size: 1.2rem; margin: 0 0 .3rem; }
form > p { margin: 0 0 1.1rem; color: var(--soft); font-size: .95rem; }
label { display: block; font-weight: 600; font-size: .9rem; margin: .95rem 0 .3rem; }
label small { font-weight: 400; color: var(--soft); }
input { width: 100%; font: inherit; color: inherit; padding: .6rem .75rem; border: 1px solid var(--line);
  border-radius: .5rem; background: #fbfdfd; }
input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; background: #fff; }
button { width: 100%; margin-top: 1.4rem; padding: .7rem; font: inherit; font-weight: 600; color: #fff;
  background: var(--accent); border: 0; border-radius: .5rem; cursor: pointer; }
button:hover { background: var(--accent-dark); }
button:focus-visible { outline: 2px solid var(--accent-dark); outline-offset: 2px; }
.error, .notice { border-radius: .5rem; padding: .65rem .8rem; margin: .8rem 0 .2rem; font-size: .95rem; }
form > .error { background: #fdf0ee; border: 1px solid #f0c9c2; color: #7f2418; }
form > .notice { background: #eef7f1; border: 1px solid #c6e2d0; color: #1d5235; }
footer { margin: 1.1rem .2rem 0; color: var(--soft); font-size: .85rem; }
"""

_ICON = "data:image/svg+xml," + MARK_SVG.replace("#", "%23").replace('"', "'")

_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title · ColpoDesk</title>
<link rel="icon" href="$icon">
<style>$style</style>
</head>
<body>
<main>
<div class="brand">$mark<div><strong>ColpoDesk</strong><span>Colposcopy images, annotated and read</span></div></div>
<form method="post" action="$action">
<h1>$title</h1>
$intro$message$fields
<button type="submit">$button</button>
</form>
<footer>Research software. Not a medical device.</footer>
</main>
</body>
</html>
"""
)


def sign_in_form(*, target: str, username: str = "", error: str = "", notice: str = "") -> str:
    """The form for somebody with an account.

    Args:
        target: Where to go afterwards, a checked path of this program.
        username: What was typed before.
        error: Why the last attempt was refused.
        notice: Something else to say.
    """
    fields = (
        f'<input type="hidden" name="next" value="{escape(target)}">'
        + _field("username", "Username", value=username, autocomplete="username", focus=not username)
        + _field("password", "Password", kind="password", autocomplete="current-password", focus=bool(username))
    )
    return _page("Sign in", "/login", "", fields, "Sign in", error, notice)


def first_administrator_form(*, username: str = "", display_name: str = "", error: str = "") -> str:
    """The form of the first start, which makes the administrator.

    Args:
        username: What was typed before.
        display_name: What was typed before.
        error: Why the last attempt was refused.
    """
    fields = (
        _field("display_name", "Your name", value=display_name, autocomplete="name", focus=True, required=False)
        + _field("username", "Username", hint="for signing in", value=username, autocomplete="username")
        + _field(
            "password", "Password", hint="at least 10 characters", kind="password", autocomplete="new-password",
            minlength=10,
        )
        + _field("again", "Password again", kind="password", autocomplete="new-password", minlength=10)
    )  # fmt: skip
    intro = "<p>This store is new. Make the administrator, who then makes the accounts of everybody else.</p>\n"
    return _page("Welcome", "/login/first", intro, fields, "Create administrator", error, "")


def _page(title: str, action: str, intro: str, fields: str, button: str, error: str, notice: str) -> str:
    message = ""
    if notice:
        message += f'<p class="notice" role="status">{escape(notice)}</p>'
    if error:
        message += f'<p class="error" role="alert">{escape(error)}</p>'
    return _PAGE.substitute(
        title=title,
        icon=_ICON,
        style=_STYLE,
        mark=MARK_SVG,
        action=action,
        intro=intro,
        message=message,
        fields=fields,
        button=button,
    )


def _field(
    name: str,
    label: str,
    *,
    hint: str = "",
    kind: str = "text",
    value: str = "",
    autocomplete: str = "off",
    focus: bool = False,
    required: bool = True,
    minlength: int | None = None,
) -> str:
    extra = " required" if required else ""
    extra += " autofocus" if focus else ""
    extra += f' minlength="{minlength}"' if minlength is not None else ""
    extra += ' autocapitalize="none" spellcheck="false"' if name == "username" else ""
    small = f" <small>({hint})</small>" if hint else ""
    return (
        f'<label for="{name}">{label}{small}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" value="{escape(value)}" autocomplete="{autocomplete}"{extra}>'
    )
