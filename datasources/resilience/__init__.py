"""Small policies, each one file, composed into one pipeline per service.

The order is written in exactly one place: `standard.py`. Policies know calls, replies and
errors; they know nothing of HTTP.
"""
