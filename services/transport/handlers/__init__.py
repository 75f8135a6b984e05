"""The use cases of transport; commands, consumers and tickers call the same ones."""
