# One image for every process: what it runs is its argument (`api serve`, `outbox submit`, …).
#   docker build --target runtime   -t gx-protocol:0.2.0 .
#   docker build --target chaincode -t gxtv3-chaincode-devnet:0.2.0 .
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/gx
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
# The console serves them.
COPY docs/runbooks ./docs/runbooks
RUN /opt/gx/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      -c constraints.txt '.[fabric]' \
 && /opt/gx/bin/python -m pip uninstall --yes pip setuptools

FROM python:3.11.13-slim-bookworm AS runtime
# Nothing is written outside of /tmp and mounted volumes: the root file system may be read-only.
ENV PATH=/opt/gx/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A new volume takes the owner of the folder that it is mounted on.
RUN install -d -o 10001 -g 10001 /var/lib/gx/ledger /var/lib/gx/keys /run/gx
COPY --from=build /opt/gx /opt/gx
USER 10001:10001
WORKDIR /tmp
STOPSIGNAL SIGTERM
ENTRYPOINT ["gx"]
CMD ["--help"]

FROM runtime AS chaincode
CMD ["chaincode", "serve"]
