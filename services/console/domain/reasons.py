"""The reasons that people choose from; the services know the same codes."""

from typing import Final

#: Why an office says no to an offer.
DECLINES: Final = (
    "changed_mind", "family_reasons", "illness", "found_other_job", "pay_disagreement", "too_far",
    "starts_too_early", "starts_too_late", "not_reachable", "unsuitable",
)  # fmt: skip
#: Why an enterprise or a coordinator calls a placement off.
CANCELLATIONS: Final = (
    "did_not_come", "changed_mind", "unsuitable", "failed_medical", "failed_interview",
    "documents_missing", "qualification_missing", "family_reasons", "illness", "found_other_job",
    "pay_disagreement", "conditions_differ", "lodging_unsuitable", "travel_impossible",
    "missed_trip", "start_postponed", "enterprise_cancelled", "duplicate",
)  # fmt: skip
#: Why a trip is late or does not run.
TROUBLES: Final = ("weather", "breakdown", "traffic", "below_minimum", "other")
