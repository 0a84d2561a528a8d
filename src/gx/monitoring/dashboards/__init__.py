"""Dashboards as values, and the files that Grafana reads."""
