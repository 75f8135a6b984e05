"""What recruitment is told by its environment."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.recruitment.handlers.houserules import HouseRules
from services.recruitment.matching.problem import Policy
from shared.settings import ServiceSettings


class RecruitmentSettings(ServiceSettings):
    """Recruitment's settings, all with the prefix `RECRUITMENT_`."""

    model_config = SettingsConfigDict(
        env_prefix="RECRUITMENT_", extra="ignore", hide_input_in_errors=True
    )

    #: How long an offer waits for its answer (business time).
    offer_hours: int = Field(48, ge=1, le=24 * 90)
    #: How many rounds may pass over a group before it goes first, and how long openings are kept
    #: for it then.
    group_skip_rounds_max: int = Field(3, ge=0, le=1000)
    group_hold_rounds_max: int = Field(5, ge=0, le=1000)
    #: How many of each person's best vacancies a round looks at first.
    match_best_count: int = Field(16, ge=10, le=2000)

    def house_rules(self) -> HouseRules:
        """Give what of it concerns rounds and offers."""
        policy = Policy(
            best_count=self.match_best_count,
            skip_max=self.group_skip_rounds_max,
            hold_max=self.group_hold_rounds_max,
        )
        return HouseRules(timedelta(hours=self.offer_hours), policy)
