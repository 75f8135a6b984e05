"""The console's tables: the feed, facts, journeys, tasks, accounts, sessions."""
