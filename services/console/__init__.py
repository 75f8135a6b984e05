"""Sign-in and tenants, the pages of all kinds of users, the event monitor, journeys, tasks."""
