"""What programs of others export; `gx.monitoring.jobs` has the jobs that scrape them."""
