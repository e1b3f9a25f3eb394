"""HTTP/1.1 over asyncio and llhttp, behind httpx's transport seam.

Nothing here knows our services, nor our errors: it takes httpx's requests and raises httpx's
exceptions.
"""
