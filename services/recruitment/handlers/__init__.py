"""What recruitment does: each use case a function, for consumers, tickers and HTTP alike."""
