"""The configuration files of the native network's nodes, as the documents written into them.

Written whole instead of patched over Fabric's samples: environment variables only reach keys
that a file has, and the samples' defaults suit neither loopback nor two organisations. Each
deviation from them has its reason beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from gx.fabric.network import DOMAIN, HOST, ORDERER_MSP, Document, Network, Organisation

# Peers and orderer refuse clients that ping more often than this; the gateway's own links ping
# every 10 s whatever is configured, and would be cut off again and again with Fabric's 60 s.
PING_INTERVAL_MIN: Final = "5s"
# A simulation holds up every commit of its peer, so a hung chaincode must be given up early.
EXECUTE_TIMEOUT: Final = "5s"
MESSAGE_BYTES_MAX: Final = 100 * 1024 * 1024
KEYS_PER_MESSAGE_MAX: Final = 10_000
_SIGNATURES: Final[Document] = {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}}


def orderer_config(network: Network) -> Document:
    """Write orderer.yaml. It has no system channel: channels are joined through `osnadmin`."""
    data = network.data("orderer")
    return {
        "General": {
            "ListenAddress": HOST,
            "ListenPort": network.orderer.service,
            **_orderer_tls(network),
            "Keepalive": {
                "ServerMinInterval": PING_INTERVAL_MIN,
                "ServerInterval": "7200s",
                "ServerTimeout": "20s",
            },
            "BootstrapMethod": "none",
            "LocalMSPDir": str(network.orderer_home / "msp"),
            "LocalMSPID": ORDERER_MSP,
            "BCCSP": _SIGNATURES,
            "Authentication": {"TimeWindow": "15m"},
        },
        "FileLedger": {"Location": str(data)},
        "Consensus": {
            "WALDir": str(data / "etcdraft" / "wal"),
            "SnapDir": str(data / "etcdraft" / "snapshot"),
        },
        "ChannelParticipation": {"Enabled": True, "MaxRequestBodySize": 1024 * 1024},
        "Admin": {
            "ListenAddress": f"{HOST}:{network.orderer.admin}",
            "TLS": {"Enabled": False},  # on loopback; anyone on it may join channels
        },
        "Operations": {
            "ListenAddress": f"{HOST}:{network.orderer.operations}",
            "TLS": {"Enabled": False},
        },
        "Metrics": {"Provider": "prometheus"},
    }


def _orderer_tls(network: Network) -> Document:
    tls = network.orderer_home / "tls"
    key, certificate, root = (str(tls / name) for name in ("server.key", "server.crt", "ca.crt"))
    return {
        "TLS": {
            "Enabled": True,
            "PrivateKey": key,
            "Certificate": certificate,
            "RootCAs": [root],
            "ClientAuthRequired": False,
        },
        "Cluster": {
            "ClientCertificate": certificate,
            "ClientPrivateKey": key,
            "RootCAs": [root],
        },
    }


def peer_config(network: Network, organisation: Organisation) -> Document:
    """Write a peer's core.yaml."""
    return {
        "peer": {
            **_peer_identity(network, organisation),
            **_peer_listening(organisation),
            "gossip": _gossip(organisation),
            "handlers": _handlers(),
            "discovery": _discovery(),
            **_peer_limits(),
        },
        "vm": {"endpoint": ""},  # or the peer looks for Docker and never becomes healthy
        "chaincode": _chaincode_section(network),
        "ledger": _ledger_section(network, organisation),
        "operations": {
            "listenAddress": f"{HOST}:{organisation.ports.operations}",
            "tls": {"enabled": False},
        },
        "metrics": {"provider": "prometheus"},
    }


def _peer_identity(network: Network, organisation: Organisation) -> Document:
    home = network.peer_home(organisation)
    return {
        "id": organisation.peer_name,
        "networkId": DOMAIN,
        "localMspId": organisation.msp_id,
        "localMspType": "bccsp",
        "mspConfigPath": str(home / "msp"),
        "fileSystemPath": str(network.data(organisation.name)),
        "BCCSP": _SIGNATURES,
        "tls": {
            "enabled": True,
            "clientAuthRequired": False,
            "cert": {"file": str(home / "tls" / "server.crt")},
            "key": {"file": str(home / "tls" / "server.key")},
            "rootcert": {"file": str(home / "tls" / "ca.crt")},
        },
        "authentication": {"timewindow": "15m"},
    }


