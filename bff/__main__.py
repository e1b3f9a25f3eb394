"""`python -Im bff`: the command line, whatever lies in the current folder."""

from bff.cli import main

main()
