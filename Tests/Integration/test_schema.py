"""The JSON Schemas of --schema, in a validator that is not ours: what they accept and refuse is what --check does."""

import functools
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from harness import BINARY, ROOT

jsonschema = pytest.importorskip("jsonschema")
pytestmark = pytest.mark.plain

BLOCK = re.compile(r"^```toml([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [
    "README.md", "docs/service-files.md", "docs/supervision.md", "docs/migrating.md", "docs/hermes-image.md", "docs/editors.md",
    "docs/stages.md",
]


def ask(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=30)


@functools.cache
def validator(subject):
    answer = ask("--schema", subject)
    assert answer.returncode == 0 and answer.stderr == "", answer
    schema = json.loads(answer.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@functools.cache
def check_words():
    """--check of the files alone: the users and programs of an example are not on this machine."""
    return ["--check"] + (["--files-only"] if "--files-only" in ask("--check", "--help").stdout else [])


def check(folder, files):
    """--check of files by name, with a service for each that they need and that is not among them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, text in files.items():
        table = tomllib.loads(text)
        for other in [other for key in ("requires", "wants") for other in table.get(key, []) if isinstance(other, str)]:
            path = folder / f"{other}.toml"
            if re.fullmatch("[a-z0-9._-]+", other) and not path.exists():
                path.write_text('type = "group"\n')
            if instance := re.fullmatch("([a-z0-9._-]+@)([a-z0-9._-]+)", other):
                template, name = instance.groups()
                (folder / f"{template}.toml").write_text(f'type = "group"\n[instances]\nnames = ["{name}"]\n')
    return ask(*check_words(), "--config", str(folder))


def blocks():
    for page in PAGES:
        for place, (info, text) in enumerate(BLOCK.findall((ROOT / page).read_text())):
            name = re.search(r"name=(\S+)", info)
            parts = name.group(1).split("/") if name else ["example.toml"]
            is_drop_in = len(parts) > 1 and parts[-2].endswith(".d") and parts[-2] != "hermes-init.d"
            yield pytest.param("/".join(parts[-2:] if is_drop_in else parts[-1:]), text, id=f"{page}-{place + 1}")


def files():
    for folder in ("examples", "etc/hermes-init.d"):
        for path in sorted((ROOT / folder).rglob("*.toml")):
            if "hermes-init.d" in str(path.parent) or path.parent.name in ("demo",):
                yield pytest.param(path.name, path.read_text(), id=str(path.relative_to(ROOT)))


def subject_of(name):
    if name in ("init.toml", "init"):
        return "init"
    return "drop-in" if ".d/" in name else "service"


@pytest.mark.parametrize("name, text", [*blocks(), *files()])
def test_what_is_shown_is_accepted(name, text):
    mistakes = [error.message for error in validator(subject_of(name)).iter_errors(tomllib.loads(text))]
    assert mistakes == []


@pytest.mark.parametrize("name, text", [
    block for block in blocks() if "service-files" in block.id and ".d/" not in block.values[0]])
def test_each_example_of_the_reference_passes_check(tmp_path, name, text):
    result = check(tmp_path, {name: text})
    assert result.returncode == 0, result.stdout


RUN = 'command = ["a"]\n'
GOOD = {
    "nothing but a command": RUN,
    "every action of a group": 'type = "group"\nrequires = ["a", "b-2.c_d"]\nautostart = false\n[when]\nroot = true\n',
    "a main without a command": 'type = "main"\nroute = "auto"\n',
    "durations": RUN + '[restart]\ndelay = "1d2h3m4s5ms"\nmax-delay = 3155760000\nwithin = 0.5\nreset-after = "0s"\n',
    "signals": RUN + '[stop]\nsignal = "sigRtMin+3"\ntimeout = 0\n[restart]\nsuccess-codes = [0, 255, "term", "SIGIOT"]\n',
    "a signal by number": RUN + "[stop]\nsignal = 64\n",
    "a signal by number in quotes": RUN + '[stop]\nsignal = "15"\n',
    "accounts": RUN + 'user = 0\ngroup = "${G:-a:b}"\ngroups = [4294967294, "video"]\n',
    "templates": RUN + 'directory = "$${x}/$HOME/${A:-${B:?no B}}$"\n',
    "an empty argument": 'command = ["a", ""]\n',
    "a umask": RUN + 'umask = "0777"\n',
    "an environment": RUN + '[environment]\nA = "x"\nB = -1\nC = false\n"d.e" = true\n',
    "words": RUN + '[when]\nmain = ["a", "b"]\nenv = []\n',
    "a script": 'script = "\\n true\\n"\n',
    "a plugin": 'plugin = "find-executable"\n[options]\nin = "/opt"\nnames = "a"\nexport = "A"\n',
    "each way to be ready": RUN + '[ready]\nhttp = "http://[::1]:80/a"\ninterval = 0.1\n[health]\ncommand = ["b"]\n'
                            'failures = 1000\naction = "stop-container"\n[reload]\nsignal = "HUP"\n',
    "a watchdog": RUN + '[ready]\nnotify = "systemd"\n[health]\nwatchdog = 1.5\n',
    "a descriptor": RUN + "[ready]\nnotify = 1023\ntimeout = 1\n",
    "a log file": RUN + '[log]\nto = "null"\nfile = "/a/${B:-c}"\nmax-size = "4K"\nkeep = 0\ntimestamps = true\n',
    "a size in bytes": RUN + '[log]\nfile = "/a"\nmax-size = 4096\n',
    "limits": RUN + 'nice = -20\noom-score-adj = 1000\nstart-timeout = 1\n[limits]\nnofile = "1:unlimited"\n'
                    'core = 0\nstack = "8M:1GiB"\ncpu = "1h30m"\nas = "unlimited"\n',
    "security": RUN + 'user = "a"\n[security]\ncapabilities = ["CAP_CHOWN", "net_raw"]\nkeep-groups = true\n',
    "resources": RUN + '[resources]\nmemory-max = "1G"\nmemory-high = 4096\ncpu-max = 0.01\ncpu-weight = 1\npids-max = "max"\n',
    "no resources": RUN + '[resources]\nmemory-max = "max"\ncpu-max = "max"\n',
    "conditions of autostart": RUN + '[autostart]\nenv = "A"\nmain-not = [["a"], ["b", "c"]]\n',
    "a memory": RUN + "autostart = true\nremember = true\n",
    "a oneshot plugin": 'type = "oneshot"\nplugin = "find-executable"\n'
                        'options = {in = "/", names = ["a", "b"], export = "A"}\n',
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_what_check_accepts_is_accepted(tmp_path, text):
    assert [error.message for error in validator("service").iter_errors(tomllib.loads(text))] == []
    result = check(tmp_path, {"example.toml": text})
    assert result.returncode == 0, result.stdout


PLUGIN = 'plugin = "find-executable"\n'
OPTIONS = '[options]\nin = "/opt"\nnames = ["a"]\nexport = "A"\n'
BAD = {
    "an unknown key of autostart": RUN + "[autostart]\nenw = 1\n",
    "autostart as a number": RUN + "autostart = 1\n",
    "a main program that remembers": 'type = "main"\nremember = true\n',
    "a main program with conditions of autostart": 'type = "main"\n[autostart]\nroot = true\n',
    "an instance without a name": RUN + 'requires = ["a@"]\n',
    "an unknown key": RUN + "comand = 1\n",
    "an unknown key of a table": RUN + "[restart]\ndelai = 1\n",
    "a wrong type": RUN + 'autostart = "yes"\n',
    "a command as one string": 'command = "sleep 1"\n',
    "an empty command": "command = []\n",
    "an empty program": 'command = ["", "a"]\n',
    "a number as an argument": 'command = ["a", 1]\n',
    "an unknown type": 'type = "daemon"\n' + RUN,
    "nothing to run": 'description = "x"\n',
    "a oneshot with nothing to run": 'type = "oneshot"\n',
    "a command and a script": RUN + 'script = "a"\n',
    "a command and a plugin": RUN + PLUGIN + OPTIONS,
    "a script and a plugin": 'script = "a"\n' + PLUGIN + OPTIONS,
    "an empty script": 'script = " \\n"\n',
    "a description of two lines": RUN + 'description = "a\\nb"\n',
    "a group with a process": 'type = "group"\n' + RUN,
    "a group with a user": 'type = "group"\nuser = "a"\n',
    "a route of no main": RUN + 'route = "auto"\n',
    "a main that is not started": 'type = "main"\nautostart = false\n',
    "a main plugin": 'type = "main"\n' + PLUGIN + OPTIONS,
    "a longrun plugin": 'type = "longrun"\n' + PLUGIN + OPTIONS,
    "optional and essential": RUN + "optional = true\nessential = true\n",
    "a oneshot restarted always": 'type = "oneshot"\n' + RUN + '[restart]\npolicy = "always"\n',
    "options without a plugin": RUN + "[options]\na = 1\n",
    "an unknown option": PLUGIN + OPTIONS + 'exprot = "B"\n',
    "a missing option": PLUGIN + '[options]\nin = "/opt"\nexport = "A"\n',
    "no options at all": PLUGIN,
    "an option of a wrong type": PLUGIN + OPTIONS.replace('"/opt"', "1"),
    "a name with a capital": RUN + 'requires = ["Web"]\n',
    "a name that is too long": RUN + f'after = ["{"a" * 65}"]\n',
    "a name as one string": RUN + 'wants = "a"\n',
    "a duration without a unit": RUN + '[stop]\ntimeout = "10"\n',
    "units that are not in order": RUN + '[stop]\ntimeout = "30s1m"\n',
    "an unknown unit": RUN + '[stop]\ntimeout = "3 weeks"\n',
    "a negative duration": RUN + "[stop]\ntimeout = -1\n",
    "an empty duration": RUN + '[stop]\ntimeout = ""\n',
    "no time": RUN + "[restart]\nwithin = 0\n",
    "no time, in words": RUN + '[restart]\nwithin = "0ms"\n',
    "a factor below one": RUN + "[restart]\nfactor = 0.5\n",
    "too much jitter": RUN + "[restart]\njitter = 1.1\n",
    "no start at all": RUN + "[restart]\nlimit = 0\n",
    "half a start": RUN + "[restart]\nlimit = 1.5\n",
    "an exit code out of range": RUN + "[restart]\nnever-after = [256]\n",
    "an exit code in quotes": RUN + '[restart]\nsuccess-codes = ["0"]\n',
    "an unknown signal": RUN + '[stop]\nsignal = "SIGTREM"\n',
    "a signal that does not stop": RUN + '[stop]\nsignal = "SIGCONT"\n',
    "a signal out of range": RUN + "[stop]\nsignal = 65\n",
    "a real-time signal out of range": RUN + '[stop]\nsignal = "SIGRTMIN+31"\n',
    "a user with its group": RUN + 'user = "a:b"\n',
    "a negative user": RUN + "user = -1\n",
    "an empty directory": RUN + 'directory = ""\n',
    "a template without a name": RUN + 'directory = "/${}"\n',
    "a template that is cut off": RUN + 'directory = "/${"\n',
    "a umask in another base": RUN + 'umask = "9"\n',
    "a float as a variable": RUN + "[environment]\nA = 1.5\n",
    "a list as a variable": RUN + "[environment]\nA = []\n",
    "a variable with an equals sign": RUN + '[environment]\n"A=B" = "x"\n',
    "an empty variable": RUN + '[when]\nenv = ""\n',
    "a boolean to compare with": RUN + "[when]\nenv-equals = {A = true}\n",
    "no word": RUN + "[when]\nmain = []\n",
    "words beside lists": RUN + '[when]\nmain = ["a", ["b"]]\n',
    "a date": RUN + "description = 2026-01-01\n",
    "no way to be ready": RUN + '[ready]\ntimeout = "1s"\n',
    "two ways to be ready": RUN + '[ready]\nnotify = 3\nlog = "a"\n',
    "a oneshot that is asked": 'type = "oneshot"\n' + RUN + '[health]\nunix = "/a"\n',
    "a plugin that is reloaded": PLUGIN + OPTIONS + '[reload]\nsignal = "HUP"\n',
    "a group with a log": 'type = "group"\n[log]\nto = "json"\n',
    "a standard descriptor": RUN + "[ready]\nnotify = 2\n",
    "an unknown protocol": RUN + '[ready]\nnotify = "s6"\n',
    "an empty text": RUN + '[ready]\nlog = ""\n',
    "a text of two lines": RUN + '[ready]\nlog = "a\\nb"\n',
    "a reload by two ways": RUN + '[reload]\nsignal = "HUP"\ncommand = ["a"]\n',
    "no failure at all": RUN + '[health]\nunix = "/a"\nfailures = 0\n',
    "an unknown health action": RUN + '[health]\nunix = "/a"\naction = "kill"\n',
    "an unknown log target": RUN + '[log]\nto = "syslog"\n',
    "a size in megabytes": RUN + '[log]\nfile = "/a"\nmax-size = "1MB"\n',
    "a size that is too small": RUN + '[log]\nfile = "/a"\nmax-size = 4095\n',
    "a negative limit": RUN + "[limits]\nnofile = -1\n",
    "a count with a unit": RUN + '[limits]\nnofile = "1K"\n',
    "three limits": RUN + '[limits]\nas = "1:2:3"\n',
    "a fraction of a limit": RUN + "[limits]\nas = 1.5\n",
    "an unknown limit": RUN + "[limits]\nrss = 1\n",
    "too nice": RUN + "nice = 20\n",
    "a capability that is all": RUN + '[security]\ncapabilities = ["ALL"]\n',
    "a capability by number": RUN + "[security]\ncapabilities = [1]\n",
    "no processor": RUN + "[resources]\ncpu-max = 0\n",
    "too little memory": RUN + "[resources]\nmemory-max = 4095\n",
    "an amount without a limit": RUN + '[resources]\nmemory-max = "unlimited"\n',
    "no process": RUN + "[resources]\npids-max = 0\n",
    "no path behind the -": RUN + 'environment-files = ["-"]\n',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_refused_is_what_check_refuses(tmp_path, text):
    assert list(validator("service").iter_errors(tomllib.loads(text))) != []
    result = check(tmp_path, {"example.toml": text})
    assert result.returncode == 1, result.stdout


def test_an_unknown_plugin_is_refused_by_check_alone_since_it_may_be_an_executable_of_the_image(tmp_path):
    for text, code in (('plugin = "find-exe"\n', 1), ('plugin = "/a/b"\n[options]\na = {b = [1, "${C}"]}\n', 0)):
        assert list(validator("service").iter_errors(tomllib.loads(text))) == []
        assert check(tmp_path, {"example.toml": text}).returncode == code


OPTIONS_OF_STAGES = [
    ('plugin = "uid-remap"\n', {"user": "a", "uid-from": "A", "min": 0, "join-groups-of": ["/a*"]}, True),
    ('plugin = "uid-remap"\n', {"user": "a", "min": "1"}, False),
    ('plugin = "uid-remap"\n', {"user": "a", "max": -1}, False),
    ('plugin = "uid-remap"\n', {"uid-from": "A"}, False),
    ('plugin = "tui-detect"\n', {"flags": "--tui", "env": []}, True),
    ('plugin = "tui-detect"\n', {"flags": [1]}, False),
    ('plugin = "wait-for"\n', {"tcp": ["a:1"], "timeout": 1.5}, True),
    ('plugin = "wait-for"\n', {"tcp": "a:1", "path": "/a"}, False),
    ('plugin = "wait-for"\n', {"timeout": "1s"}, False),
    ('plugin = "wait-for"\n', {"tcp": "a:1", "timeout": 0}, False),
    ('plugin = "secrets"\n', {"from": ""}, False),
]


@pytest.mark.parametrize("head, options, is_good", OPTIONS_OF_STAGES)
def test_the_options_of_stages_are_judged_alike(tmp_path, head, options, is_good):
    text = head + "[options]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())
    assert (list(validator("service").iter_errors(tomllib.loads(text))) == []) == is_good
    assert (check(tmp_path, {"example.toml": text}).returncode == 0) == is_good


GOOD_INIT = {
    "an empty one but for a comment": "# nothing\n",
    "a log level": 'log-level = "debug"\n[log]\nto = "json"\nkeep = 1\n[signals]\nHUP = "reload"\n',
    "everything": 'shutdown-timeout = "25s"\nenvironment = {A = "b", C = false}\nrestart = {limit = 3}\n'
                  'signals = {SIGHUP = "forward-group", usr1 = "ignore", "RTMIN+3" = "stop", SIGINT = "SIGTERM"}\n',
}
BAD_INIT = {
    "a key of a service": 'command = ["a"]\n',
    "no time": "shutdown-timeout = 0\n",
    "an unknown signal": '[signals]\nSIGTREM = "stop"\n',
    "an unknown action": '[signals]\nSIGHUP = "restart"\n',
    "an unknown log level": 'log-level = "verbose"\n',
    "a log target that is none": '[log]\nto = "stdout"\n',
    "a signal that cannot be caught": '[signals]\nSIGKILL = "ignore"\n',
    "an action that is no word": "[signals]\nSIGHUP = 1\n",
    "a policy that is none": '[restart]\npolicy = "sometimes"\n',
}


@pytest.mark.parametrize("text", GOOD_INIT.values(), ids=GOOD_INIT.keys())
def test_what_check_accepts_of_init_toml_is_accepted(tmp_path, text):
    assert [error.message for error in validator("init").iter_errors(tomllib.loads(text))] == []
    assert check(tmp_path, {"init.toml": text}).returncode == 0


@pytest.mark.parametrize("text", BAD_INIT.values(), ids=BAD_INIT.keys())
def test_what_is_refused_of_init_toml_is_what_check_refuses(tmp_path, text):
    assert list(validator("init").iter_errors(tomllib.loads(text))) != []
    assert check(tmp_path, {"init.toml": text}).returncode == 1


def test_a_drop_in_needs_nothing_but_says_nothing_wrong():
    assert list(validator("drop-in").iter_errors({})) == []
    assert list(validator("drop-in").iter_errors({"options": {"x": 1}, "route": "auto"})) == []
    assert list(validator("drop-in").iter_errors({"comand": ["a"]})) != []
    assert list(validator("drop-in").iter_errors({"command": ["a"], "script": "b"})) != []


@pytest.mark.parametrize("subject", ["service", "drop-in", "init"])
def test_every_key_is_described_and_no_reference_leads_nowhere(subject):
    schema = validator(subject).schema

    def walk(node):
        if isinstance(node, dict):
            if str(node.get("$ref", "")).startswith("#/$defs/"):
                assert node["$ref"].removeprefix("#/$defs/") in schema["$defs"], node
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    def described(table):
        for name, key in table["properties"].items():
            assert key["description"], name
            if "properties" in key:
                described(key)

    walk(schema)
    described(schema)


def test_a_default_is_a_value_that_the_key_can_have():
    def walk(node, schema):
        for key in node.get("properties", {}).values():
            if "default" in key:
                whole = {**key, "$defs": schema["$defs"]}
                assert jsonschema.Draft202012Validator(whole).is_valid(key["default"]), key
            walk(key, schema)

    for subject in ("service", "init"):
        walk(validator(subject).schema, validator(subject).schema)
