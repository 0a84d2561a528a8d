"""The real promtool, as in the tests of gx.monitoring."""

from tests.monitoring.conftest import run_tool, tools

__all__ = ["run_tool", "tools"]
