"""What every rule is tested with: generated input series, and how many alerts they must fire."""
