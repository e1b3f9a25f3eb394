"""Which part of an upstream list a page is, and how a cursor names a place in it."""
