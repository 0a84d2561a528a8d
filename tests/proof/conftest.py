"""What real packets need: root, `ip` and `nft`."""

import os
from pathlib import Path
from typing import Final

import pytest

from gx.proof.laboratory.namespaces import Network
from gx.proof.laboratory.tools import LaboratoryError, NetworkTools, find_network_tools

IS_CI: Final = bool(os.environ.get("CI"))  # noqa: TID251 (tests have no settings module)
ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def network_tools() -> NetworkTools:
    """The programs; excused is who may make no namespaces, but not a root of CI."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root: the packets were not sent")
    tools = find_network_tools(ROOT / ".cache")
    try:
        with Network(tools, {"trial": "198.18.0.1"}) as network:
            network.filter("trial", "flush ruleset\n")
    except LaboratoryError as error:
        if IS_CI:
            raise
        pytest.skip(f"this root may make no network namespaces: {error}")
    return tools
