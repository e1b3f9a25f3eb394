"""`bff demo`: the BFF over five services of its own, and a page on which to break them.

Nothing else in the program imports this package: what it offers is for one person at this machine.
"""
