"""What each further port of the stand-in stands for."""

from typing import Final

PEER: Final = "stand_in_peer"
ORDERER: Final = "stand_in_orderer"
REDIS: Final = "stand_in_redis"
BACKEND: Final = "stand_in_backend"
SECOND: Final = "stand_in_second"
VOICES: Final = (PEER, ORDERER, REDIS, BACKEND, SECOND)
