"""Tables of what a model learned from, and how."""

from colpo_core.exchange.tables import TextTable
from colpo_core.records.models.cards import Block
from colpo_core.terms import Split


def trained_on_table(card: Block) -> TextTable:
    """Patients, labels and masks on each side of the snapshot."""
    counts = card["trained_on"]
    rows = [
        (
            side.value,
            str(counts["patients"][side]),
            str(counts["case_labels"][side]["normal"]),
            str(counts["case_labels"][side]["hsil"]),
            str(counts["masks"][side]),
        )
        for side in Split
    ]
    return TextTable(("Side", "Patients", "Cases normal", "Cases HSIL", "Masks"), rows)


def settings_table(card: Block) -> TextTable:
    """Architecture and settings, and what the machine chose where the settings leave the choice to it."""
    values = {**card["architecture"], **card["settings"]}
    # Cards of older versions do not say on how many threads, or nothing of it at all.
    values |= {f"computed with: {name}": value for name, value in card.get("computed_on", {}).items()}
    return TextTable(
        ("Setting", "Value"), [(str(name).replace("_", " "), str(value)) for name, value in values.items()]
    )
