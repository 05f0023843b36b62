ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
# Debian keeps only the newest version of a package, so a pinned one could not be installed for long.
# hadolint ignore=DL3008
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 binutils >/dev/null \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements/ requirements/
RUN VENV=/opt/venv requirements/install image

# Remove the parts of TensorFlow that are needed only to compile against it (headers, libclang and
# symbol tables), and the installers. This saves 0.7 GB. Only TensorFlow's libraries are stripped.
# Other libraries were rewritten when their wheels were built, and strip may break them.
RUN rm -r /opt/venv/lib/python3.*/site-packages/tensorflow/include \
          /opt/venv/lib/python3.*/site-packages/clang \
 && find /opt/venv/lib/python3.*/site-packages/tensorflow -name '*.so*' \
         -exec strip --strip-unneeded {} + \
 && /opt/venv/bin/python -m pip uninstall --quiet --yes --root-user-action ignore uv pip

COPY service/ service/
COPY models/ models/

# The container is read-only when it runs, so the bytecode is compiled here.
RUN rm -r requirements && /opt/venv/bin/python -m compileall -q service

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="mammolens" \
      org.opencontainers.image.description="A mammogram in, an explained prediction out. Not a medical device." \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="Apache-2.0"

# The official Python images lack the bytecode of the standard library. Without this step, every
# start would compile it again.
# Volumes take their owner from the directories for keys and for the audit.
RUN python3 -m compileall -q -x '/(test|site-packages|dist-packages)/' \
    "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && install -d -m 0700 -o 10001 -g 10001 /keys /audit

COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "service", "health"]
CMD ["python", "-m", "service"]
