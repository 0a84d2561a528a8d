"""Kubernetes, as far as it follows from declarations: who may talk to whom, and who may look."""
