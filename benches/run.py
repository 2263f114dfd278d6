"""Measures whole processes on files as people write them, and prints the tables of docs/performance.md.

python3 benches/run.py [--write] [--program FILE] [--runs N] [ROOMS...]
    default: 1000 10000 100000 rooms of 30 members, best of 5 runs (of 2 for 100000)
    --write puts the tables into docs/performance.md; --program measures this roomform instead of building one
It needs cargo, curl and /usr/bin/time. It installs PyYAML, aiohttp and js-yaml into target/bench; without node it omits js-yaml.
"""
import argparse, base64, gzip, http.server, json, os, re, shutil, signal, subprocess, sys, threading, time, urllib.request, zipfile
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "target" / "bench"
PYTHON = TOOLS / "venv" / "bin" / "python"
MEMBERS, EDITIONS, PEER_ROOMS, DRIFT_ROOMS = 30, 10, 10_000, 50_000
# The rows of a sheet.
MOST_ROWS = 1 << 20


def install():
    """Builds the tools, and starts this script again with the Python that has the libraries."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", TOOLS / "venv"], check=True)
    packages = ["PyYAML==6.0.3", "aiohttp==3.14.1"]
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    if shutil.which("npm"):
        subprocess.run(["npm", "install", "--silent", "--prefix", TOOLS, "js-yaml@4.1.0"], check=True)
    own, floors = (dict(re.findall('name = "(.+)"\nversion = "(.+)"', (ROOT / lock).read_text())) for lock in ("Cargo.lock", "benches/floor/Cargo.lock"))
    for name in "calamine", "csv", "granit-parser", "serde_json":
        if own[name] != floors[name]:
            raise SystemExit(f"roomform uses {name} {own[name]}, and the floor {floors[name]}: change benches/floor/Cargo.toml")
    floor = ["cargo", "build", "--release", "--quiet", "--target-dir", TOOLS, "--manifest-path", ROOT / "benches/floor/Cargo.toml"]
    subprocess.run(floor, check=True)
    os.environ["ROOMFORM_BENCH"] = "1"
    os.execv(PYTHON, [PYTHON, __file__, *sys.argv[1:]])


# The files: the same rooms in each way of writing a manifest


def title(room, edition):
    """Each edition after the first changes the title of every ninth room."""
    change = room % (EDITIONS - 1) + 1
    return f"Курс {room} · осень 25/26" + (f" ({change})" if change <= edition else "")


def group(number):
    return [200_000 + number * 10 + member for member in range(10)]


def members(room, edition=EDITIONS - 1):
    """Ten own members and two groups. Each edition after the first adds a member to every ninth room."""
    own = [room * 7 % 100_000 + member * 13 + 1 for member in range(10)]
    all_of_them = own + group(room // 10) + group(room // 10 + 1)
    return all_of_them if room % (EDITIONS - 1) + 1 <= edition else all_of_them[:-1]


def room_in_a_line(room, edition=EDITIONS - 1, mark=""):
    return f'  - {{pipe: course-{room}, title: "{title(room, edition)}{mark}", members: {members(room, edition)}}}\n'


def room_as_dumped(room):
    """What PyYAML's `safe_dump` writes."""
    import yaml
    rest = yaml.dump({"pipe": f"course-{room}", "title": title(room, EDITIONS)}, Dumper=yaml.CSafeDumper)
    lines = [f"- members:\n", *(f"  - {user}\n" for user in members(room)), *(f"  {line}\n" for line in rest.splitlines())]
    return "".join(lines)


def room_in_lines(room):
    lines = "".join(f"      - {user}\n" if at % 3 else f"      - {user}  # tutor\n" for at, user in enumerate(members(room)))
    return f'  # taught in autumn\n  - pipe: course-{room}\n    title: "{title(room, EDITIONS)}"\n    members:\n{lines}'


def room_of_names(room):
    names = ", ".join(f"Pupil {user}" for user in members(room))
    return f'  - {{pipe: course-{room}, title: "{title(room, EDITIONS)}", members: [{names}]}}\n'


def room_of_groups(room):
    users = [*members(room)[:10], f"@g{room // 10}", f"@g{room // 10 + 1}"]
    return f'  - {{pipe: course-{room}, title: "{title(room, EDITIONS)}", members: {json.dumps(users)}}}\n'


