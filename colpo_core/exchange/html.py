"""What every document of the program is made of: one HTML file that stands alone, to read, to print or to send."""

from collections.abc import Sequence
from html import escape

from colpo_core.records.models.card_tables import CardTable

_STYLE = """
body { font: 15px/1.5 "Segoe UI", Helvetica, Arial, sans-serif; color: #1d2b2f; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 2px solid #d5dfe1; }
h3 { font-size: 1rem; margin-bottom: .3rem; }
table { border-collapse: collapse; margin: .6rem 0 1rem; font-variant-numeric: tabular-nums; font-size: .9rem; }
th { text-align: left; border-bottom: 2px solid #d5dfe1; padding: .3rem .7rem .3rem 0; }
td { border-bottom: 1px solid #e3eaec; padding: .3rem .7rem .3rem 0; vertical-align: top; }
figure { margin: 1rem 1rem 1rem 0; display: inline-block; vertical-align: top; } svg { max-width: 100%; height: auto; }
figcaption, .small { font-size: .85rem; color: #4c5d62; }
.mark { display: inline-block; border-radius: .3rem; padding: .05rem .5rem; margin-right: .4rem; font-size: .8rem;
  font-weight: 600; background: #e3eeef; }
.mark.leaks { background: #b3402f; color: #fff; } .mark.simulated { background: #f6e3c2; }
.mark.uncalibrated { background: #dde5e7; }
.mark.impression { background: #e8def5; } .verdict { font-size: 1.1rem; font-weight: 600; }
code { overflow-wrap: anywhere; font-size: .85rem; }
.wide { overflow-x: auto; }
@page { size: A4; margin: 15mm 14mm 18mm;
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 9pt sans-serif; color: #4c5d62; } }
@media print {
  body { max-width: none; margin: 0; padding: 0; font-size: 10.5pt; }
  h1, h2, h3 { break-after: avoid; break-inside: avoid; }
  p, li { orphans: 2; widows: 2; }
  thead { display: table-header-group; } tr, figure, .kept, table.short { break-inside: avoid; }
  figure { display: block; } table { font-size: 8.5pt; } .wide { overflow: visible; }
  .lead { break-after: avoid; } .trail { break-before: avoid; }
}
"""

# A table with so many rows is printed on one page; a longer one may go on on the next, under its heading again.
_SHORT = 14


def document(title: str, parts: Sequence[str]) -> str:
    """A whole document.

    Args:
        title: What the browser's tab says; it is escaped here.
        parts: HTML, in order.
    """
    return (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def table(content: CardTable) -> str:
    """A table; its texts are escaped here."""
    head = "".join(f"<th>{escape(name)}</th>" for name in content.heading)
    rows = ["".join(f"<td>{escape(text)}</td>" for text in row) for row in content.rows]
    kind = " class='short'" if len(rows) <= _SHORT else ""
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def kept(*parts: str) -> str:
    """Parts that no page break parts, such as a heading and what it is of; they must be shorter than a page."""
    return f"<div class='kept'>{''.join(parts)}</div>"


def bullets(sentences: Sequence[str]) -> str:
    """Sentences as a list, escaped here; nothing where there are none."""
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences) + "</ul>" if sentences else ""


def figure(drawing: str, caption: str) -> str:
    """A drawing with its caption, which is escaped here."""
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def mark(text: str, kind: str = "") -> str:
    """A mark beside figures, such as SIMULATED."""
    return f"<span class='mark {kind}'>{escape(text)}</span>"
