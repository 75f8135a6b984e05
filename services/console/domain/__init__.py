"""What the console decides: journeys, tasks, accounts; pure."""
