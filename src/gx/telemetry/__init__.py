"""What the processes say: the metric catalogue, instruments, logs, traces and probes."""
