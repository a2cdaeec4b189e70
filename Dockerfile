# hadolint global ignore=DL3022
# (hermes-agent in --from is a build context, which hadolint does not know.)
#
# hermes-init built from source, and images made of it:
#
#   docker build --target hermes-init -t hermes-init .   the file alone, for  COPY --from=hermes-init /hermes-init /usr/local/bin/
#   docker build -t hermes .                             a runnable image with a stand-in for hermes-agent
#   docker build --build-context hermes-agent=PATH --target agent -t hermes-agent .
#                                                        hermes-agent itself, from its source tree
#
# The last has two names. Podman and Buildah know it as hermes-agent, too; BuildKit takes a build context for the stage of the same
# name, so there it has to be `agent`. Buildah before 1.31 builds each stage on the way: give it --target stand-in for the second.
#
# Nothing is downloaded but what is checked: base images by digest where they have one here (the others can be given one, as whoever
# publishes an image should: --build-arg SWIFT_IMAGE=swift@sha256:…), Debian packages by apt, the rest by the lock files.
ARG SWIFT_IMAGE=swift:6.3.1-bookworm
ARG DEBIAN_IMAGE=debian:13-slim
ARG AGENT_IMAGE=debian:13.4@sha256:e2d08da6f42ef4b09b165d55528a12727aeed8240dc9edf888e3ec07e10ef9da
# What the image's labels say. The version is set by scripts/version; who publishes the image gives the rest.
ARG VERSION=0.1.0
ARG REVISION=
ARG SOURCE=
ARG CREATED=
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.11.6-python3.13-trixie@sha256:b3c543b6c4f23a5f2df22866bd7857e5d304b67a564f4feab6ac22044dde719b

# ---------- build: one static file ----------
# On the machine that builds, whichever the image is for (docker build --platform linux/arm64): the compiler makes the file for both,
# and makes it ten times as fast as it would in an emulator. Podman 4.3 has to be told what it is itself:
# --build-arg BUILDPLATFORM=linux/amd64.
# hadolint ignore=DL3006,DL3029
FROM --platform=${BUILDPLATFORM} ${SWIFT_IMAGE} AS build
# musl makes the file a quarter of the size, and its start faster. Its version is the base image's business.
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install -y --no-install-recommends musl-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY scripts/build scripts/musl scripts/
COPY Sources/ Sources/
# Without a --platform nobody says what it is for: for the machine that builds.
ARG TARGETARCH
# SwiftPM wants the targets for tests that Package.swift names to be there; each stands on one line of it.
RUN sed -i '/\.testTarget(/d; /"Tests\//d' Package.swift && \
    case "$TARGETARCH" in \
        amd64) export ARCH=x86_64 ;; \
        arm64) export ARCH=aarch64 ;; \
        "") ;; \
        *) echo "hermes-init is made for linux/amd64 and linux/arm64, not for $TARGETARCH" >&2; exit 64 ;; \
    esac && \
    HERMES_INIT_OUTPUT=/hermes-init scripts/build release --product hermes-init

# ---------- hermes-init: nothing but the file ----------
FROM scratch AS hermes-init
COPY --from=build /hermes-init /hermes-init
ARG VERSION
ARG REVISION
ARG SOURCE
ARG CREATED
LABEL org.opencontainers.image.title="hermes-init" \
      org.opencontainers.image.description="Init of a container and supervisor of its services" \
      org.opencontainers.image.licenses="MIT AND (Apache-2.0 WITH Swift-exception)" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.created="${CREATED}"
ENTRYPOINT ["/hermes-init", "--"]

# ---------- stand-in: all of the image but hermes-agent itself ----------
# hadolint ignore=DL3006
FROM ${DEBIAN_IMAGE} AS stand-in
RUN groupadd --gid 10000 hermes && \
    useradd --uid 10000 --gid 10000 --create-home --home-dir /opt/data --shell /bin/bash hermes
COPY --from=build /hermes-init /usr/local/bin/hermes-init
# The names under which older images and compose files pin their init; and hermes for a shell that sets a PATH of its own (bash -l).
RUN ln -s /usr/local/bin/hermes-init /init && \
    ln -s /usr/local/bin/hermes-init /usr/bin/tini && \
    ln -s /opt/hermes/bin/hermes /usr/local/bin/hermes
