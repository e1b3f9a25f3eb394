"""Typed, resilient access to the internal REST services.

Knows HTTP and failure; knows nothing of GraphQL or of who is asking.
The schema imports only `ports`, `errors` and `sourced`; the rest is built in `bff.wiring`.
"""
