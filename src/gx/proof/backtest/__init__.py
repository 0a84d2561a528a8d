"""What a rule set would have done over a Prometheus' history."""
