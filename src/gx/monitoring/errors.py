"""What can be wrong with the monitoring's declarations, as one error."""

from gx.domain.errors import GxError


class MonitoringError(GxError):
    """The declarations contradict each other or lack something; the text names each fault."""
