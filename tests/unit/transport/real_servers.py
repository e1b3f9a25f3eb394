"""nginx and haproxy, on loopback, for as long as a test needs them."""

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import socket
from dataclasses import dataclass

import httpx

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
_PATIENCE = 10.0

NGINX = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/json;
  {rest}
}}
"""

HAPROXY = """
global
  stats socket {folder}/stats
defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 5s
  timeout server 5s
{rest}
"""


def free_port():
    """One that nobody has now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class RealServer:
    """A program that serves on *port*."""

    port: int
    process: asyncio.subprocess.Process
    scheme: str = "http"

    def request(self, method="GET", path="/", **rest):
        return httpx.Request(method, f"{self.scheme}://localhost:{self.port}{path}", **rest)

    def reload(self):
        """Read the configuration again; the old worker answers what it has begun."""
        self.process.send_signal(signal.SIGHUP)


@contextlib.asynccontextmanager
async def nginx(folder, rest, *, scheme="http"):
    """Serving as *rest* says, where `{port}` is a free one."""
    port = free_port()
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(
        NGINX.format(folder=folder, user=user, rest=rest.replace("{port}", str(port))), "utf-8"
    )
    arguments = ("-p", str(folder), "-c", str(path), "-e", str(folder / "error.log"))
    async with _running("nginx", arguments, port) as process:
        yield RealServer(port, process, scheme)


@contextlib.asynccontextmanager
async def haproxy(folder, rest):
    """Serving as *rest* says, where `{port}` is a free one."""
    port = free_port()
    path = folder / "haproxy.cfg"
    path.write_text(HAPROXY.format(folder=folder, rest=rest.replace("{port}", str(port))), "utf-8")
    async with _running("haproxy", ("-db", "-f", str(path)), port) as process:
        yield RealServer(port, process)


@contextlib.asynccontextmanager
async def _running(command, arguments, port):
    program = shutil.which(command, path=_PATH)
    assert program is not None, f"{command} is missing: make debian"
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listening(process, port)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _listening(process, port):
    async with asyncio.timeout(_PATIENCE):
        while process.returncode is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.01)
    raise AssertionError("it has ended; see its error log")
