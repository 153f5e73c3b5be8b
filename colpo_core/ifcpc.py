"""The words of the colposcopic findings form.

Source: Bornstein et al. 2012, "2011 colposcopic terminology of the International Federation for Cervical Pathology
and Colposcopy". As in `terms`, a value never changes once a release has written it.
"""

from enum import StrEnum


class Junction(StrEnum):
    """How far the squamocolumnar junction is visible."""

    COMPLETELY = "completely_visible"
    PARTIALLY = "partially_visible"
    NOT = "not_visible"


class LesionLocation(StrEnum):
    """Where the lesion lies with regard to the transformation zone."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    BOTH = "both"


class Iodine(StrEnum):
    """Lugol's staining."""

    STAINED = "stained"
    NON_STAINED = "non_stained"


class SignGroup(StrEnum):
    """The form's headings."""

    INADEQUATE = "inadequate"
    NORMAL = "normal"
    GRADE_1 = "grade_1"
    GRADE_2 = "grade_2"
    NON_SPECIFIC = "non_specific"
    INVASION = "suspicious_for_invasion"
    MISCELLANEOUS = "miscellaneous"


class Sign(StrEnum):
    """What can be ticked; `group` says under which heading."""

    OBSCURED_BY_BLOOD = "obscured_by_blood"
    OBSCURED_BY_INFLAMMATION = "obscured_by_inflammation"
    OBSCURED_BY_SCAR = "obscured_by_scar"
    ORIGINAL_MATURE = "original_squamous_mature"
    ORIGINAL_ATROPHIC = "original_squamous_atrophic"
    ECTOPY = "ectopy"
    METAPLASIA = "metaplasia"
    NABOTHIAN_CYSTS = "nabothian_cysts"
    CRYPT_OPENINGS = "crypt_openings"
    DECIDUOSIS = "deciduosis_in_pregnancy"
    THIN_ACETOWHITE = "thin_acetowhite_epithelium"
    IRREGULAR_BORDER = "irregular_geographic_border"
    FINE_MOSAIC = "fine_mosaic"
    FINE_PUNCTATION = "fine_punctation"
    DENSE_ACETOWHITE = "dense_acetowhite_epithelium"
    RAPID_APPEARANCE = "rapid_appearance"
    CUFFED_CRYPT_OPENINGS = "cuffed_crypt_openings"
    COARSE_MOSAIC = "coarse_mosaic"
    COARSE_PUNCTATION = "coarse_punctation"
    SHARP_BORDER = "sharp_border"
    INNER_BORDER_SIGN = "inner_border_sign"
    RIDGE_SIGN = "ridge_sign"
    LEUKOPLAKIA = "leukoplakia"
    EROSION = "erosion"
    ATYPICAL_VESSELS = "atypical_vessels"
    FRAGILE_VESSELS = "fragile_vessels"
    IRREGULAR_SURFACE = "irregular_surface"
    EXOPHYTIC_LESION = "exophytic_lesion"
    NECROSIS = "necrosis"
    ULCERATION = "ulceration"
    TUMOUR = "tumour"
    CONGENITAL_TRANSFORMATION_ZONE = "congenital_transformation_zone"
    CONDYLOMA = "condyloma"
    POLYP_ECTOCERVICAL = "polyp_ectocervical"
    POLYP_ENDOCERVICAL = "polyp_endocervical"
    INFLAMMATION = "inflammation"
    STENOSIS = "stenosis"
    CONGENITAL_ANOMALY = "congenital_anomaly"
    POST_TREATMENT = "post_treatment_consequence"
    ENDOMETRIOSIS = "endometriosis"

    @property
    def group(self) -> SignGroup:
        """The heading that the sign stands under."""
        return next(group for group, signs in SIGNS.items() if self in signs)


SIGNS: dict[SignGroup, tuple[Sign, ...]] = {
    SignGroup.INADEQUATE: (Sign.OBSCURED_BY_BLOOD, Sign.OBSCURED_BY_INFLAMMATION, Sign.OBSCURED_BY_SCAR),
    SignGroup.NORMAL: (
        Sign.ORIGINAL_MATURE,
        Sign.ORIGINAL_ATROPHIC,
        Sign.ECTOPY,
        Sign.METAPLASIA,
        Sign.NABOTHIAN_CYSTS,
        Sign.CRYPT_OPENINGS,
        Sign.DECIDUOSIS,
    ),
    SignGroup.GRADE_1: (Sign.THIN_ACETOWHITE, Sign.IRREGULAR_BORDER, Sign.FINE_MOSAIC, Sign.FINE_PUNCTATION),
    SignGroup.GRADE_2: (
        Sign.DENSE_ACETOWHITE,
        Sign.RAPID_APPEARANCE,
        Sign.CUFFED_CRYPT_OPENINGS,
        Sign.COARSE_MOSAIC,
        Sign.COARSE_PUNCTATION,
        Sign.SHARP_BORDER,
        Sign.INNER_BORDER_SIGN,
        Sign.RIDGE_SIGN,
    ),
    SignGroup.NON_SPECIFIC: (Sign.LEUKOPLAKIA, Sign.EROSION),
    SignGroup.INVASION: (
        Sign.ATYPICAL_VESSELS,
        Sign.FRAGILE_VESSELS,
        Sign.IRREGULAR_SURFACE,
        Sign.EXOPHYTIC_LESION,
        Sign.NECROSIS,
        Sign.ULCERATION,
        Sign.TUMOUR,
    ),
    SignGroup.MISCELLANEOUS: (
        Sign.CONGENITAL_TRANSFORMATION_ZONE,
        Sign.CONDYLOMA,
        Sign.POLYP_ECTOCERVICAL,
        Sign.POLYP_ENDOCERVICAL,
        Sign.INFLAMMATION,
        Sign.STENOSIS,
        Sign.CONGENITAL_ANOMALY,
        Sign.POST_TREATMENT,
        Sign.ENDOMETRIOSIS,
    ),
}
