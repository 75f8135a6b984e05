"""`shanhai`: the one command line of a local stack."""

from stack.commands import clock, events, letters, operating, repairing, restoring, rosters, system
from stack.commands.showing import Group

app = Group("山海 Shanhai: 劳务协作系统  labour cooperation between provinces and Shanghai")
_COMMANDS = (
    system.up, system.down, system.status, system.demo, system.accounts, system.token,
    operating.check, operating.erase, repairing.replay,
    repairing.rebuild, restoring.backup, restoring.restore,
)  # fmt: skip
for command in _COMMANDS:
    app.command()(command)
app.add_typer(clock.app, name="clock")
app.add_typer(rosters.app, name="roster")
app.add_typer(events.app, name="events")
app.add_typer(letters.app, name="dead-letters")
app.add_typer(operating.journeys, name="journeys")

if __name__ == "__main__":
    app()
