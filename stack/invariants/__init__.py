"""What must always hold over databases and topics; `shanhai check` asks it of a running stack."""

from stack.invariants.check import Finding, check

__all__ = ["Finding", "check"]
