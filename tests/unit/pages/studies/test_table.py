"""The tables of a study: texts are escaped, warnings stand above details, and a lone cell takes the whole width."""

from pages._ui.studies.table import Cell, Row, study_table


def test_texts_are_escaped_and_rows_keep_their_kind() -> None:
    html = study_table(
        ("<A>", "B"),
        [
            Row(("Part",), "part"),
            ("<b>anna", Cell("1 of 2", "by <c>", ("not all", "seen"))),
            ("plain", Cell("–", "", ("x",))),
        ],
    )
    assert "<th scope='col'>&lt;A&gt;</th>" in html
    assert "<tr class='part'><td colspan='2'>Part</td></tr>" in html
    assert "<td>&lt;b&gt;anna</td>" in html
    warnings = "<span class='warn'>not all</span><br><span class='warn'>seen</span><br>"
    assert f"<td><div class='value'>1 of 2</div><div class='detail'>{warnings}by &lt;c&gt;</div></td>" in html
    assert "<div class='detail'><span class='warn'>x</span></div>" in html
