"""What happens to every request, whatever it asks: pure ASGI, one file each.

The order stands in `bff.app.middleware_list`.
"""
