"""Why an offer, a placement or a nomination came to its end: codes, never what a person typed."""

from typing import Final

# Structured reasons of a cancellation, for people to choose from.
CANCELLATION: Final = frozenset(
    {
        "did_not_come",
        "unsuitable",
        "changed_mind",
        "failed_medical",
        "failed_interview",
        "documents_missing",
        "qualification_missing",
        "family_reasons",
        "illness",
        "found_other_job",
        "pay_disagreement",
        "conditions_differ",
        "lodging_unsuitable",
        "travel_impossible",
        "missed_trip",
        "start_postponed",
        "enterprise_cancelled",
        "vacancy_withdrawn",
        "duplicate",
    }
)
DECLINE: Final = frozenset(
    {
        "changed_mind",
        "family_reasons",
        "illness",
        "found_other_job",
        "pay_disagreement",
        "too_far",
        "starts_too_early",
        "starts_too_late",
        "not_reachable",
        "unsuitable",
    }
)
WITHDRAWAL: Final = frozenset(
    {"unsuitable", "enterprise_cancelled", "order_cancelled", "duplicate", "start_postponed"}
)
ENDING: Final = frozenset(
    {
        "resigned",
        "dismissed",
        "contract_ended",
        "failed_probation",
        "family_reasons",
        "illness",
        "retired",
        "found_other_job",
        "did_not_come",
    }
)
KNOWN: Final = CANCELLATION | DECLINE | WITHDRAWAL | ENDING
OTHER: Final = "other"


def coded(text: str | None) -> str:
    """Give the code that a person chose, else `other`: free text may name somebody."""
    return text if text in KNOWN else OTHER
