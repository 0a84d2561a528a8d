"""Pods as network namespaces of this machine: policies as packet filters, real packets between."""
