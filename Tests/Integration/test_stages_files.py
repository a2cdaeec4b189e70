"""The stages chown and seed as services: the examples of docs/stages.md, booted on a folder of the test's own."""

import os
import re

import pytest
from harness import AM_ROOT, ORDINARY, ROOT

pytestmark = pytest.mark.skipif(not AM_ROOT, reason="only root can give files away")
BLOCK = re.compile(r"^```toml name=(data|home)\.toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(boot):
    """The two services of the page, with numbers for the names that this machine does not have."""
    page = (ROOT / "docs" / "stages.md").read_text()
    services = {name + ".toml": text for name, text in BLOCK.findall(page)}
    assert set(services) == {"data.toml", "home.toml"}
    template = boot.folder / "template"
    template.write_text("# keys\nAPI_SERVER_KEY=\n")
    services["data.toml"] = services["data.toml"].replace('"hermes:hermes"', f'"{ORDINARY}:{ORDINARY}"')
    services["home.toml"] = (
        services["home.toml"]
        .replace('user = "hermes"', f'user = "{ORDINARY}"\nafter = ["data"]')
        .replace("/opt/hermes/.env.example", str(template))
    )
    boot.services(services)
    return boot.folder / "data" / "hermes"


def owners(folder):
    return {
        os.path.relpath(os.path.join(path, name), folder): os.lstat(os.path.join(path, name)).st_uid
        for path, folders, files in os.walk(folder)
        for name in folders + files
    }


def test_the_examples_make_a_home_and_then_have_nothing_to_do(boot, home):
    env = {**os.environ, "HERMES_HOME": str(home), "HERMES_AUTH_JSON_BOOTSTRAP": '{"a": 1}'}
    result = boot(["true"], env=env).wait()
    assert result.code == 0, result
    assert f"[data] made the folder {home}\n" in result.err
    assert f"[home] wrote {home}/auth.json\n" in result.err
    assert set(owners(home).values()) == {ORDINARY}
    assert re.fullmatch(r"# keys\nAPI_SERVER_KEY=[0-9a-f]{64}\n", (home / ".env").read_text())
    assert (home / ".env").stat().st_mode & 0o777 == 0o600
    assert (home / "auth.json").read_text() == '{"a": 1}'
    text = (home / ".env").read_text()

    # What docker exec as root, and the last life of the container, leave behind.
    (home / "sessions" / "of root").write_text("")
    (home / "gateway.pid").write_text("17")
    (home / "profiles" / "a").mkdir(parents=True)
    (home / "profiles" / "a" / "gateway.pid").write_text("18")
    os.chown(home / "profiles" / "a", ORDINARY, ORDINARY)
    result = boot(["true"], env=env).wait()
    assert result.code == 0, result
    lines = [line for line in result.err.splitlines() if line.startswith("[")]
    assert sorted(lines) == [
        f"[data] gave 1 entry in {home}/sessions to {ORDINARY}:{ORDINARY}: of root",
        f"[home] removed {home}/gateway.pid",
        f"[home] removed {home}/profiles/a/gateway.pid",
    ], result
    assert (home / ".env").read_text() == text

    result = boot(["true"], env=env).wait()
    assert "[" not in result.err, result


def test_a_link_is_refused_and_the_boot_goes_on(boot, home):
    outside = boot.folder / "outside"
    outside.mkdir()
    home.mkdir(parents=True)
    (home / "sessions").symlink_to(outside)
    (home / ".env").symlink_to(outside / "new")
    result = boot(["sh", "-c", "exit 42"], env={**os.environ, "HERMES_HOME": str(home)}).wait()
    assert result.code == 42, result
    for name, path in [("data", "sessions"), ("data", ".env"), ("home", "sessions"), ("home", ".env")]:
        assert f"[{name}] refusing {home}/{path}: it is, or leads through, a symbolic link\n" in result.err, result
    assert outside.stat().st_uid == 0 and not list(outside.iterdir())


def test_by_hand_and_dry_nothing_is_done(boot, home):
    words = ["stage", "data", "--dry-run", "--config", str(boot.config)]
    result = boot.run(words, how="plain", env={**os.environ, "HERMES_HOME": str(home)}).wait()
    assert result.code == 0, result
    assert f"would make the folder {home}\n" in result.err
    assert not home.exists()
    words.remove("--dry-run")
    assert boot.run(words, how="plain", env={**os.environ, "HERMES_HOME": str(home)}).wait().code == 0
    assert home.stat().st_uid == ORDINARY


@pytest.mark.parametrize(
    "options, title",
    [
        ('trees = "x"', "needs `owner`"),
        ('owner = "0"\ntree = "x"', "`tree`"),
        ('owner = "0"\ncreate = "yes"', "`create` takes true or false"),
        ('owner = "0"\n[options.modes]\na = "99"', "a"),
    ],
)
def test_check_knows_the_options_of_chown(boot, options, title):
    boot.services({"x.toml": f'plugin = "chown"\n[options]\n{options}\n'})
    result = boot.run(["--check", "--config", str(boot.config)], how="plain").wait()
    assert result.code == 1 and title in result.out, result


@pytest.mark.parametrize(
    "options, title",
    [
        ('[[options.file]]\npath = "a"', "from"),
        ('[[options.file]]\npath = "a"\ncontent = "x"\nrandom = 3', "random"),
        ('[[options.file]]\ncontent = "x"', "needs `path`"),
        ('[[options.file]]\npath = "a"\ncontent = "x"\nif = "never"', "never"),
        ('[[options.line]]\npath = "a"\nkey = "K"\nrandom = 999', "999"),
        ('[options.remove]\npath = "a"', "remove"),
    ],
)
def test_check_knows_the_options_of_seed(boot, options, title):
    boot.services({"x.toml": f'plugin = "seed"\n{options}\n'})
    result = boot.run(["--check", "--config", str(boot.config)], how="plain").wait()
    assert result.code == 1 and title in result.out, result
