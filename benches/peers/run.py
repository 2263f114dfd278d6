"""Creates the inputs, runs and measures each tool, and prints a Markdown table. Started by run.sh."""
import os, shutil, signal, subprocess, sys, time
from importlib.metadata import version
from pathlib import Path

PROGRAM, WORK, LIMIT = Path(sys.argv[1]).resolve(), Path(sys.argv[2]), float(sys.argv[3])
SIZES = [int(size) for size in " ".join(sys.argv[4:]).split()]
HERE = Path(__file__).resolve().parent
BIN = WORK / "venv" / "bin"
MEMBERS = 7
# roomform's default parallelism.
WIDTH = 8


def members(room):
    return [room * 7 % 100000 + member * 13 + 1 for member in range(MEMBERS)]


def inputs(rooms, place):
    """Writes the same rooms in the format of each tool."""
    place.mkdir(parents=True)
    with open(place / "rooms.yaml", "w") as out:
        out.write("version: 1\nrooms:\n")
        for room in range(1, rooms + 1):
            out.write(f'  - {{pipe: course-{room}, title: "Курс {room} · осень", members: {members(room)}}}\n')
    with open(place / "rooms.tsv", "w") as out:
        for room in range(1, rooms + 1):
            out.write("\t".join([f"course-{room}", f"Курс {room} · осень", *map(str, members(room))]) + "\n")
    (place / "zones").mkdir()
    (place / "made").mkdir()
    with open(place / "zones" / "rooms.test.yaml", "w") as out:
        out.write("---\n")
        for room in range(1, rooms + 1):
            values = [f"room {room}", *map(str, members(room))]
            out.write(f"course-{room}:\n  ttl: 60\n  type: TXT\n  values: {values}\n")
    for name in "octodns.yaml", "playbook.yaml", "main.tf", "loop.sh", "httpx_rooms.py":
        shutil.copy(HERE / name, place / name)


class Sandbox:
    """A fresh server and its environment variables."""

    def __enter__(self):
        command = [PROGRAM, "sandbox", "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        address = self.process.stdout.readline().split()[-1]
        self.process.stdout.readline()
        self.env = {"IMBACHAT_API_URL": address, "IMBACHAT_WIDGET": "627", "IMBACHAT_SECRET_KEY": "secret_key",
                    "IMBACHAT_LOGIN": "admin", "IMBACHAT_PASSWORD": "admin"}
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.served = self.process.stdout.read().strip()
        self.process.wait()


def measure(command, place, env):
    """Wall seconds, CPU seconds with all children, MB of the largest process; None if it was stopped."""
    env = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(place), "LANG": "C.UTF-8", "WIDTH": str(WIDTH), **env}
    log = open(place / "log", "ab")
    # A fork of this process would include this process's memory; /usr/bin/time avoids that.
    command = ["/usr/bin/time", "-o", "figures", "-f", "%e %U %S %M", *command]
    process = subprocess.Popen(command, cwd=place, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}:\n{(place / 'log').read_text()[-2000:]}")
    wall, user, system, kilobytes = (place / "figures").read_text().split()
    return float(wall), float(user) + float(system), int(kilobytes) / 1024


TERRAFORM = shutil.which("terraform")
# Steps: plan, apply, plan again. None: the tool has no such step.
TOOLS = {
    "roomform": (["roomform", "plan", "-q"], ["roomform", "apply", "-q", "--yes"], ["roomform", "plan", "-q"]),
    "bash, curl": (None, ["bash", "loop.sh"], None),
    "httpx": (["python", "httpx_rooms.py", "plan"], ["python", "httpx_rooms.py", "apply"], ["python", "httpx_rooms.py", "plan"]),
    "Ansible": (None, ["ansible-playbook", "playbook.yaml"], None),
    "octoDNS": (["octodns-sync", "--config-file", "octodns.yaml"], ["octodns-sync", "--config-file", "octodns.yaml", "--doit"],
                ["octodns-sync", "--config-file", "octodns.yaml"]),
    "Terraform": (["terraform", "plan", "-input=false", "-no-color"], ["terraform", "apply", "-input=false", "-no-color", "-auto-approve"],
                  ["terraform", "plan", "-input=false", "-no-color"]),
}


def versions():
    curl = subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout.split()[1]
    bash = subprocess.run(["bash", "-c", "echo ${BASH_VERSION%%(*}"], capture_output=True, text=True).stdout.strip()
    own = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout.strip()
    found = [own, f"bash {bash}", f"curl {curl}", f"Python {sys.version.split()[0]}"]
    found += [f"{name} {version(name)}" for name in ("httpx", "ansible-core", "octodns")]
    if TERRAFORM:
        env = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull}
        output = subprocess.run([TERRAFORM, "version"], capture_output=True, text=True, env=env).stdout
        found.append(output.splitlines()[0])
    else:
        found.append("terraform: not found")
    return ", ".join(found)


def cell(figures):
    return "{:.2f} s, {:.2f} s CPU, {:.0f} MB".format(*figures)


def run(name, rooms, last):
    """The cells of one line. `last` has the previous number of rooms, and the seconds of each step."""
    place = WORK / name.replace(", ", "-") / str(rooms)
    inputs(rooms, place)
    cells, seconds = [], {}
    env = {"TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    with Sandbox() as sandbox:
        if name == "Terraform":
            measure(["terraform", "init", "-input=false", "-no-color"], place, env)
        for number, command in enumerate(TOOLS[name]):
            if command is None:
                cells.append("no such step")
                continue
            before, took = last
            expected = (took.get(number) or 0) * rooms / before if before else 0
            if number in took and (took[number] is None or expected > LIMIT):
                cells.append("skipped: estimated over {:.0f} s".format(LIMIT))
                seconds[number] = None
                # Without an apply there is no second plan.
                cells += ["—"] * (2 - number) if number == 1 else []
                if number == 1:
                    break
                continue
            command = [str(PROGRAM) if command[0] == "roomform" else command[0], *command[1:]]
            figures = measure(command, place, {**env, **sandbox.env})
            seconds[number] = figures[0] if figures else None
            cells.append(cell(figures) if figures else f"stopped after {LIMIT:.0f} s")
            if figures is None and number == 1:
                cells.append("—")
                break
    shutil.rmtree(place)
    return cells, seconds


def main():
    model = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    load = open("/proc/loadavg").read().split()[0]
    print(f"{os.cpu_count()} cores of {model}; load before: {load}. {time.strftime('%B %Y')}: {versions()}.\n", flush=True)
    print("| tool | rooms | plan | apply | plan again, nothing to do |\n|---|---|---|---|---|", flush=True)
    for name in TOOLS:
        if os.environ.get("ONLY") and name not in os.environ["ONLY"].split(","):
            continue
        if name == "Terraform" and not TERRAFORM:
            print("| Terraform | | not found | | |", flush=True)
            continue
        last = (0, {})
        for rooms in SIZES:
            cells, seconds = run(name, rooms, last)
            # Once skipped, a step stays skipped.
            last = (rooms, {**{number: None for number in last[1]}, **seconds})
            print(f"| {name} | {rooms} | {' | '.join(cells)} |", flush=True)


main()
