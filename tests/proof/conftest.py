"""What real packets need: root, `ip` and `nft`."""

import os
from pathlib import Path
from typing import Final

import pytest

from gx.proof.laboratory.tools import NetworkTools, find_network_tools

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def network_tools() -> NetworkTools:
    """The programs; only who is not root, and so can make no namespaces, is excused."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root: the packets were not sent")
    return find_network_tools(ROOT / ".cache")
