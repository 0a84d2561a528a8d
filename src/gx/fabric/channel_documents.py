"""What the native network's channel is made of: its certificates and its first block."""

from typing import Final

from gx.fabric.network import DOMAIN, HOST, ORDERER_MSP, PROFILE, Document, Network, Organisation

# One Raft tick of 500 ms, as in the samples, leaves a restarted orderer leaderless for 5 to 10 s.
RAFT_TICK: Final = "100ms"
RAFT_ELECTION_TICKS: Final = 10


def crypto_config(network: Network) -> Document:
    """Say which certificates `cryptogen` makes. Roles stand in the certificates' OU."""
    sans = ["localhost", HOST]
    return {
        "OrdererOrgs": [
            {
                "Name": "Orderer",
                "Domain": DOMAIN,
                "EnableNodeOUs": True,
                "Specs": [{"Hostname": "orderer", "SANS": sans}],
            }
        ],
        "PeerOrgs": [
            {
                "Name": organisation.name.capitalize(),
                "Domain": organisation.domain,
                "EnableNodeOUs": True,
                "Template": {"Count": 1, "SANS": sans},
                "Users": {"Count": 1},
            }
            for organisation in network.organisations
        ],
    }


def channel_config(network: Network) -> Document:
    """Say what is in the channel's first block: organisations, policies, how blocks are cut."""
    orderer = _orderer_organisation(network)
    peers = [_peer_organisation(network, each) for each in network.organisations]
    policies: Document = {
        **_meta_policies(),
        "LifecycleEndorsement": _meta("MAJORITY Endorsement"),
        "Endorsement": _meta("MAJORITY Endorsement"),
    }
    return {
        "Organizations": [orderer, *peers],
        "Profiles": {
            PROFILE: {
                "Policies": _meta_policies(),
                "Capabilities": {"V3_0": True},
                "Orderer": _ordering(network, orderer),
                "Application": {
                    "Organizations": peers,
                    "Policies": policies,
                    "Capabilities": {"V2_5": True},
                },
            }
        },
    }


def _ordering(network: Network, organisation: Document) -> Document:
    batching = network.batching
    certificate = str(network.orderer_home / "tls" / "server.crt")
    return {
        "OrdererType": "etcdraft",
        "BatchTimeout": f"{batching.timeout_ms}ms",
        "BatchSize": {
            "MaxMessageCount": batching.messages_max,
            "AbsoluteMaxBytes": batching.absolute_bytes_max,
            "PreferredMaxBytes": batching.preferred_bytes_max,
        },
        "EtcdRaft": {
            "Consenters": [
                {
                    "Host": HOST,
                    "Port": network.orderer.service,
                    "ClientTLSCert": certificate,
                    "ServerTLSCert": certificate,
                }
            ],
            "Options": {
                "TickInterval": RAFT_TICK,
                "ElectionTick": RAFT_ELECTION_TICKS,
                "HeartbeatTick": 1,
                "MaxInflightBlocks": 5,
                "SnapshotIntervalSize": 16 * 1024 * 1024,
            },
        },
        "Organizations": [organisation],
        "Policies": {**_meta_policies(), "BlockValidation": _meta("ANY Writers")},
        "Capabilities": {"V2_0": True},
    }


def _orderer_organisation(network: Network) -> Document:
    return {
        "Name": "OrdererOrg",
        "ID": ORDERER_MSP,
        "MSPDir": str(network.crypto / "ordererOrganizations" / DOMAIN / "msp"),
        "Policies": {
            "Readers": _signed(f"OR('{ORDERER_MSP}.member')"),
            "Writers": _signed(f"OR('{ORDERER_MSP}.member')"),
            "Admins": _signed(f"OR('{ORDERER_MSP}.admin')"),
        },
        # Per organisation: the capability V3_0 forbids addresses for the whole channel.
        "OrdererEndpoints": [network.orderer_endpoint],
    }


def _peer_organisation(network: Network, organisation: Organisation) -> Document:
    msp = organisation.msp_id
    return {
        "Name": msp,
        "ID": msp,
        "MSPDir": str(network.organisation_home(organisation) / "msp"),
        "Policies": {
            "Readers": _signed(f"OR('{msp}.admin', '{msp}.peer', '{msp}.client')"),
            "Writers": _signed(f"OR('{msp}.admin', '{msp}.client')"),
            "Admins": _signed(f"OR('{msp}.admin')"),
            "Endorsement": _signed(f"OR('{msp}.peer')"),
        },
        # Without anchor peers the organisations never learn of each other's peers.
        "AnchorPeers": [{"Host": HOST, "Port": organisation.ports.service}],
    }


def _meta_policies() -> Document:
    return {
        "Readers": _meta("ANY Readers"),
        "Writers": _meta("ANY Writers"),
        "Admins": _meta("MAJORITY Admins"),
    }


def _meta(rule: str) -> Document:
    return {"Type": "ImplicitMeta", "Rule": rule}


def _signed(rule: str) -> Document:
    return {"Type": "Signature", "Rule": rule}
