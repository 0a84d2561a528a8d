"""What AdminContract answers about the system, its parameters and its countries."""

from gx.chaincode.context import Context
from gx.chaincode.functions import evaluate
from gx.contracts import countries, genesis, supply, system
from gx.domain.arguments import Arguments
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.economics import PARAMETERS
from gx.domain.identifiers import CountryCode, treasury_of


@evaluate("AdminContract:GetSystemStatus")
def get_system_status(context: Context, _arguments: Arguments) -> JsonObject:
    """Tell whether the system is bootstrapped and paused; answers before bootstrap too."""
    status = system.find_status(context)
    if status is None:
        return {"bootstrapped": False, "paused": False}
    paused = status.pause_reason is not None
    return {"bootstrapped": True, "paused": paused, **status.to_wire()}


@evaluate("AdminContract:GetSystemParameter")
def get_system_parameter(context: Context, arguments: Arguments) -> JsonObject:
    """Return one parameter's value with its unit.

    Raises:
        RefusedError: NOT_BOOTSTRAPPED.
    """
    parameter_id = arguments.text("id")
    value = system.parameters(context)[parameter_id]
    return {"id": parameter_id, "value": str(value), "unit": PARAMETERS[parameter_id].unit}


@evaluate("AdminContract:GetCountryStats")
def get_country_stats(context: Context, arguments: Arguments) -> JsonObject:
    """Return a country's share, its users, and what genesis paid them and their treasury.

    Raises:
        RefusedError: COUNTRY_UNKNOWN.
    """
    code = CountryCode(arguments.text("countryCode"))
    country, paid = countries.require(context, code), genesis.of_country(context, code)
    return {
        "countryCode": code,
        "percentage": country.percentage,
        "treasuryId": treasury_of(code),
        "users": country.users,
        "genesisUsers": paid.users,
        "genesisUserAmount": str(paid.user_amount),
        "genesisTreasuryAmount": str(paid.treasury_amount),
    }


@evaluate("AdminContract:ListCountries")
def list_countries(context: Context, _arguments: Arguments) -> JsonObject:
    """Return every open country by code, with its share and users."""
    listed: list[JsonValue] = [
        {"countryCode": code, **country.to_wire()} for code, country in countries.scan(context)
    ]
    return {"countries": listed}


@evaluate("AdminContract:GetGlobalCounters")
def get_global_counters(context: Context, _arguments: Arguments) -> JsonObject:
    """Return how many users, countries and distributions there are, and the supply."""
    users = [country.users for _, country in countries.scan(context)]
    return {
        "users": sum(users),
        "countries": len(users),
        "genesisDistributed": genesis.distributed(context),
        "supply": str(supply.minted(context)),
    }
