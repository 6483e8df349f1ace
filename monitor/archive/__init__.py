"""What was seen, on disk, away from the server's memory: for search, backtests, explanations and export."""
