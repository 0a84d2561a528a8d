"""Two versions of the contracts, served side by side while the channel changes over."""

import pytest

from tests.monitoring.kubernetes.manifests import TWO_VERSIONS, Workload, build, containers_of

pytestmark = [pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(600)]


def servers_of(service: str) -> list[Workload]:
    """List the workloads whose pods a Service sends peers to."""
    built = build(TWO_VERSIONS)
    (found,) = (each for each in built.services if each.metadata.name == service)
    return [each for each in built.workloads if found.spec.selector.items() <= each.labels.items()]


@pytest.mark.parametrize("slot", ["chaincode", "chaincode-b"])
def test_each_service_leads_to_one_version(slot: str) -> None:
    """A peer that meets a server of another package lets every call hang."""
    (server,) = servers_of(slot)

    assert server.metadata.name == slot


@pytest.mark.parametrize("slot", ["chaincode", "chaincode-b"])
def test_a_server_registers_under_the_package_of_its_own_version(slot: str) -> None:
    """The id begins with the version that the image has; settings and TLS are the slot's own."""
    built = build(TWO_VERSIONS)
    (container,) = (each for owner, each in containers_of(built) if owner.metadata.name == slot)
    (settings,) = (
        source.config_map_ref.name
        for source in container.env_from
        if source.config_map_ref is not None and source.config_map_ref.name != "gx-settings"
    )
    name, _, version = container.image.partition(":")

    assert name == "gxtv3-chaincode-devnet"
    assert settings == f"gx-{slot}-settings"
    package_id = built.config_map(settings)["GX_CHAINCODE_PACKAGE_ID"]
    assert package_id.startswith(f"gxtv3_{version}:")


def test_policies_and_scraping_know_both() -> None:
    """They select by labels that the slots share."""
    shared = {"app.kubernetes.io/name": "chaincode", "tier": "backend", "component": "chaincode"}
    servers = [*servers_of("chaincode"), *servers_of("chaincode-b")]

    assert all(shared.items() <= each.labels.items() for each in servers)
