"""The annotation workbench: what a mask started from, tasks, consensus and adjudication, findings and preferences."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FINDINGS = (
    "acetowhite_epithelium",
    "mosaic",
    "punctation",
    "atypical_vessels",
    "squamocolumnar_junction",
    "cervix_outline",
)
_ORIGINS = (
    "painted",
    "simulated",
    "closed",
    "border",
    "chord",
    "linked",
    "extended",
    "open",
    "partial",
    "majority",
    "staple",
    "adjudicated",
)
_STARTS = ("nothing", "own_version", "other_version", "other_image", "proposal", "combination")


def upgrade() -> None:
    _make_tables()
    _rebuild_annotations()
    _rebuild_versions()
    _add_columns()


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _make_tables() -> None:
    op.create_table(
        "annotation_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("finding", _words("finding", *_FINDINGS), nullable=False),
        sa.Column("n_annotators", sa.Integer(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("proposals", sa.Boolean(), nullable=False),
        sa.Column("order", _words("order", "date", "random", "uncertainty"), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("adjudicator_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("n_annotators >= 1", name=op.f("ck_annotation_tasks_n_annotators")),
        sa.ForeignKeyConstraint(
            ["adjudicator_id"], ["people.id"], name=op.f("fk_annotation_tasks_adjudicator_id_people")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_annotation_tasks_created_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotation_tasks")),
        sa.UniqueConstraint("title", name=op.f("uq_annotation_tasks_title")),
    )
    op.create_table(
        "preferences",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name=op.f("fk_preferences_changed_by_people")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_preferences")),
    )
    op.create_table(
        "consensus_masks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("finding", _words("finding", *_FINDINGS), nullable=False),
        sa.Column("method", _words("method", "majority", "staple", "union", "intersection"), nullable=False),
        sa.Column("sources_sha256", sa.String(length=64), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("mask_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_consensus_masks_image_id_images")),
        sa.ForeignKeyConstraint(["mask_id"], ["masks.id"], name=op.f("fk_consensus_masks_mask_id_masks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consensus_masks")),
        sa.UniqueConstraint(
            "image_id",
            "finding",
            "method",
            "sources_sha256",
            name=op.f("uq_consensus_masks_image_id_finding_method_sources_sha256"),
        ),
    )
    op.create_index(op.f("ix_consensus_masks_mask_id"), "consensus_masks", ["mask_id"], unique=False)

    op.create_table(
        "adjudications",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("finding", _words("finding", *_FINDINGS), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("method", _words("method", "taken", "combined", "painted"), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_adjudications_decided_by_people")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_adjudications_image_id_images")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["annotation_versions.id"], name=op.f("fk_adjudications_version_id_annotation_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjudications")),
    )
    op.create_index("ix_adjudications_image_id_finding", "adjudications", ["image_id", "finding"], unique=False)

    op.create_table(
        "findings_forms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("adequate", sa.Boolean(), nullable=True),
        sa.Column(
            "junction", _words("junction", "completely_visible", "partially_visible", "not_visible"), nullable=True
        ),
        sa.Column("transformation_zone", sa.Integer(), nullable=True),
        sa.Column("location", _words("location", "inside", "outside", "both"), nullable=True),
        sa.Column("clock_hours", sa.JSON(), nullable=False),
        sa.Column("quadrants", sa.Integer(), nullable=True),
        sa.Column("cervix_percent", sa.Double(), nullable=True),
        sa.Column("iodine", _words("iodine", "stained", "non_stained"), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_from", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "cervix_percent IS NULL OR cervix_percent BETWEEN 0 AND 100", name=op.f("ck_findings_forms_cervix_percent")
        ),
        sa.CheckConstraint("quadrants IS NULL OR quadrants BETWEEN 0 AND 4", name=op.f("ck_findings_forms_quadrants")),
        sa.CheckConstraint(
            "transformation_zone IS NULL OR transformation_zone BETWEEN 1 AND 3", name=op.f("ck_findings_forms_zone")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_findings_forms_case_id_cases")),
        sa.ForeignKeyConstraint(["entered_by"], ["people.id"], name=op.f("fk_findings_forms_entered_by_people")),
        sa.ForeignKeyConstraint(
            ["proposed_from"],
            ["annotation_versions.id"],
            name=op.f("fk_findings_forms_proposed_from_annotation_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings_forms")),
        sa.UniqueConstraint("case_id", name=op.f("uq_findings_forms_case_id")),
    )
    op.create_table(
        "task_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", _words("state", "waiting", "submitted", "skipped"), nullable=False),
        sa.Column("skip_reason", sa.String(length=300), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("active_ms", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["annotator_id"], ["people.id"], name=op.f("fk_task_items_annotator_id_people")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_task_items_image_id_images")),
        sa.ForeignKeyConstraint(
            ["task_id"], ["annotation_tasks.id"], name=op.f("fk_task_items_task_id_annotation_tasks")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["annotation_versions.id"], name=op.f("fk_task_items_version_id_annotation_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_items")),
        sa.UniqueConstraint(
            "task_id", "annotator_id", "position", name=op.f("uq_task_items_task_id_annotator_id_position")
        ),
        sa.UniqueConstraint(
            "task_id", "image_id", "annotator_id", name=op.f("uq_task_items_task_id_image_id_annotator_id")
        ),
    )
    op.create_index("ix_task_items_annotator_id_state", "task_items", ["annotator_id", "state"], unique=False)
    op.create_index("ix_task_items_image_id", "task_items", ["image_id"], unique=False)

    op.create_table(
        "findings_signs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form_id", sa.Integer(), nullable=False),
        sa.Column(
            "sign",
            _words(
                "sign",
                "obscured_by_blood",
                "obscured_by_inflammation",
                "obscured_by_scar",
                "original_squamous_mature",
                "original_squamous_atrophic",
                "ectopy",
                "metaplasia",
                "nabothian_cysts",
                "crypt_openings",
                "deciduosis_in_pregnancy",
                "thin_acetowhite_epithelium",
                "irregular_geographic_border",
                "fine_mosaic",
                "fine_punctation",
                "dense_acetowhite_epithelium",
                "rapid_appearance",
                "cuffed_crypt_openings",
                "coarse_mosaic",
                "coarse_punctation",
                "sharp_border",
                "inner_border_sign",
                "ridge_sign",
                "leukoplakia",
                "erosion",
                "atypical_vessels",
                "fragile_vessels",
                "irregular_surface",
                "exophytic_lesion",
                "necrosis",
                "ulceration",
                "tumour",
                "congenital_transformation_zone",
                "condyloma",
                "polyp_ectocervical",
                "polyp_endocervical",
                "inflammation",
                "stenosis",
                "congenital_anomaly",
                "post_treatment_consequence",
                "endometriosis",
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["form_id"], ["findings_forms.id"], name=op.f("fk_findings_signs_form_id_findings_forms")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings_signs")),
        sa.UniqueConstraint("form_id", "sign", name=op.f("uq_findings_signs_form_id_sign")),
    )


def _rebuild_annotations() -> None:
    """A check constraint can only be widened by building the table anew; each row is copied."""
    op.create_table(
        "annotations_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("annotator_id", sa.Integer(), nullable=False),
        sa.Column("finding", _words(op.f("ck_annotations_finding"), *_FINDINGS), nullable=False),
        sa.Column(
            "state",
            _words(op.f("ck_annotations_state"), "draft", "to_confirm", "submitted", "rejected"),
            nullable=False,
        ),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("draft_mask_id", sa.Integer(), nullable=True),
        sa.Column("draft_seq", sa.Integer(), nullable=False),
        sa.Column("draft_saved_at", sa.DateTime(), nullable=True),
        sa.Column("draft_start", _words(op.f("ck_annotations_draft_start"), *_STARTS), nullable=False),
        sa.Column("draft_start_mask_id", sa.Integer(), nullable=True),
        sa.Column("draft_start_version_id", sa.Integer(), nullable=True),
        sa.Column("draft_start_prediction_id", sa.Integer(), nullable=True),
        sa.Column("draft_proposal_shown", sa.Boolean(), nullable=False),
        sa.Column("draft_strokes", sa.Integer(), nullable=False),
        sa.Column("draft_active_ms", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["annotator_id"], ["people.id"], name=op.f("fk_annotations_annotator_id_people")),
        sa.ForeignKeyConstraint(["draft_mask_id"], ["masks.id"], name=op.f("fk_annotations_draft_mask_id_masks")),
        sa.ForeignKeyConstraint(
            ["draft_start_mask_id"], ["masks.id"], name=op.f("fk_annotations_draft_start_mask_id_masks")
        ),
        sa.ForeignKeyConstraint(
            ["draft_start_version_id"],
            ["annotation_versions.id"],
            name=op.f("fk_annotations_draft_start_version_id_annotation_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["draft_start_prediction_id"],
            ["predictions.id"],
            name=op.f("fk_annotations_draft_start_prediction_id_predictions"),
        ),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_annotations_image_id_images")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotations")),
        sa.UniqueConstraint("document_id", name=op.f("uq_annotations_document_id")),
        sa.UniqueConstraint(
            "image_id", "annotator_id", "finding", name=op.f("uq_annotations_image_id_annotator_id_finding")
        ),
    )
    # A draft over a version was painted upon that version: what older stores know of it.
    op.execute(
        """
        INSERT INTO annotations_new
        SELECT old.id, old.image_id, old.annotator_id, old.finding, old.state, old.document_id, old.draft_mask_id,
               old.draft_seq, old.draft_saved_at,
               CASE WHEN last.id IS NULL THEN 'nothing' ELSE 'own_version' END,
               last.mask_id, last.id, NULL, 0, 0, 0, old.created_at
        FROM annotations AS old
        LEFT JOIN annotation_versions AS last
          ON last.annotation_id = old.id
         AND last.number = (SELECT max(number) FROM annotation_versions WHERE annotation_id = old.id)
        """
    )
    op.drop_table("annotations")
    op.rename_table("annotations_new", "annotations")
    op.create_index("ix_annotations_annotator_id_state", "annotations", ["annotator_id", "state"])
    op.create_index(op.f("ix_annotations_draft_mask_id"), "annotations", ["draft_mask_id"])
    op.create_index(op.f("ix_annotations_draft_start_mask_id"), "annotations", ["draft_start_mask_id"])
    op.create_index("ix_annotations_state", "annotations", ["state"])


def _rebuild_versions() -> None:
    op.create_table(
        "annotation_versions_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("annotation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("mask_id", sa.Integer(), nullable=False),
        sa.Column("origin", _words(op.f("ck_annotation_versions_origin"), *_ORIGINS), nullable=False),
        sa.Column("base_number", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("start", _words(op.f("ck_annotation_versions_start"), *_STARTS), nullable=True),
        sa.Column("start_mask_id", sa.Integer(), nullable=True),
        sa.Column("start_version_id", sa.Integer(), nullable=True),
        sa.Column("start_prediction_id", sa.Integer(), nullable=True),
        sa.Column("proposal_shown", sa.Boolean(), nullable=True),
        sa.Column("strokes", sa.Integer(), nullable=True),
        sa.Column("active_ms", sa.Integer(), nullable=True),
        sa.Column("kept_share", sa.Double(), nullable=True),
        sa.Column("added_share", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["annotation_id"], ["annotations.id"], name=op.f("fk_annotation_versions_annotation_id_annotations")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name=op.f("fk_annotation_versions_author_id_people")),
        sa.ForeignKeyConstraint(["mask_id"], ["masks.id"], name=op.f("fk_annotation_versions_mask_id_masks")),
        sa.ForeignKeyConstraint(
            ["start_mask_id"], ["masks.id"], name=op.f("fk_annotation_versions_start_mask_id_masks")
        ),
        sa.ForeignKeyConstraint(
            ["start_version_id"],
            ["annotation_versions.id"],
            name=op.f("fk_annotation_versions_start_version_id_annotation_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["start_prediction_id"],
            ["predictions.id"],
            name=op.f("fk_annotation_versions_start_prediction_id_predictions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotation_versions")),
        sa.UniqueConstraint("annotation_id", "number", name=op.f("uq_annotation_versions_annotation_id_number")),
    )
    op.execute(
        """
        INSERT INTO annotation_versions_new
        SELECT id, annotation_id, number, author_id, mask_id, origin, base_number, note,
               NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, created_at
        FROM annotation_versions
        """
    )
    op.drop_table("annotation_versions")
    op.rename_table("annotation_versions_new", "annotation_versions")
    op.create_index(op.f("ix_annotation_versions_mask_id"), "annotation_versions", ["mask_id"])
    op.create_index(op.f("ix_annotation_versions_start_mask_id"), "annotation_versions", ["start_mask_id"])


def _add_columns() -> None:
    op.execute(
        "ALTER TABLE histology ADD COLUMN site_image_id INTEGER "
        "CONSTRAINT fk_histology_site_image_id_images REFERENCES images (id)"
    )
    op.execute("ALTER TABLE histology ADD COLUMN site_x_px DOUBLE")
    op.execute("ALTER TABLE histology ADD COLUMN site_y_px DOUBLE")
    op.create_index(op.f("ix_histology_site_image_id"), "histology", ["site_image_id"])
    op.execute("ALTER TABLE predictions ADD COLUMN mask_entropy DOUBLE")
    op.execute(
        "ALTER TABLE snapshots ADD COLUMN mask_policy VARCHAR(40) NOT NULL DEFAULT 'newest' "
        "CONSTRAINT ck_snapshots_mask_policy "
        "CHECK (mask_policy IN ('newest', 'annotator', 'majority', 'staple', 'adjudicated'))"
    )
    op.execute(
        "ALTER TABLE snapshots ADD COLUMN mask_annotator_id INTEGER "
        "CONSTRAINT fk_snapshots_mask_annotator_id_people REFERENCES people (id)"
    )
