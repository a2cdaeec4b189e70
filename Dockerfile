# hermes-init built from source, and two images made of it:
#
#   docker build --target hermes-init -t hermes-init .   the file alone, for  COPY --from=hermes-init /hermes-init /usr/local/bin/
#   docker build -t hermes .                             a runnable image: Debian, the hermes user, the services of etc/
#
# Both base images can be pinned by digest from the command line (--build-arg DEBIAN_IMAGE=debian@sha256:…); whoever publishes
# the image should. Nothing else is downloaded but Debian packages, which apt verifies.
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG DEBIAN_IMAGE=debian:13-slim

# ---------- build: one static file ----------
# hadolint ignore=DL3006
FROM ${SWIFT_IMAGE} AS build
# musl makes the file a quarter of the size, and its start faster. Its version is the base image's business.
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install -y --no-install-recommends musl-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources/ Sources/
# SwiftPM wants the targets for tests that Package.swift names to be there; each stands on one line of it.
RUN sed -i '/\.testTarget(/d; /"Tests\//d' Package.swift && \
    swift build -c release --product hermes-init && \
    cp .build/release/hermes-init /hermes-init

# ---------- hermes-init: nothing but the file ----------
FROM scratch AS hermes-init
COPY --from=build /hermes-init /hermes-init
ENTRYPOINT ["/hermes-init", "--"]

# ---------- the runnable image ----------
# hadolint ignore=DL3006
FROM ${DEBIAN_IMAGE}
RUN groupadd --gid 10000 hermes && \
    useradd --uid 10000 --gid 10000 --create-home --home-dir /opt/data --shell /bin/bash hermes
COPY --from=build /hermes-init /usr/local/bin/hermes-init
# The names under which older images and compose files pin their init.
RUN ln -s /usr/local/bin/hermes-init /init && \
    ln -s /usr/local/bin/hermes-init /usr/bin/tini
COPY etc/hermes-init.d/ /etc/hermes-init.d/
# A stand-in for hermes-agent that tells what it was run as; the real image has its virtual environment here.
COPY image/stand-in/ /opt/hermes/.venv/bin/
ENV HERMES_HOME=/opt/data
ENV PATH=/opt/hermes/bin:/opt/hermes/.venv/bin:/opt/data/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /opt/data
# With all that the services name in place: a user, a program or a folder that is missing ends the build here.
RUN ["hermes-init", "--check"]
VOLUME ["/opt/data"]
# It starts as root and drops to hermes for every program: etc/hermes-init.d says so.
ENTRYPOINT ["hermes-init", "--"]
CMD []