def _peer_listening(organisation: Organisation) -> Document:
    for_chaincode = f"{HOST}:{organisation.ports.chaincode}"
    return {
        "listenAddress": organisation.endpoint,
        "address": organisation.endpoint,
        "addressAutoDetect": False,
        "chaincodeListenAddress": for_chaincode,
        "chaincodeAddress": for_chaincode,
        "keepalive": {
            "minInterval": PING_INTERVAL_MIN,
            "client": {"interval": "60s", "timeout": "20s"},
            "deliveryClient": {"interval": "60s", "timeout": "20s"},
        },
        "client": {"connTimeout": "3s"},
        "deliveryclient": {
            "reconnectTotalTimeThreshold": "3600s",
            "connTimeout": "3s",
            "reConnectBackoffThreshold": "2s",  # an orderer that is back is found at once
        },
        "profile": {"enabled": False},
    }


def _peer_limits() -> Document:
    return {
        "limits": {
            "concurrency": {"endorserService": 2500, "deliverService": 2500, "gatewayService": 500}
        },
        "maxRecvMsgSize": MESSAGE_BYTES_MAX,
        "maxSendMsgSize": MESSAGE_BYTES_MAX,
        "gateway": {
            "enabled": True,
            "endorsementTimeout": "10s",
            "broadcastTimeout": "10s",
            "dialTimeout": "10s",
        },
    }


def _gossip(organisation: Organisation) -> Document:
    # With the samples' intervals two organisations need 30 s to find each other, and until then
    # no peer can gather the endorsements of both.
    return {
        "bootstrap": organisation.endpoint,
        "endpoint": organisation.endpoint,
        "externalEndpoint": organisation.endpoint,
        "useLeaderElection": False,
        "orgLeader": True,
        "reconnectInterval": "500ms",
        "aliveTimeInterval": "1s",
        "aliveExpirationTimeout": "5s",
        "publishStateInfoInterval": "500ms",
        "requestStateInfoInterval": "500ms",
        "membershipTrackerInterval": "1s",
        "state": {"enabled": False},
        "pvtData": {
            "pullRetryThreshold": "60s",
            "transientstoreMaxBlockRetention": 1000,
            "pushAckTimeout": "3s",
            "btlPullMargin": 10,
            "reconcileBatchSize": 10,
            "reconcileSleepInterval": "1m",
            "reconciliationEnabled": False,
        },
    }


def _handlers() -> Document:
    return {
        "authFilters": [{"name": "DefaultAuth"}, {"name": "ExpirationCheck"}],
        "decorators": [{"name": "DefaultDecorator"}],
        "endorsers": {"escc": {"name": "DefaultEndorsement"}},
        "validators": {"vscc": {"name": "DefaultValidation"}},
    }


def _discovery() -> Document:
    return {
        "enabled": True,
        "authCacheEnabled": True,
        "authCacheMaxSize": 1000,
        "authCachePurgeRetentionRatio": 0.75,
        "orgMembersAllowedAccess": False,
    }


def _chaincode_section(network: Network) -> Document:
    return {
        "mode": "net",
        "keepalive": 0,
        "startuptimeout": "30s",
        "executetimeout": EXECUTE_TIMEOUT,
        "installTimeout": "30s",
        "externalBuilders": [{"name": "gx", "path": str(network.builder)}],
        "system": dict.fromkeys(("_lifecycle", "cscc", "lscc", "qscc"), "enable"),
        "logging": {"level": "info", "shim": "warning"},
        # A batch of a thousand commands reads and writes its keys in one message each.
        "runtimeParams": {
            "useWriteBatch": True,
            "maxSizeWriteBatch": KEYS_PER_MESSAGE_MAX,
            "useGetMultipleKeys": True,
            "maxSizeGetMultipleKeys": KEYS_PER_MESSAGE_MAX,
        },
    }


def _ledger_section(network: Network, organisation: Organisation) -> Document:
    return {
        "state": {"stateDatabase": "goleveldb", "totalQueryLimit": 100_000},
        "history": {"enableHistoryDatabase": True},
        "snapshots": {"rootDir": str(network.data(organisation.name) / "snapshots")},
        "pvtdataStore": {
            "collElgProcMaxDbBatchSize": 5000,
            "collElgProcDbBatchesInterval": 1000,
        },
    }


def client_config() -> Document:
    """Write the core.yaml of the `peer` program as a client; the rest comes by environment."""
    return {
        "peer": {
            "localMspType": "bccsp",
            "BCCSP": _SIGNATURES,
            "client": {"connTimeout": "5s"},
            "tls": {"enabled": True},
        }
    }


def builder_scripts() -> Mapping[str, Sequence[str]]:
    """Write the external builder: it takes packages of type `ccaas` and starts nothing.

    `build` and `release` keep connection.json, which tells the peer where the server is. The
    peer runs them with PATH alone in their environment.
    """
    return {
        "detect": ('grep -q \'"type": *"ccaas"\' "$2/metadata.json"',),
        "build": ('cp "$1/connection.json" "$3/connection.json"',),
        "release": (
            'mkdir -p "$2/chaincode/server"',
            'cp "$1/connection.json" "$2/chaincode/server/connection.json"',
        ),
    }
