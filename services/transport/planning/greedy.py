"""The plan one makes by hand, county by county: better plans are measured by it."""

from collections import defaultdict

from services.transport.planning.finish import finish, hindered
from services.transport.planning.model import Party, Place, Plan, Run, Task


def county_by_county(task: Task) -> Plan:
    """Fill one vehicle after the other at each place, groups first; none visits two places."""
    by_place: dict[Place, list[Party]] = defaultdict(list)
    left: list[Party] = []
    for party in task.parties:
        (left if hindered(task, party) else by_place[party.place]).append(party)
    vehicles = task.vehicles
    runs: list[Run] = []
    for place, parties in sorted(by_place.items()):
        here: list[Run] = []
        for party in sorted(parties, key=lambda p: -p.size):
            run = next((r for r in here if r.takes(task, party)), None)
            if run is None and vehicles and party.size <= vehicles[0].licensed_capacity:
                run = Run(vehicles.pop(0), [], [place])
                here.append(run)
            if run is None:
                left.append(party)
            else:
                run.parties.append(party)
        runs += here
    return finish(task, runs, left)
