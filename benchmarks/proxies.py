"""Proxies before the service, each with a configuration and a port of its own."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

_NGINX = Template("""
daemon off;
user $user;
pid $folder/nginx.pid;
error_log $folder/nginx.log;
events { worker_connections 256; }
http {
  access_log off;
  client_max_body_size 200m;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  map $$http_upgrade $$connection_upgrade { default upgrade; '' ''; }
  upstream service { server 127.0.0.1:$service; keepalive 8; }
  server {
    listen 127.0.0.1:$port;
    location = /model/reload { return 403; }
    location / { proxy_pass http://service; $lines }
  }
}
""")
_WEBSOCKET = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    "proxy_set_header Connection $connection_upgrade;"
)
_HAPROXY = Template("""
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:$port
  http-request deny if { path /model/reload }
  default_backend service
backend service
  http-reuse always
  server service 127.0.0.1:$service
""")

PROXIES = ("nginx", "nginx with WebSocket", "haproxy")
"""nginx in its default settings, nginx with the usual lines for WebSocket, and HAProxy."""

HOSTS = "127.0.0.1,a,service"
"""Hosts of the requests: of the health check, of the callers, and as nginx passes them on."""


@contextmanager
def proxied(proxy: str, service: int, folder: Path) -> Iterator[int]:
    """Run a proxy before the service's port and yield its own port.

    All refuse the path /model/reload. `folder`: for its files.

    Raises:
        FileNotFoundError: the proxy is not installed.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    program = proxy.partition(" ")[0]
    path = shutil.which(program)
    if path is None:
        raise FileNotFoundError(f"{program} is missing: run requirements/outside")

    lines = _WEBSOCKET if "WebSocket" in proxy else ""
    template = _HAPROXY if program == "haproxy" else _NGINX
    config = folder / f"{program}.conf"
    config.write_text(
        template.substitute(
            folder=folder, user=getpass.getuser(), port=port, service=service, lines=lines
        ),
        encoding="utf-8",
    )

    command = [path, "-f", str(config)]
    if program == "nginx":
        command = [path, "-c", str(config), "-p", str(folder), "-e", str(folder / "nginx.log")]
    with subprocess.Popen(  # noqa: S603 - named above
        command, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_until_open(port)
            yield port
        finally:
            process.terminate()


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
