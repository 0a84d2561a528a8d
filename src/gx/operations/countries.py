"""The countries that a new system opens: the thirty with which most people live, roughly.

Shares are each country's part of the world's population in per cent, to one decimal
(United Nations, World Population Prospects 2024, medium variant); they sum to less than 100.
"""

from typing import Final

from gx.client.commands import CountryShare

_SHARES: Final = """
    IN=17.8 CN=17.4 US=4.2 ID=3.5 PK=3.1 NG=2.9 BR=2.6 BD=2.1 RU=1.8 ET=1.6
    MX=1.6 JP=1.5 EG=1.4 PH=1.4 CD=1.3 VN=1.2 IR=1.1 TR=1.1 DE=1.0 TH=0.9
    TZ=0.8 GB=0.8 FR=0.8 ZA=0.8 IT=0.7 KE=0.7 KR=0.6 ES=0.6 CA=0.5 AU=0.3
"""

DEFAULT_COUNTRIES: Final = tuple(
    CountryShare(country_code=code, percentage=share)
    for code, _, share in (entry.partition("=") for entry in _SHARES.split())
)
