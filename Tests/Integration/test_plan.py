"""--plan in its formats: one set of services, told as text, as JSON, and as graphs that Graphviz and Mermaid read."""

import json
import re
import shutil
import subprocess

import pytest
from harness import BINARY

pytestmark = pytest.mark.plain

SERVICES = {
    "main": 'type = "main"\ncommand = ["hermes", "--port", "${PORT:-80}"]\nroute = "append"\nrequires = ["web"]\n',
    "home": 'type = "oneshot"\ncommand = ["true"]\n',
    "web": 'command = ["web"]\nrequires = ["home"]\nwants = ["cache"]\n[when]\nenv = "HERMES_WEB"\npath-exists = "/"\n',
    "cache": 'command = ["cache"]\nautostart = false\nready.tcp = "127.0.0.1:${PORT:-6379}"\n',
    "early": 'command = ["early"]\nbefore = ["web"]\n',
    "debug": 'command = ["debug"]\nautostart = false\n',
    "all": 'type = "group"\nrequires = ["web"]\n',
    "old": "",
}


@pytest.fixture
def plan(tmp_path):
    for name, text in SERVICES.items():
        (tmp_path / f"{name}.toml").write_text(text)

    def run(*words, **environment):
        return subprocess.run([BINARY, "--plan", "--config", tmp_path, *words], capture_output=True, text=True, timeout=30,
                              env={"PATH": "/usr/bin:/bin", **environment})

    return run


def test_the_json_form_tells_all(plan):
    answer = plan("--format", "json", "--", "chat", "two words")
    assert answer.returncode == 0 and answer.stderr == "", answer
    told = json.loads(answer.stdout)
    services = {service["name"]: service for service in told["services"]}
    assert list(services) == ["cache", "early", "home", "web", "all", "main", "debug"]
    assert {name: service.get("wave") for name, service in services.items()} == {
        "home": 1, "cache": 1, "early": 1, "web": 2, "all": 3, "main": 3, "debug": None}
    web = services["web"]
    assert {(wait["service"], wait["kind"]) for wait in web["waits-for"]} == {
        ("home", "requires"), ("cache", "wants"), ("early", "after")}
    assert web["type"] == "longrun" and web["starts"] and web["because"] == "autostart"
    assert web["conditions"] == [{"only-if": "HERMES_WEB is true", "holds": False},
                                 {"only-if": "/ exists", "holds": True}]
    assert web["skipped"] is True
    assert services["cache"]["up-when"] == "127.0.0.1:${PORT:-6379} accepts a connection" and "up-when" not in web
    assert (services["cache"]["because"], services["cache"]["by"]) == ("wants", "web")
    assert services["debug"]["starts"] is False and services["debug"]["because"] == "nothing"
    assert {(wait["service"], wait["kind"]) for wait in services["main"]["waits-for"]} == {
        ("web", "requires"), ("home", "oneshot")}
    assert told["masked"] == ["old"]
    assert told["main"]["command"] == ["hermes", "--port", "${PORT:-80}", "chat", "two words"]
    assert told["main"]["shown"] == "hermes --port ${PORT:-80} chat 'two words'"
    assert told["main"]["reason"].startswith("route append")


def test_a_condition_that_holds_skips_nothing(plan):
    told = json.loads(plan("--format=json", HERMES_WEB="on").stdout)
    web, = (service for service in told["services"] if service["name"] == "web")
    assert [condition["holds"] for condition in web["conditions"]] == [True, True] and web["skipped"] is False


def test_without_a_main_program_there_is_none(tmp_path):
    (tmp_path / "web.toml").write_text('command = ["web"]\n')
    answer = subprocess.run([BINARY, "--plan", "--config", tmp_path, "--format", "json"], capture_output=True, timeout=30)
    assert json.loads(answer.stdout)["main"] is None


def test_the_text_says_why_something_is_left_out(plan):
    text = plan().stdout
    assert re.search(r"only if HERMES_WEB is true \(not so now: skipped\)", text), text
    assert re.search(r"only if / exists \(so it is now\)", text), text
    assert re.search(r"debug +autostart = false, and nothing that starts requires or wants it", text), text
    assert re.search(r"old +masked: ", text), text
    assert plan("--format", "text").stdout == text


def test_the_dot_form_is_a_graph_that_graphviz_draws(plan):
    text = plan("--format", "dot").stdout
    numbers = dict((name, number) for number, name in re.findall(r"^ +(s\d+) \[label=\"([^\"]+)\"", text, re.MULTILINE))
    assert set(numbers) == set(SERVICES) - {"old", "debug"}
    for tail, kind, head in [("web", "requires", "home"), ("web", "wants", "cache"), ("web", "after", "early"),
                             ("main", "oneshot", "home"), ("all", "requires", "web")]:
        assert re.search(rf"^ +{numbers[tail]} -> {numbers[head]} \[label=\"{kind}\"", text, re.MULTILINE), text
    assert re.search(r"label=\"web\" style=dashed", text), text
    assert text.count("{") == text.count("}")
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, timeout=60)
        assert drawn.returncode == 0 and drawn.stderr == "", drawn
        assert drawn.stdout.count('class="node"') == 6 and drawn.stdout.count('class="edge"') == 6


def test_the_mermaid_form_is_a_flowchart(plan):
    lines = plan("--format", "mermaid").stdout.splitlines()
    assert lines[0] == "flowchart RL"
    node = re.compile(r'  (s\d+)(\["[a-z]+"\]|\(\["[a-z]+"\]\)|\[\["[a-z]+"\]\]|\{\{"[a-z]+"\}\})(:::skipped)?')
    arrow = re.compile(r"  (s\d+) (-->|-\.->)\|(requires|wants|after|oneshot)\| (s\d+)")
    nodes, arrows = set(), []
    for line in lines[1:-1]:
        if found := node.fullmatch(line):
            nodes.add(found.group(1))
        else:
            found = arrow.fullmatch(line)
            assert found, line
            arrows.append((found.group(1), found.group(4)))
    assert len(nodes) == 6 and len(arrows) == 6
    assert all(tail in nodes and head in nodes for tail, head in arrows)
    assert lines[-1].startswith("  classDef skipped ")


@pytest.mark.parametrize("words", [["--format", "xml"], ["--format"], ["--format="]])
def test_a_format_that_is_none_is_wrong_usage(plan, words):
    answer = plan(*words)
    assert answer.returncode == 64 and "text, json, dot, mermaid" in answer.stderr, answer


@pytest.mark.parametrize("form", ["text", "json", "dot", "mermaid"])
def test_files_with_mistakes_have_no_plan(tmp_path, form):
    (tmp_path / "web.toml").write_text("comand = 1\n")
    answer = subprocess.run([BINARY, "--plan", "--config", tmp_path, "--format", form], capture_output=True, text=True,
                            timeout=30)
    assert answer.returncode == 78 and answer.stdout == "" and "unknown-key" in answer.stderr, answer
