#!/usr/bin/env python3
"""Runs the corpus of hostile GGUF files against the reader and against a whole scan.

Per file: no crash, at most 1 s and 64 MiB, nothing bad accepted, everything good accepted.
As a models directory: listed within 10 s and 128 MiB, every good file offered, no bad one.
Exit status 77 (skipped) when the generator of the corpus is not there.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
SECONDS_PER_FILE = 1.0
MIB_PER_FILE = 64
SECONDS_PER_TREE = 10.0
MIB_PER_TREE = 128
NOT_FILES = ("fs/noexec", "fs/dirloop/up", "fs/many")
# Needs a user who is not root; a link to a file of the tree is the same model under another name.
AS_ROOT_READABLE = "fs/unreadable.gguf"
SAME_FILE = "fs/to-valid.gguf"


def run(command):
    """Exit status (negative: signal), seconds, peak MiB of the largest process, output."""
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, time.monotonic() - begin, usage.ru_maxrss / 1024, output


def check_files(dump, folder, manifest, limits):
    faults = []
    for entry in manifest:
        if entry["path"] in NOT_FILES:
            continue
        path = os.fsencode(os.path.join(folder, entry["path"]))
        # `timeout` ends what hangs; its own status then is 124.
        status, took, mib, _ = run(["timeout", "-s", "KILL", "10", dump, path])
        wrong = []
        if status < 0 or status > 1:
            wrong.append(f"exit status {status}")
        if took > SECONDS_PER_FILE * limits["slowness"]:
            wrong.append(f"{took:.2f} s")
        if limits["checked"] and mib > MIB_PER_FILE:
            wrong.append(f"{mib:.0f} MiB")
        refused = entry["expect"] in ("reject", "ignore")
        if refused and status == 0 and not (os.getuid() == 0 and entry["path"] == AS_ROOT_READABLE):
            wrong.append(f"accepted ({entry['why']})")
        if entry["expect"] == "accept" and status != 0:
            wrong.append("a good file was refused")
        if wrong:
            faults.append(f"{entry['path']!r}: {', '.join(wrong)}")
    return faults


def check_tree(scan, folder, manifest, many, limits):
    status, took, mib, output = run(["timeout", "-s", "KILL", "60", scan, folder])
    faults = []
    if status != 0:
        return [f"scan of the whole tree: exit status {status}"]
    if took > SECONDS_PER_TREE * limits["slowness"]:
        faults.append(f"scan of the whole tree took {took:.1f} s")
    if limits["checked"] and mib > MIB_PER_TREE:
        faults.append(f"scan of the whole tree took {mib:.0f} MiB")
    listed = json.loads(output)
    models = listed["models"]
    offered = {path for model in models for path in model["files"]}
    ids = [model["id"] for model in models]
    if len(set(ids)) != len(ids):
        faults.append("two models have the same id")
    if sum("/fs/many/" in path for path in offered) != many:
        faults.append("not all of the many files are offered")
    for entry in manifest:
        path = os.path.join(folder, entry["path"])
        try:
            path.encode()
        except UnicodeEncodeError:
            continue  # not UTF-8: the list replaces its bytes
        is_projector = entry.get("meta", {}).get("mmproj", False)
        if entry["expect"] in ("reject", "ignore") and path in offered:
            if not (os.getuid() == 0 and entry["path"] == AS_ROOT_READABLE):
                faults.append(f"{entry['path']!r} is offered ({entry['why']})")
        elif entry["expect"] == "accept" and path not in offered:
            if not is_projector and entry["path"] not in (SAME_FILE, "fs/many"):
                faults.append(f"{entry['path']!r} is good and not offered")
    print(f"tree: {len(models)} models, {len(listed['broken'])} broken, {took:.2f} s, {mib:.0f} MiB")
    return faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dump", required=True, help="program that reads one file")
    parser.add_argument("--scan", required=True, help="program that scans a folder")
    parser.add_argument("--generator", required=True)
    parser.add_argument("--many", type=int, default=200, help="valid files beside the hostile ones")
    arguments = parser.parse_args()
    generator = os.environ.get("ROUTERD_GGUF_CORPUS", arguments.generator)
    if not os.path.exists(generator):
        print(f"skipped: no corpus generator at {generator}")
        return SKIPPED
    sanitized = b"__asan_init" in open(arguments.dump, "rb").read()
    limits = {"checked": not sanitized, "slowness": 10 if sanitized else 1}
    with tempfile.TemporaryDirectory() as work:
        folder = os.path.join(work, "models")
        subprocess.run([sys.executable, generator, "--out", folder, "--many", str(arguments.many)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        faults = check_files(arguments.dump, folder, manifest, limits)
        faults += check_tree(arguments.scan, folder, manifest, arguments.many, limits)
        os.chmod(os.path.join(folder, "fs", "noexec"), 0o700)
    for fault in faults:
        print(fault)
    print(f"{len(manifest)} entries, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
