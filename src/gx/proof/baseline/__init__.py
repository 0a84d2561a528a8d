"""What alerts' numbers usually are, and which thresholds would have paged when."""
