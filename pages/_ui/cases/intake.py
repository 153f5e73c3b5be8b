"""Importing images through the browser: files or a folder, one patient, one day, a stage for each file."""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from colpo_core.records.cases.cases import ImportReport, ImportStatus, IncomingFile
from colpo_core.services.cases.image_questions import asked_images
from colpo_core.services.cases.stage_guess import guess_stage
from colpo_core.services.imports.files import import_images
from colpo_core.terms import Stage
from pages._ui.cases.image_questions import show_questions
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import STAGES

_REPORT, _ROUND = "import_report", "import_round"
_STATUS = {
    ImportStatus.IMPORTED: "✓ imported",
    ImportStatus.DUPLICATE: "= already there",
    ImportStatus.REFUSED: "✗ refused",
}


def show_intake(ctx: PageContext) -> None:
    """Draw the form for new images, and what became of the last ones."""
    report: ImportReport | None = st.session_state.get(_REPORT)
    if report is not None:
        _results(ctx, report)
        return
    round_number = st.session_state.get(_ROUND, 0)
    about, drop = st.columns([1, 2], gap="large")
    with about:
        code = st.text_input(
            "Patient code",
            key=f"import_code_{round_number}",
            placeholder="P-0042",
            help="The pseudonym that your clinic uses: no name, no date of birth. A known code means the same patient.",
        )
        day = st.date_input(
            "Day of the examination",
            value=None,
            key=f"import_day_{round_number}",
            min_value=date(1950, 1, 1),
            max_value=date.today() + timedelta(days=1),  # noqa: DTZ011 - the clinic's own day
            format="YYYY-MM-DD",
        )
        st.caption("One patient and one day are one case. Names of files and all that a camera writes are dropped.")
    with drop:
        from_folder = st.toggle("A whole folder", key=f"import_folder_{round_number}")
        uploaded = st.file_uploader(
            "Images: JPEG, PNG, TIFF or BMP, up to 50 megapixels",
            accept_multiple_files="directory" if from_folder else True,
            key=f"import_files_{round_number}_{from_folder}",
        )
    if uploaded:
        stages = _stages(uploaded, round_number)
        _import_button(ctx, code, day, uploaded, stages)


def _stages(uploaded: Sequence[UploadedFile], round_number: int) -> pd.DataFrame:
    st.markdown("**Stage of each image**")
    table = pd.DataFrame(
        {
            "File": [file.name for file in uploaded],
            "Stage": [STAGES[guess_stage(file.name) or Stage.ACETIC_ACID] for file in uploaded],
            "Seconds after acid": pd.array([pd.NA] * len(uploaded), dtype="Int64"),
        }
    )
    # The key holds the files: the editor keeps changes by row, and another set of files has other rows.
    names = "|".join(f"{file.name}:{file.size}" for file in uploaded)
    edited: pd.DataFrame = st.data_editor(
        table,
        key=f"import_stages_{round_number}_{hash(names)}",
        hide_index=True,
        width="stretch",
        height=min(320, 38 + 35 * len(table)),
        disabled=["File"],
        column_config={
            "File": st.column_config.TextColumn(width="large"),
            "Stage": st.column_config.SelectboxColumn(options=list(STAGES.values()), required=True),
            "Seconds after acid": st.column_config.NumberColumn(min_value=0, max_value=3600, step=1),
        },
    )
    return edited


def _import_button(
    ctx: PageContext, code: str, day: date | None, uploaded: Sequence[UploadedFile], stages: pd.DataFrame
) -> None:
    missing = [word for word, is_given in (("the patient code", code.strip()), ("the day", day)) if not is_given]
    count = len(uploaded)
    if not st.button(f"Import {count} image{'s' if count != 1 else ''}", type="primary", icon=":material/upload:"):
        return
    if missing:
        st.warning(f"Give {' and '.join(missing)} first. Nothing was imported.", icon=":material/edit:")
        return
    with showing_errors(), st.spinner("Reading the images …"):
        st.session_state[_REPORT] = import_images(
            ctx.caller, patient_code=code, case_date=day, files=_incoming(uploaded, stages)
        )
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1  # new keys: the form starts empty next time
        st.rerun()


def _incoming(uploaded: Sequence[UploadedFile], stages: pd.DataFrame) -> list[IncomingFile]:
    by_name = {text: stage for stage, text in STAGES.items()}
    return [
        IncomingFile(
            name=file.name,
            content=file.getvalue(),
            stage=by_name[stage],
            seconds_after_acid=None if pd.isna(seconds) else int(seconds),
        )
        for file, stage, seconds in zip(uploaded, stages["Stage"], stages["Seconds after acid"], strict=True)
    ]


def _results(ctx: PageContext, report: ImportReport) -> None:
    imported, duplicates, refused = st.columns(3)
    imported.metric("Imported", report.imported, border=True)
    duplicates.metric("Already there", report.duplicates, border=True)
    refused.metric("Refused", report.refused, border=True)
    made = [
        f"{count} new {noun}{'' if count == 1 else 's'}"
        for noun, count in (("patient", report.new_patients), ("case", report.new_cases))
    ]
    st.caption(f"{' and '.join(made)} made. Nothing is made where no image was imported.")
    for outcome in report.copies:
        text = f"{plain(outcome.name)}: {' '.join((outcome.reason, *outcome.notes)).strip()}"
        st.warning(text, icon=":material/content_copy:")
    if report.not_compared:
        st.info(
            f"{report.not_compared} images that an older version of the program stored were not compared with these. "
            "They are once a snapshot has been previewed.",
            icon=":material/info:",
        )
    # Queried again, so that questions answered a moment ago are not repeated.
    ids = [
        outcome.image_id
        for outcome in report.outcomes
        if outcome.image_id is not None and outcome.status is ImportStatus.IMPORTED
    ]
    show_questions(asked_images(ctx.caller, image_ids=ids), key="import_asked")
    st.dataframe(
        pd.DataFrame(
            {
                "File": [outcome.name for outcome in report.outcomes],
                "Result": [_STATUS[outcome.status] for outcome in report.outcomes],
                "Case": pd.array([outcome.case_id or pd.NA for outcome in report.outcomes], dtype="Int64"),
                "Why": [" ".join((outcome.reason, *outcome.notes)).strip() for outcome in report.outcomes],
            }
        ),
        hide_index=True,
        width="stretch",
        height=min(360, 38 + 35 * len(report.outcomes)),
        column_config={"Why": st.column_config.TextColumn(width="large")},
    )
    held_already = sorted({outcome.case_id for outcome in report.outcomes if outcome.case_id is not None})
    with st.container(horizontal=True):
        for case_id in (report.case_ids or held_already)[:5]:
            link("cases", f"Open case {case_id}", icon=":material/folder_open:", case=case_id)
        st.button("Import more", icon=":material/add:", on_click=lambda: st.session_state.pop(_REPORT, None))