COPY etc/hermes-init.d/ /etc/hermes-init.d/
# `docker exec CONTAINER hermes` becomes the user hermes here; the services pass through.
COPY image/opt-hermes-bin/ /opt/hermes/bin/
# Programs that tell what they were run as, where the real image has its virtual environment, and what the stages look for.
COPY image/stand-in/venv/ /opt/hermes/.venv/bin/
COPY image/stand-in/tree/ /opt/hermes/
ENV PLAYWRIGHT_BROWSERS_PATH=/opt/hermes/.playwright
ENV HERMES_HOME=/opt/data
ENV PATH=/opt/hermes/bin:/opt/hermes/.venv/bin:/opt/data/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /opt/data
# With all that the services name in place: a user, a program or a folder that is missing ends the build here.
RUN ["hermes-init", "--check", "--strict"]
VOLUME ["/opt/data"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["hermes-init", "health"]
# It starts as root and drops to hermes for every program: etc/hermes-init.d says so.
ENTRYPOINT ["hermes-init", "--"]
CMD []

# ---------- agent: hermes-agent ----------
# hadolint ignore=DL3006
FROM ${UV_IMAGE} AS uv

# hadolint ignore=DL3006
FROM ${AGENT_IMAGE} AS agent
# What Python prints is seen at once.
ENV PYTHONUNBUFFERED=1
# The browser is part of the image, not of the volume.
ENV PLAYWRIGHT_BROWSERS_PATH=/opt/hermes/.playwright
# The headless browser is Debian's, which apt verifies: what Playwright downloads has no checksum. It lies where Playwright would put
# its own, under a name that the stage `browser` looks for.
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install -y --no-install-recommends \
        build-essential chromium-headless-shell curl docker-cli ffmpeg gcc git libffi-dev nodejs npm openssh-client procps \
        python3 python3-dev ripgrep xz-utils && \
    rm -rf /var/lib/apt/lists/* && \
    mkdir -p /opt/hermes/.playwright && \
    ln -s /usr/bin/chromium-headless-shell /opt/hermes/.playwright/headless_shell
RUN groupadd --gid 10000 hermes && \
    useradd --uid 10000 --gid 10000 --create-home --home-dir /opt/data --shell /bin/bash hermes
COPY --from=uv /usr/local/bin/uv /usr/local/bin/uvx /usr/local/bin/
WORKDIR /opt/hermes

# Packages of Node.js: the manifests first, so that this layer stays until one of them changes. @hermes/ink is a package within the
# tree, so it has to be there whole. Without install-links npm 9 links to it as later ones do; with a copy the terminal UI would find
# its packages out of step with the lock file, and try to install them at each start. `npm ci` takes what the lock files say, each
# with its checksum. PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: see above.
ENV npm_config_install_links=false
COPY --from=hermes-agent package.json package-lock.json ./
COPY --from=hermes-agent web/package.json web/package-lock.json web/
COPY --from=hermes-agent ui-tui/package.json ui-tui/package-lock.json ui-tui/
COPY --from=hermes-agent ui-tui/packages/hermes-ink/ ui-tui/packages/hermes-ink/
RUN export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 && \
    npm ci --no-audit --no-fund && \
    npm --prefix web ci --no-audit --no-fund && \
    npm --prefix ui-tui ci --no-audit --no-fund && \
    npm cache clean --force

# Packages of Python, likewise: the manifest and the lock file with its checksums. Not --all-extras, which would bring training and
# other platforms' packages. pyproject.toml names a README.md, which may not be part of the build context.
ARG UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1
COPY --from=hermes-agent pyproject.toml uv.lock ./
RUN touch README.md && \
    uv sync --frozen --no-install-project --extra all --extra messaging
COPY image/build-requirements.txt /tmp/
RUN uv pip install --no-deps --require-hashes --requirement /tmp/build-requirements.txt && \
    rm /tmp/build-requirements.txt

# The dashboard and the terminal UI, apart from the rest: a change of Python code does not build them again.
COPY --from=hermes-agent web/ web/
COPY --from=hermes-agent ui-tui/ ui-tui/
RUN npm --prefix web run build && \
    npm --prefix ui-tui run build

# The source: a clean tree, or one whose .dockerignore leaves .git, node_modules and .venv out.
COPY --from=hermes-agent . .
RUN uv pip install --no-deps --no-build-isolation --editable .

# hermes-init, its services, its other names, and the shim for `docker exec`: as in stand-in.
COPY --from=build /hermes-init /usr/local/bin/hermes-init
RUN ln -s /usr/local/bin/hermes-init /init && \
    ln -s /usr/local/bin/hermes-init /usr/bin/tini && \
    ln -s /opt/hermes/bin/hermes /usr/local/bin/hermes
COPY etc/hermes-init.d/ /etc/hermes-init.d/
COPY image/opt-hermes-bin/ bin/
# Sealed: everything is root's, and everybody may read it, whatever HERMES_UID is. Only what differs is written again, since each
# change would be a copy of the file in this layer.
RUN find /opt/hermes '(' ! -user root -o ! -group root ')' -exec chown -h root:root {} + && \
    find /opt/hermes ! -type l '(' -perm /022 -o ! -perm -444 -o -perm -100 ! -perm -111 ')' -exec chmod a+rX,go-w {} +

ENV HERMES_WEB_DIST=/opt/hermes/hermes_cli/web_dist
ENV HERMES_HOME=/opt/data
ENV PATH=/opt/hermes/bin:/opt/hermes/.venv/bin:/opt/data/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /opt/data
RUN ["hermes-init", "--check", "--strict"]
VOLUME ["/opt/data"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["hermes-init", "health"]
ENTRYPOINT ["hermes-init", "--"]
CMD []

# The same by the name of what it is; see above.
FROM agent AS hermes-agent

# ---------- what a plain `docker build .` gives ----------
FROM stand-in
