"""Why there is no data, found from outside: by Prometheus, the targets, manifests and routes."""
