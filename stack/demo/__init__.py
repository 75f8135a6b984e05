"""The demo: the world of the bulletins, three offices' rosters, and the days that follow."""
