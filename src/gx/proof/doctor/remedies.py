"""What is said of a failed scrape, and the smallest change that mends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gx.proof.causes import Cause


@dataclass(frozen=True, slots=True)
class Advice:
    """What a cause means for a target, and what to do."""

    what: str
    fix: str


ADVICE: Final[Mapping[Cause, Advice]] = {
    Cause.PROCESS_DOWN: Advice(
        "nobody listens there: the process is down, or listens elsewhere",
        "start the process, or look at why it ended (`gx status`, `kubectl get pods`)",
    ),
    Cause.CONNECTION_RESET: Advice(
        "the connection is accepted and then broken off",
        "look at the target's log: it, or a proxy before it, ends when it is asked",
    ),
    Cause.NO_ANSWER: Advice(
        "nothing answers: the host is gone, or something drops the packets in between",
        "see whether the host runs, and run `gx reachability` over its manifests",
    ),
    Cause.NO_ROUTE: Advice(
        "the network has no way there", "correct the address, or the routes of Prometheus' host"
    ),
    Cause.DNS: Advice(
        "the host's name is not resolved",
        "correct the name; in a cluster, let Prometheus reach DNS on UDP and TCP 53",
    ),
    Cause.TLS: Advice(
        "one side speaks TLS and the other does not, or the certificate is not trusted",
        "set the job's `scheme` to what the target speaks, and `tls_config` to who signed it",
    ),
    Cause.PATH: Advice(
        "the target answers, and has nothing at this path", "set the job's `metrics_path`"
    ),
    Cause.AUTHENTICATION: Advice(
        "the target wants to know who asks",
        "give the job `authorization` or `basic_auth`, or open the metrics port without",
    ),
    Cause.SERVER_ERROR: Advice(
        "the target fails while it answers", "look at the target's log at this moment"
    ),
    Cause.SLOW_HANDLER: Advice(
        "the target answers, and takes longer than the scrape's timeout",
        "make its answer cheaper, or raise the job's `scrape_timeout`",
    ),
    Cause.NOT_METRICS: Advice(
        "the answer is no exposition, but a page or JSON",
        "scrape the port and path of the metrics: this one belongs to something else",
    ),
    Cause.BAD_EXPOSITION: Advice(
        "the exposition cannot be parsed",
        "correct the line that is named; `promtool check metrics` judges the rest",
    ),
    Cause.SAMPLE_LIMIT: Advice(
        "it delivers more samples than the job allows, and all are refused",
        "find the label that runs away; raise `sample_limit` only if all of them are wanted",
    ),
    Cause.UNKNOWN: Advice("the scrape fails", "read the error"),
}
