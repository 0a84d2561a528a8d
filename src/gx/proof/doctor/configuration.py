"""Prometheus' configuration, as far as a diagnosis reads it."""

from collections.abc import Mapping

import msgspec
import yaml

from gx.monitoring.live import PrometheusError
from gx.proof.doctor.relabelling import ScrapeConfig


class _Configuration(msgspec.Struct):
    scrape_configs: list[ScrapeConfig] = []


def read_jobs(text: str) -> Mapping[str, ScrapeConfig]:
    """Read the scrape jobs of a configuration, by name.

    Raises:
        PrometheusError: It is no configuration of Prometheus.
    """
    try:
        loaded: object = yaml.load(text, Loader=yaml.CSafeLoader)
        found = msgspec.convert(loaded, _Configuration, strict=False)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise PrometheusError(f"the configuration of Prometheus is not read: {error}") from error
    return {job.job_name: job for job in found.scrape_configs}
