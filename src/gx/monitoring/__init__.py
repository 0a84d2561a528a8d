"""What operators get, rendered from the catalogue: scrape jobs, rules, routing; the live check."""