GENERATE = """version: 1
generate:
  - each: courses.csv
    room:
      pipe: "course-{{{{ id }}}}"
      title: "{{{{ name }}}}"
      enrol: {{roster: {roster}, on: {{course_id: id}}, user: user_id, where: {{status: active}}}}
"""


def write(path, *parts):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        for part in parts:
            out.write(part) if isinstance(part, str) else out.writelines(part)


def write_workbook(path, rows):
    """A workbook with one sheet, in the XML that Excel writes."""
    def cell(name, value):
        return f'<c r="{name}"><v>{value}</v></c>' if isinstance(value, int) else f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>'

    main, office = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org"
    relation = '<Relationships xmlns="{0}/package/2006/relationships"><Relationship Id="r1" Type="{0}/officeDocument/2006/relationships/{1}" Target="{2}"/></Relationships>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": relation.format(office, "officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}/officeDocument/2006/relationships"><sheets><sheet name="Enrolments" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relation.format(office, "worksheet", "worksheets/sheet1.xml"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{main}"><sheetData>'.encode())
            for number, row in enumerate(rows, 1):
                cells = "".join(cell("ABC"[at] + str(number), value) for at, value in enumerate(row))
                sheet.write(f'<row r="{number}">{cells}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")


def write_manifests(place, rooms):
    """One directory for each way of writing the manifest. All of them declare the last edition."""
    numbers, head = range(1, rooms + 1), "version: 1\nrooms:\n"
    for edition in range(EDITIONS):
        write(place / f"edition-{edition}/rooms.yaml", head, (room_in_a_line(room, edition) for room in numbers))
    os.rename(place / f"edition-{EDITIONS - 1}", place / "line")
    write(place / "changed/rooms.yaml", head, (room_in_a_line(room, mark=" (new)") for room in numbers))
    write(place / "dumped/rooms.yaml", "rooms:\n", map(room_as_dumped, numbers), "version: 1\n")
    write(place / "lines/rooms.yaml", head, map(room_in_lines, numbers))
    users = sorted({user for room in numbers for user in members(room)})
    write(place / "names/rooms.yaml", "version: 1\npeople:\n", (f"  Pupil {user}: {user}\n" for user in users), "rooms:\n", map(room_of_names, numbers))
    groups = (f"  g{number}: {group(number)}\n" for number in range(rooms // 10 + 2))
    write(place / "groups/rooms.yaml", "version: 1\ngroups:\n", groups, "rooms:\n", map(room_of_groups, numbers))
    for part in range(100):
        write(place / f"many/rooms-{part:02}.yaml", head, (room_in_a_line(room) for room in numbers[part::100]))
    rows = [(room, user, "active") for room in numbers for user in members(room)]
    for kind in "csv", "xlsx":
        write(place / kind / "rooms.yaml", GENERATE.format(roster=f"enrolments.{kind}"))
        write(place / kind / "courses.csv", "id,name\n", (f"{room},{title(room, EDITIONS)}\n" for room in numbers))
    header = ("course_id", "user_id", "status")
    write(place / "csv/enrolments.csv", ",".join(header) + "\n", (f"{room},{user},{status}\n" for room, user, status in rows))
    if len(rows) < MOST_ROWS:
        write_workbook(place / "xlsx/enrolments.xlsx", [header, *rows])


# The servers


class Server(http.server.ThreadingHTTPServer):
    """Answers each request with the same list, as PHP prints it, and counts the bytes of the bodies."""
    daemon_threads, compresses, sent = True, False, 0

    def __init__(self, rows):
        super().__init__(("127.0.0.1", 0), Answer)
        text = json.dumps({"success": "true", "data": rows, "code": 200}, separators=(",", ":"))
        self.body = text.replace("/", "\\/").encode()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body, self.server.sent = self.server.body, 0
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if self.server.compresses and "gzip" in self.headers.get("accept-encoding", ""):
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.sent = len(body)

    def log_message(self, *_):
        pass


CREDENTIALS = {"IMBACHAT_WIDGET": "627", "IMBACHAT_SECRET_KEY": "secret_key", "IMBACHAT_LOGIN": "admin", "IMBACHAT_PASSWORD": "admin"}


class Sandbox:
    """A fresh `roomform sandbox serve`; `cpu` is known after it has ended."""

    def __init__(self, *flags):
        command = [PROGRAM, "sandbox", "serve", "--listen", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        usage = os.wait4(self.process.pid, 0)[2]
        self.cpu, self.process.returncode = usage.ru_utime + usage.ru_stime, 0

    def rows(self):
        key = base64.b64encode(b"627:secret_key").decode()
        headers = {"Authorization": f"Basic {key}"}
        request = urllib.request.Request(f"{self.url}/imbachat/v2/627/get_rooms", b"imba_id=627", headers)
        return json.load(urllib.request.urlopen(request))["data"]


# Measuring


class Figures:
    """The least CPU and wall seconds of several runs, and the largest peak in bytes."""

    def __init__(self):
        self.cpu, self.wall, self.peak = float("inf"), float("inf"), 0


def measure(command, directory, runs=1, prepare=lambda: None, env={}, ok=(0,)):
    figures = Figures()
    env = {"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8", **CREDENTIALS, **env}
    peak, log = TOOLS / "peak", TOOLS / "log"
    # A fork of this process would include this process's memory; /usr/bin/time avoids that.
    command = ["/usr/bin/time", "-o", peak, "-f", "%M", *command]
    for _ in range(runs):
        prepare()
        begun = time.monotonic()
        with open(log, "wb") as errors:
            process = subprocess.Popen(command, cwd=directory, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in ok:
            raise SystemExit(f"{command} ended with {process.returncode}: {log.read_text()[-2000:]}")
        figures.wall = min(figures.wall, time.monotonic() - begun)
        figures.cpu = min(figures.cpu, usage.ru_utime + usage.ru_stime)
        figures.peak = max(figures.peak, int(peak.read_text().split()[-1]) * 1024)
    return figures


def mib(count):
    return f"{count / 2**20:.1f}"


class Table:
    def __init__(self, *columns):
        print("\n| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|", flush=True)

    def row(self, *cells):
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def readable(directory):
    return [path for path in sorted(directory.rglob("*")) if path.suffix in (".yaml", ".csv", ".xlsx") and path.is_file()]


class Bench:
    """The files of a number of rooms, a ledger that ten applies wrote, and the list after them."""

    def __init__(self, place, rooms, runs):
        self.place, self.rooms, self.runs, self.floors, self.ratios = place, rooms, runs, {}, {}
        write_manifests(place, rooms)
        self.ledger = place / "ledger.jsonl"
        with Sandbox() as sandbox:
            apply = [PROGRAM, "apply", "--yes", "-q", "--api-url", sandbox.url, "--ledger", self.ledger]
            for edition in range(EDITIONS):
                directory = place / ("line" if edition == EDITIONS - 1 else f"edition-{edition}")
                figures = measure(apply, directory)
                self.first_apply = figures if edition == 0 else self.first_apply
            self.server, self.empty = Server(sandbox.rows()), Server([])
        self.list = place / "list.json"
        self.list.write_bytes(self.server.body)
        header, lines = self.ledger.read_text().split("\n", 1)
        self.ledger.write_text(re.sub("http://[0-9.:]+", self.server.url, header) + "\n" + lines)

    def floor(self, files):
        key = tuple(files)
        if key not in self.floors:
            self.floors[key] = measure([FLOOR, *files], self.place, self.runs).cpu
        return self.floors[key]

    def row(self, what, command, directory, files, prepare=lambda: None, figures=None):
        figures = figures or measure([PROGRAM, *command], self.place / directory, self.runs, prepare)
        read = sum(file.stat().st_size for file in files)
        cpu, memory = self.ratios[what] = figures.cpu / self.floor(files), figures.peak / read
        self.table.row(what, f"{figures.cpu:.3f}", f"{cpu:.2f}", f"{figures.wall:.3f}", f"{figures.cpu / self.rooms * 1e6:.1f}",
                       mib(figures.peak), mib(read), f"{memory:.1f}")

    def print_table(self):
        print(f"\n{self.rooms:,} rooms of {MEMBERS} members:")
        self.table = Table("", "CPU, s", "CPU / floor", "wall, s", "CPU per room, µs", "peak, MiB", "read, MiB", "peak / read")
        line, state = readable(self.place / "line"), [self.list, self.ledger]
        plan = ["plan", "-q", "--api-url", self.server.url, "--ledger", self.ledger]
        shapes = {"line": "ids in one-line lists", "dumped": "as PyYAML's `safe_dump` writes it", "lines": "one member per line, with comments", "names": "names",
                  "groups": "groups", "many": "100 files", "csv": "CSV with `enrol`", "xlsx": "XLSX with `enrol`"}
        for name, what in shapes.items():
            files = readable(self.place / name)
            if name == "xlsx" and len(files) < 3:
                continue
            where = ["-f", "."] if name == "many" else []
            self.row(f"plan, {what}: no change", [*plan, "--detailed-exitcode", *where], name, files + state)
        fresh = ["plan", "-q", "--api-url", self.empty.url, "--ledger", "none.jsonl"]
        changed = ["plan", "-q", "--api-url", self.server.url, "--ledger", "none.jsonl"]
        for output in "text", "json", "markdown", "html", "github":
            self.row(f"plan, all rooms new: {output}", [*fresh, "--format", output], "line", line)
        for output in "text", "json", "markdown", "html", "github":
            self.row(f"plan, all rooms changed, no ledger: {output}", [*changed, "--format", output], "changed", readable(self.place / "changed") + [self.list])
        saved = ["--out", self.place / "saved.json", "--force"]
        self.row("plan, all rooms changed, no ledger: `--out`", [*changed, *saved], "changed", readable(self.place / "changed") + [self.list])
        self.row("apply, all rooms new", None, "line", line, figures=self.first_apply)
        self.row("check", ["check", "-q"], "line", line)
        for output in "text", "json", "html":
            both = line + readable(self.place / "changed")
            self.row(f"diff, all titles changed: {output}", ["diff", "-q", "line", "changed", "--format", output], ".", both)
        for output in "json", "csv":
            self.row(f"render: {output}", ["render", "-q", "--format", output], "line", line)
        read = ["--api-url", self.server.url]
        self.row("export", ["export", "-q", *read, "--ledger", self.ledger], "line", state)
        for output in "table", "json", "csv":
            self.row(f"get rooms: {output}", ["get", "rooms", "-q", *read, "--format", output], "line", [self.list])
        ledger = ["ledger", "-q", "--api-url", self.server.url, "--ledger", self.ledger]
        for output in "text", "json":
            self.row(f"ledger show: {output}", [*ledger, "show", "--format", output], "line", [self.ledger])
            self.row(f"ledger history: {output}", [*ledger, "history", "--format", output], "line", [self.ledger])
        copy = self.place / "copy.jsonl"
        compact = ["ledger", "-q", "--api-url", self.server.url, "--ledger", copy, "compact"]
        self.row("ledger compact", compact, "line", [self.ledger], lambda: shutil.copy(self.ledger, copy))
        print(f"\n`ledger compact` shortened the ledger from {mib(self.ledger.stat().st_size)} to {mib(copy.stat().st_size)} MiB.")


    def print_goals(self):
        print(f"\nThe goals, with {self.rooms:,} rooms:")
        table = Table("", "goal: at most", "measured", "")
        plans = {name: ratios for name, ratios in self.ratios.items() if name.startswith("plan")}
        styles = {name: ratios for name, ratios in plans.items() if name.endswith("no change") and "CSV" not in name and "XLSX" not in name}

        def goal(what, most, ratios, column):
            name = max(ratios, key=lambda name: ratios[name][column])
            worst = ratios[name][column]
            table.row(what, most, f"{worst:.2f} ({name})", "reached" if worst <= most else "**missed**")

        def only(name):
            return {name: self.ratios[name]}

        goal("plan, ids in one-line lists: CPU / floor", 2, only("plan, ids in one-line lists: no change"), 0)
        goal("plan, YAML in every style: CPU / floor", 2.5, styles, 0)
        goal("plan, CSV: CPU / floor", 4, only("plan, CSV with `enrol`: no change"), 0)
        goal("plan without changes: peak / read", 4, {name: ratios for name, ratios in plans.items() if name.endswith("no change")}, 1)
        goal("plan, all rooms changed, any output: peak / read", 4, {name: ratios for name, ratios in plans.items() if "changed" in name}, 1)
        goal("ledger compact: peak / read", 3, only("ledger compact"), 1)


# Other tools


def print_yaml_peers(bench):
    print(f"\nReading a manifest of {bench.rooms:,} rooms ({bench.rooms * MEMBERS:,} memberships):")
    table = Table("", "reads", "ids in one-line lists: CPU, s; peak, MiB", "`safe_dump`: CPU, s; peak, MiB")
    yaml = "import sys, yaml; yaml.load(open(sys.argv[1], 'rb'), yaml.CSafeLoader)"
    node = "require('js-yaml').load(require('fs').readFileSync(process.argv[1], 'utf8'))"
    tools = [("roomform check", "all, and validates", [PROGRAM, "check", "-q", "-f"])]
    tools += [(f"{name} (Rust)", "events", [FLOOR, kind]) for kind, name in (("granit", "granit-parser"), ("saphyr", "saphyr-parser"), ("libyaml", "libyaml-safer"))]
    tools += [("PyYAML, C loader", "all", [PYTHON, "-c", yaml])]
    tools += [("js-yaml", "all", ["node", "-e", node])] if shutil.which("node") else []
    for name, what, command in tools:
        cells = []
        for shape in "line", "dumped":
            figures = measure([*command, bench.place / shape / "rooms.yaml"], bench.place, bench.runs, env={"NODE_PATH": str(TOOLS / "node_modules")})
            cells.append(f"{figures.cpu:.2f}; {mib(figures.peak)}")
        table.row(name, what, *cells)


AIOHTTP = """
import asyncio, json, os, sys, aiohttp, yaml
async def main(url):
    rooms = iter(yaml.load(open("rooms.yaml", "rb"), yaml.CSafeLoader)["rooms"])
    base = {"imba_id": "627", "login": "admin", "password": "admin", "room_type": "1", "room_is_public": "0"}
    async with aiohttp.ClientSession() as session:
        async def worker():
            for room in rooms:
                form = base | {"room_pipe": room["pipe"], "room_title": room["title"]}
                form |= {f"users_ids[{at}]": str(user) for at, user in enumerate(room["members"])}
                async with session.post(url + "/imbachat/v1/widget/imba_rooms", data=form) as answer:
                    assert (await answer.json())["data"][0]["success"] is True
        await asyncio.gather(*(worker() for _ in range(8)))
asyncio.run(main(sys.argv[1]))
"""


def print_apply_peers(bench):
    print(f"\nCreating {bench.rooms:,} rooms of {MEMBERS} members, 8 at a time, on a fresh `sandbox serve`:")
    table = Table("", "CPU, s", "wall, s", "peak, MiB")
    curl = '-sS --fail -o /dev/null -d imba_id=627 -d login=admin -d password=admin -d room_type=1 -d room_is_public=0'.split()
    with open(bench.place / "forms", "w") as out:
        for room in range(1, bench.rooms + 1):
            users = "".join(f" -d users_ids[]={user}" for user in members(room))
            out.write(f"""-d room_pipe=course-{room} --data-urlencode "room_title={title(room, EDITIONS)}"{users}\n""")
    ledger = bench.place / "peer.jsonl"
    tools = {
        "roomform apply": lambda url: [PROGRAM, "apply", "--yes", "-q", "--api-url", url, "--ledger", ledger],
        "aiohttp": lambda url: [PYTHON, "-c", AIOHTTP, url],
        "xargs -P8 curl": lambda url: ["xargs", "-a", bench.place / "forms", "-P8", "-L1", "curl", *curl, f"{url}/imbachat/v1/widget/imba_rooms"],
    }
    for name, command in tools.items():
        with Sandbox() as sandbox:
            ledger.unlink(missing_ok=True)
            figures = measure(command(sandbox.url), bench.place / "line")
            found = len(sandbox.rows())
        assert found >= bench.rooms, f"{name} created {found} rooms"
        table.row(name, f"{figures.cpu:.2f}", f"{figures.wall:.2f}", mib(figures.peak))


def print_sandboxes(bench):
    print(f"\n`apply` of {bench.rooms:,} new rooms, by where the sandbox keeps its state:")
    table = Table("", "CPU of client and server, s", "compared with memory", "wall, s")
    state, ledger, memory = bench.place / "state.json", bench.place / "peer.jsonl", None
    for name, flags in {"`sandbox serve`, in memory": [], "`sandbox serve --state`": ["--state", state], "`--sandbox`": None}.items():
        cpu, wall = float("inf"), float("inf")
        for _ in range(min(bench.runs, 3)):
            state.unlink(missing_ok=True)
            ledger.unlink(missing_ok=True)
            apply = [PROGRAM, "apply", "--yes", "-q", "--ledger", ledger]
            if flags is None:
                figures, server = measure([*apply, f"--sandbox={state}"], bench.place / "line"), 0
            else:
                with Sandbox(*flags) as sandbox:
                    figures = measure([*apply, "--api-url", sandbox.url], bench.place / "line")
                server = sandbox.cpu
            cpu, wall = min(cpu, figures.cpu + server), min(wall, figures.wall)
        memory = memory or cpu
        table.row(name, f"{cpu:.2f}", f"{cpu / memory:.2f}", f"{wall:.2f}")


def print_drift(place):
    numbers = range(1, DRIFT_ROOMS + 1)
    write(place / "rooms.yaml", "version: 1\nrooms:\n", map(room_in_a_line, numbers))
    with Sandbox() as sandbox:
        ledger = place / "ledger.jsonl"
        measure([PROGRAM, "apply", "--yes", "-q", "--api-url", sandbox.url, "--ledger", ledger], place)
        rows = sandbox.rows()
    rows[0]["name"] = "Changed by someone else"
    server = Server(rows)
    header, lines = ledger.read_text().split("\n", 1)
    ledger.write_text(header.replace(sandbox.url, server.url) + "\n" + lines)
    print(f"\nA drift check (`plan --detailed-exitcode`) of {DRIFT_ROOMS:,} rooms that finds one change:")
    table = Table("", "received, MiB", "CPU of `plan`, s")
    for server.compresses, name in (False, "without compression"), (True, "gzip"):
        plan = [PROGRAM, "plan", "-q", "--detailed-exitcode", "--api-url", server.url, "--ledger", ledger]
        figures = measure(plan, place, 2, ok=(2,))
        table.row(name, f"{server.sent / 2**20:.2f}", f"{figures.cpu:.2f}")


def print_start(bench):
    plan = ["plan", "-q", "--api-url", bench.server.url, "--ledger", bench.ledger]
    figures = [measure([PROGRAM, *command], bench.place / "line", 50) for command in (["--version"], ["check", "-q"], plan)]
    version, check, plan = (f"{it.wall * 1000:.0f} ms" for it in figures)
    print(f"\n`--version` takes {version}; with {bench.rooms} rooms, `check` takes {check} and `plan` {plan} (the best of 50 runs).")


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    own = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout.strip()
    load = os.getloadavg()[0]
    print(f"{own} on {time.strftime('%-d %B %Y')}: {os.cpu_count()} cores of {model}; load before: {load:.2f}.")


@contextmanager
def bench_of(work, rooms, runs):
    bench = Bench(work / str(rooms), rooms, runs)
    yield bench
    shutil.rmtree(bench.place)


def main(sizes, runs):
    work = TOOLS / "work"
    shutil.rmtree(work, ignore_errors=True)
    machine()
    for rooms in sizes:
        with bench_of(work, rooms, runs or (5 if rooms < 100_000 else 2)) as bench:
            bench.print_table()
            if rooms == max(sizes):
                bench.print_goals()
    with bench_of(work, PEER_ROOMS, runs or 3) as bench:
        print_yaml_peers(bench)
        print_apply_peers(bench)
        print_sandboxes(bench)
    print_drift(work / "drift")
    with bench_of(work, 10, 1) as bench:
        print_start(bench)
    shutil.rmtree(work)


def write_page(text):
    page = ROOT / "docs" / "performance.md"
    begin, end = "<!-- run.py -->", "<!-- end of run.py -->"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--write", action="store_true")
    options.add_argument("--program", type=Path)
    options.add_argument("--runs", type=int)
    options.add_argument("rooms", nargs="*", type=int, default=[1000, 10_000, 100_000])
    options = options.parse_args()
    if "ROOMFORM_BENCH" not in os.environ:
        install()
    if options.write:
        command = [sys.executable, __file__, *(it for it in sys.argv[1:] if it != "--write")]
        write_page(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)
        sys.exit()
    if options.program is None:
        subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
    PROGRAM = (options.program or Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"), "release/roomform")).resolve()
    FLOOR = TOOLS / "release" / "floor"
    main(options.rooms, options.runs)
