"""s6-overlay 3, and the list of all inits: see subjects.py. Nothing is measured here."""

import os
import shutil
from pathlib import Path

from subjects import (
    NOTHING,
    NOTIFYING,
    SERVICE,
    Dinit,
    Floor,
    HermesInit,
    Launch,
    Nitro,
    Runit,
    S6,
    Subject,
    Supervisord,
    Wrapper,
)


class S6Overlay(Subject):
    """An unpacked tree of s6-overlay 3 in the folder that S6_OVERLAY_ROOT names, or this machine's own /init and
    /package."""

    name = "s6-overlay"
    settle = 1150
    waits_off = {"S6_KILL_GRACETIME": "0", "S6_SERVICES_GRACETIME": "0", "S6_KILL_FINISH_MAXTIME": "0"}

    def __init__(self, stage=None, patient=True):
        super().__init__(stage)
        self.patient, self.variant = patient, not patient
        if not patient:
            self.name = "s6-overlay (no waits)"

    def find(self):
        self.tree = Path(os.environ.get("S6_OVERLAY_ROOT", "/"))
        self.files = [self.tree / "init"]
        return (self.tree / "init").exists() and (self.tree / "package/admin/s6-overlay").exists()

    def install(self):
        for name in ("init", "command", "package"):
            source, target = self.tree / name, self.stage.root / name
            if source.is_dir() and not target.exists():
                shutil.copytree(source, target, symlinks=True)
            elif not target.exists():
                shutil.copy(source, target)
        self.files = [
            file for name in ("init", "command", "package") for file in [self.stage.root / name] if file.is_file()
        ]
        self.files += [
            file
            for name in ("command", "package")
            for file in (self.stage.root / name).rglob("*")
            if file.is_file() and not file.is_symlink()
        ]
        self.stage.copies.update(self.files)
        (self.stage.root / "etc/s6-overlay").mkdir(exist_ok=True)

    def version(self):
        link = self.tree / "package/admin/s6-overlay"
        return os.path.basename(os.path.realpath(link)).removeprefix("s6-overlay-")

    def launch(self, name, definitions, words):
        """With these definitions, which are {name: {file: text or a link's target}}, all of them in the user bundle."""
        folder, _ = self.stage.folder(f"s6-overlay/{name}")
        (folder / "s6-rc.d").mkdir()
        for bundle in ("user", "user2"):
            for place in (folder / "s6-rc.d" / bundle, folder / "user-bundles.d" / bundle):
                (place / "contents.d").mkdir(parents=True)
                (place / "type").write_text("bundle\n")
                for service in definitions if bundle == "user" else ():
                    (place / "contents.d" / service).touch()
        if (self.tree / "etc/s6-overlay/user-bundles.d").exists():
            # Since 3.2.3 the bundles have a folder of their own.
            shutil.rmtree(folder / "s6-rc.d/user")
            shutil.rmtree(folder / "s6-rc.d/user2")
        for service, files in definitions.items():
            for file, text in files.items():
                path = folder / "s6-rc.d" / service / file
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(text, Path):
                    shutil.copy(text, path)
                else:
                    path.write_text(text)
        environment = {
            "S6_CMD_RECEIVE_SIGNALS": "1",
            "S6_CMD_WAIT_FOR_SERVICES_MAXTIME": "0",
            **({} if self.patient else self.waits_off),
        }
        return Launch(["/init", *words], environment, [(folder, "/etc/s6-overlay")])

    def main(self, words):
        return self.launch("main", {}, words)

    def chain(self, count):
        definitions = {}
        for number in range(count):
            files = {"type": "oneshot\n", "up": f"{NOTHING}\n"}
            if number:
                files[f"dependencies.d/step-{number - 1:03}"] = ""
            definitions[f"step-{number:03}"] = files
        return self.launch(f"chain-{count}", definitions, [SERVICE])

    def services(self, count, words=(SERVICE,), at_once=False):
        if len(words) > 1 or words[0] != SERVICE:
            return None
        program = self.stage.bench / "programs" / Path(NOTIFYING if at_once else words[0]).name
        files = {"type": "longrun\n", "run": program, **({"notification-fd": "3\n"} if at_once else {})}
        return self.launch(
            f"services-{count}{'-at-once' * at_once}", {f"service-{number:03}": files for number in range(count)}, []
        )


def every(stage, binary):
    """All that this knows, the floor and hermes-init first."""
    return [
        Floor(stage),
        HermesInit(stage, binary),
        Wrapper(stage, "tini"),
        Wrapper(stage, "dumb-init"),
        Wrapper(stage, "catatonit"),
        S6(stage),
        Runit(stage),
        Dinit(stage),
        Nitro(stage),
        Supervisord(stage),
        S6Overlay(stage),
        S6Overlay(stage, patient=False),
    ]
