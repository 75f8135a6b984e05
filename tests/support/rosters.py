"""Rosters of invented persons for tests; the generator is the demo's."""

from stack.people import ERRORS, FAULTS, RosterSpec, a_roster, invented_rows, resident_id, written

__all__ = ["ERRORS", "FAULTS", "RosterSpec", "a_roster", "invented_rows", "resident_id", "written"]
