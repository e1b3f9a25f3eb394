"""Five small services that stand in for the real ones: real sockets, real data, real rules."""
