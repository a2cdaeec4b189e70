"""What the stage of the Dockerfile that is hermes-agent itself is built from in the tests: a small made-up source tree, and stand-ins
for its base image and for uv: an apt-get, npm and uv that write down what they were asked for and make what they would make."""

BASE, UV, AGENT, AGAIN, LOCKED = (f"localhost/hermes-init-test:agent{name}" for name in ("-base", "-uv", "", "-again", "-locked"))

APT = """#!/bin/sh
echo "apt-get $* at=$(date +%s%N)" >>/var/log/build
"""
NPM = """#!/bin/sh
set -eu
echo "npm $* at=$(date +%s%N)" >>/var/log/build
folder=.
if [ "$1" = --prefix ]; then folder=$2; shift 2; fi
case "$*" in
"ci "*) [ -f "$folder/package-lock.json" ]; [ -f ui-tui/packages/hermes-ink/package.json ]; [ ! -e web/src ]
    mkdir -p "$folder/node_modules"; cp "$folder/package-lock.json" "$folder/node_modules/.package-lock.json" ;;
"run build") [ -d "$folder/node_modules" ]; [ -d "$folder/src" ]; [ ! -e agent.py ]
    if [ "$folder" = web ]; then mkdir -p hermes_cli/web_dist; cp web/src/* hermes_cli/web_dist/; else mkdir -p ui-tui/dist; fi ;;
esac
"""
UV_PROGRAM = """#!/bin/sh
set -eu
echo "uv $* never=$UV_PYTHON_DOWNLOADS at=$(date +%s%N)" >>/var/log/build
case "$*" in
"sync --frozen --no-install-project --extra all --extra messaging") [ -f uv.lock ]; [ ! -e agent.py ]
    mkdir -p .venv/bin; ln -s /bin/true .venv/bin/python ;;
"pip install --no-deps --require-hashes "*) grep -q -- --hash=sha256: "${6-$5}" || grep -q -- --hash=sha256: /tmp/build-requirements.txt ;;
*--editable*) [ -f agent.py ]; printf '#!/bin/sh\\nexec sh /opt/hermes/agent.py "$@"\\n' >.venv/bin/hermes; chmod 755 .venv/bin/hermes ;;
esac
"""
TREE = {
    "package.json": "{}", "package-lock.json": "{}", "web/package.json": "{}", "web/package-lock.json": "{}",
    "web/src/index.html": "<p>dashboard</p>", "ui-tui/package.json": "{}", "ui-tui/package-lock.json": "{}",
    "ui-tui/src/entry.tsx": "", "ui-tui/packages/hermes-ink/package.json": "{}", "pyproject.toml": "[project]\n", "uv.lock": "",
    "agent.py": 'echo "agent: uid=$(id -u) cwd=$(pwd) web=$(ls "$HERMES_WEB_DIST") words=$*"\n', "hermes_cli/__init__.py": "",
    ".env.example": "API_SERVER_KEY=\n", "cli-config.yaml.example": "a: 1\n", "docker/SOUL.md": "soul\n",
    "scripts/docker_config_migrate.py": "", "scripts/docker_rebootstrap_nous_session.py": "", "tools/skills_sync.py": "",
    "skills/one/SKILL.md": "",
}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commands(folder):
    """Writes all of it into a folder and gives the builds: of the stage, then of one whose Python code and dashboard have changed,
    then of one with other packages of Python."""
    write(folder, {"base/apt-get": APT, "base/npm": NPM, "uv/uv": UV_PROGRAM, "uv/uvx": UV_PROGRAM,
                   "base/Dockerfile": "FROM debian:13-slim\nCOPY --chmod=0755 apt-get npm /usr/local/bin/\n"
                                      "RUN ln -s /bin/true /usr/bin/chromium-headless-shell\n",
                   "uv/Dockerfile": "FROM scratch\nCOPY --chmod=0755 uv uvx /usr/local/bin/\n"})
    again = {"agent.py": TREE["agent.py"] + "# other\n", "web/src/index.html": "<p>other</p>"}
    for tree, changes in (("tree", {}), ("again", again), ("locked", {**again, "uv.lock": "# other"})):
        write(folder / tree, {**TREE, **changes})
        # As a checkout with a loose umask has it, and as one with a strict one.
        for name, mode in (("agent.py", 0o666), ("skills", 0o777), ("hermes_cli/__init__.py", 0o600), ("tools", 0o700)):
            (folder / tree / name).chmod(mode)
    builds = [["podman", "build", "--pull=never", "--tag", tag, str(folder / name)] for tag, name in ((BASE, "base"), (UV, "uv"))]
    for tag, tree in ((AGENT, "tree"), (AGAIN, "again"), (LOCKED, "locked")):
        builds.append(["scripts/image", tag, "hermes-agent", "--build-context", f"hermes-agent={folder / tree}",
                       "--build-arg", f"AGENT_IMAGE={BASE}", "--build-arg", f"UV_IMAGE={UV}"])
    return builds
