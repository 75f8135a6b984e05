"""Rosters: reads what offices and enterprises send, and says what is wrong with every cell.

`child.Readers` has a file read in a bounded process; `settle` decides what becomes of each row once
the registry knows whom it knows already; `offline.check_file` does it all without a server.
Nothing here touches a database or the network.
"""
