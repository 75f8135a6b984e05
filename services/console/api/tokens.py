"""Access tokens, and the public keys that prove them."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, SecretStr

from services.console.desk import Desk
from services.console.domain.account import PASSWORD_LENGTH_MAX, TOKEN_LIFETIME_S
from services.console.handlers.sign_in import Credentials, owed, sign_in
from shared.http import House

router = APIRouter()


class Credential(BaseModel):
    """What an account shows to get a token."""

    account: str = Field(min_length=1, max_length=63)
    password: SecretStr = Field(max_length=PASSWORD_LENGTH_MAX)
    # A code of six digits, or one of the recovery codes.
    totp: SecretStr | None = Field(None, max_length=20)


@router.post("/v1/tokens")
async def issue(request: Request, given: Credential) -> dict[str, Any]:
    """Give an access token for five minutes."""
    house: House = request.app.state.house
    desk = house.resource(Desk)
    totp = given.totp.get_secret_value() if given.totp else None
    credentials = Credentials(given.account, given.password.get_secret_value(), totp)
    account = await sign_in(house.db, desk.factors, credentials)
    if problem := owed(account, factor_required=house.settings.factor_required):
        raise problem
    token = desk.token(account.identity)
    return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S}


@router.get("/.well-known/jwks.json")
async def jwks(request: Request) -> dict[str, Any]:
    """Give the public keys (RFC 7517)."""
    house: House = request.app.state.house
    return house.resource(Desk).keys.jwks()


@router.get("/.well-known/openid-configuration")
async def configuration(request: Request) -> dict[str, Any]:
    """Say where the keys are, as an OIDC issuer does."""
    house: House = request.app.state.house
    issuer = house.resource(Desk).keys.issuer
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "token_endpoint": f"{issuer}/v1/tokens",
        "id_token_signing_alg_values_supported": ["ES256"],
    }
