"""A study that was sealed and closed before closings were kept."""

import json

from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.services.studies.report import study_report
from colpo_core.store import Store
from colpo_core.terms import Role
from tests.support.store_rows import sealed

SEAL = "2aa3f99232306defa3925c283cb4f23d69d6b127249097eb183aa42af285c76a"
SEALED = {
    "arm": "unaided",
    "cases": [
        {"case_id": 1, "image_id": 1, "image_sha256": "a" * 64, "truth": "normal"},
        {"case_id": 2, "image_id": 2, "image_sha256": "b" * 64, "truth": "hsil"},
    ],
    "checkpoints": [],
    "chosen_by": "all cases with a label by histology",
    "format": 2,
    "label_source": "histology",
    "left_out": [],
    "name": "Old",
    "plan": {
        "alpha": 0.05, "confidence": "percent", "endpoint": "auc", "exposed": "exclude", "hypotheses": "",
        "interim_results": False, "margin": None, "n_sessions": 2, "repeat_share": 0.0, "washout_days": 0,
    },
    "practice": [],
    "question": "Is it?",
    "reader_ids": [1],
    "rules_versions": ["kim-2022.1"],
    "seed": 3,
}  # fmt: skip
AT = "2026-01-01 00:00:00"
ROWS = f"""
INSERT INTO people (id, username, display_name, role, active, failed_sign_ins, created_at) VALUES
(1, 'r', 'R', 'reader', 1, 0, '{AT}'), (2, 'ada', 'Ada', 'administrator', 1, 0, '{AT}');
INSERT INTO patients (id, code, simulated, created_at) VALUES (1, 'P1', 0, '{AT}'), (2, 'P2', 0, '{AT}');
INSERT INTO cases (id, patient_id, colposcopy, simulated, created_at, version) VALUES
(1, 1, 'normal', 0, '{AT}', 1), (2, 2, 'not_recorded', 0, '{AT}', 1);
INSERT INTO images (id, case_id, sha256, media_type, width_px, height_px, stage, shows_cervix, simulated,
stage_guessed, created_at) VALUES (1, 1, '{"a" * 64}', 'image/png', 2, 2, 'acetic_acid', 1, 0, 0, '{AT}'),
(2, 2, '{"b" * 64}', 'image/png', 2, 2, 'acetic_acid', 1, 0, 0, '{AT}');
INSERT INTO labels (case_id, source, label, reason, flagged, rules_version, decided_at)
VALUES (1, 'histology', 'normal', '', 0, 'kim-2022.1', '{AT}'), (2, 'histology', 'normal', '', 0, 'kim-2022.1', '{AT}');
INSERT INTO studies (id, name, question, state, seed, design, seal_sha256, created_by, created_at, opened_at, closed_at)
VALUES (1, 'Old', 'Is it?', 'closed', 3, '{json.dumps(SEALED)}', '{SEAL}', 2, '{AT}', '{AT}', '2026-01-09 00:00:00');
INSERT INTO study_cases VALUES (1, 1, 1, 'normal'), (1, 2, 2, 'hsil');
INSERT INTO study_readers VALUES (1, 1);
INSERT INTO readings (study_id, reader_id, case_id, call, confidence, shown_at, answered_at, session, arm, occurrence,
phase) VALUES (1, 1, 1, 'hsil', 70, '2026-01-02 00:00:00', '2026-01-02 00:00:09', 1, 'unaided', 1, 1)
"""  # noqa: S608 - constants of this file


def test_an_old_sealed_study_keeps_its_seal_and_its_report_says_what_is_computed_otherwise(store: Store) -> None:
    with store.writing() as session:
        for statement in ROWS.strip().split(";\n"):
            session.connection().exec_driver_sql(statement)
    ada = Caller(store, Actor(2, "ada", "Ada", Role.ADMINISTRATOR))
    assert sealed(store, 1).sha256 == SEAL
    anew = study_report(ada, study_id=1).anew
    assert (anew.code_version, anew.methods_version) == (None, 1)
    assert anew.changes
    said = study_conduct(ada, study_id=1).warnings
    assert any("no washout" in one for one in said)
    assert any("1 of 2 cases has changed (1 from HSIL to normal)" in one for one in said)
