"""Which vehicle takes whom, and over which stops: plans made from the pool, checked leg by leg."""

from services.transport.planning.demand import Rider
from services.transport.planning.model import Fleet, Party, Plan, Run, Task
from services.transport.planning.planner import Planned, Planner

__all__ = ["Fleet", "Party", "Plan", "Planned", "Planner", "Rider", "Run", "Task"]
