# A tag moves. To pin the bytes as well, look its digest up where you pull from and name it:
#   make image ARGS="--build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:..."
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG UV_VERSION=0.13.8
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/app \
    UV_PYTHON_DOWNLOADS=never
RUN python -m pip install --no-cache-dir --root-user-action=ignore "uv==${UV_VERSION}"
WORKDIR /source
# The dependencies change less often than we do: a layer of their own, of wheels only.
COPY pyproject.toml uv.lock ./
RUN python -m uv sync --locked --no-dev --no-build --no-install-project
COPY . .
RUN python -m uv sync --locked --no-dev --no-editable

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="graphql-bff" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /app /app
ENV PATH=/app/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /tmp
# A number, so that an orchestrator can see that it is not root. Nothing is written outside /tmp.
USER 10001:10001
EXPOSE 8000
# Neither site-packages nor any module of ours: it costs 15 ms, not a second of imports.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-I", "-S", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=2); c.request('GET', '/livez'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "-Im", "bff"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
