# SPDX-License-Identifier: BSD-3-Clause
"""Random configurations for tests of `knit reload`, and files that are no good.

A Model is a configuration in a form that is easy to change at random: ports, interfaces, workers,
and jobs, which are rules together with the workers that have them. Everything is a function of the
random numbers that it is given.
"""
import copy

MAX_WORKERS = 3
PORTS = ("pa", "pb", "pc", "pd", "pe", "pf")
FREE = ("ja", "jb", "jc", "jd")
LIVE_PORT_KEYS = ("link_poll",)


class Model:
    def __init__(self):
        self.eal = {"attach_timeout": 30, "log_level": '"notice"'}
        self.start = {}  # (section, key): value, of keys that count from a start on
        self.ports = {}
        self.ifaces = {}
        self.jobs = []  # {"mode", "ends", "workers"}
        self.workers = {i: {"lcore": 1 + i, "idle": '"adaptive"', "burst": 32}
                        for i in range(MAX_WORKERS)}

    def copy(self):
        return copy.deepcopy(self)

    def used(self):
        """The names of ports and interfaces that have a job."""
        return {end for job in self.jobs for end in job["ends"]}

    def iface_of(self, port):
        return next((n for n, k in self.ifaces.items() if k.get("port") == f'"{port}"'), None)

    def present(self):
        """The workers that exist: those with a job."""
        return sorted({w for job in self.jobs for w in job["workers"]})

    def tidy(self):
        """Drops what names something that is gone. False: nothing useful is left."""
        for keys in self.ifaces.values():
            if keys.get("port", '""').strip('"') not in self.ports:
                keys.pop("port", None)
        # The interface of a port that is gone does not become one of its own.
        for name in [n for n, k in self.ifaces.items() if n[0] == "k" and "port" not in k]:
            del self.ifaces[name]
        self.jobs = [job for job in self.jobs if self.possible(job)]
        return bool(self.jobs)

    def possible(self, job):
        where = self.ifaces if job["mode"] == "join" else self.ports
        if not all(end in where for end in job["ends"]) or not job["workers"]:
            return False
        return job["mode"] != "punt" or self.iface_of(job["ends"][0]) is not None


def new_port(rng, name):
    keys = {"rx_desc": rng.choice((16, 32)), "tx_desc": rng.choice((64, 128)), "mtu": 1500}
    if rng.random() < 0.3:
        keys.update(device=f'"net_null{PORTS.index(name)},no-rx=1"', null=True)
    else:
        tap_device(keys, name, 0)
    return keys


def tap_device(keys, name, variant):
    """The device, and the name of its far end. Another variant is another device."""
    number = 2 * PORTS.index(name) + variant
    keys.update(device=f'"net_tap{number},iface={name}{variant}"', netns='"far"',
                variant=variant, null=False)


def new_iface(rng, port=None):
    keys = {"engine": '"tap"', "netns": rng.choice(('"near"', '"other"')),
            "ring_size": rng.choice((128, 256)),
            "handover": rng.choice(('"auto"', '"inline"', '"thread"'))}
    if port:
        keys["port"] = f'"{port}"'
    return keys


def some_workers(rng):
    return sorted(rng.sample(range(MAX_WORKERS), rng.choice((1, 1, 2, 2, 3))))


def free_ports(m):
    return [p for p in m.ports if p not in m.used()]


def free_ifaces(m):
    return [i for i in m.ifaces if i[0] == "j" and i not in m.used()]


# What follows changes a model in one way each, if it can.

def add_port(m, rng):
    names = [n for n in PORTS if n not in m.ports]
    if names:
        name = rng.choice(names)
        m.ports[name] = new_port(rng, name)
        if rng.random() < 0.6:
            m.ifaces["k" + name] = new_iface(rng, name)
        add_job(m, rng)


def remove_port(m, rng):
    if m.ports:
        del m.ports[rng.choice(list(m.ports))]


def other_device(m, rng):
    taps = [n for n, k in m.ports.items() if not k["null"]]
    if taps:
        name = rng.choice(taps)
        tap_device(m.ports[name], name, 1 - m.ports[name]["variant"])


def port_key(m, rng):
    if not m.ports:
        return
    key, values = rng.choice((
        ("rx_desc", (16, 32, 64)), ("tx_desc", (32, 64, 128)), ("mtu", (1400, 1500)),
        ("tx_queues", (0, 1, 2)), ("tso", ("true", "false")), ("tx_checksum", ("true", "false")),
        ("tx", ('"auto"', '"full"')), ("promisc", ("true", "false")),
        ("link_poll", (100, 200, 300))))
    m.ports[rng.choice(list(m.ports))][key] = rng.choice(values)


def toggle_iface(m, rng):
    """The interface of a port."""
    if m.ports:
        port = rng.choice(list(m.ports))
        if m.iface_of(port):
            del m.ifaces["k" + port]
        else:
            m.ifaces["k" + port] = new_iface(rng, port)


def add_free(m, rng):
    for name in rng.sample([n for n in FREE if n not in m.ifaces], k=2)[:2] \
            if len(m.ifaces.keys() & set(FREE)) <= 2 else ():
        m.ifaces[name] = new_iface(rng)
    add_job(m, rng)


def remove_free(m, rng):
    names = [n for n in m.ifaces if n[0] == "j"]
    if names:
        del m.ifaces[rng.choice(names)]


def iface_key(m, rng):
    if m.ifaces:
        key, values = rng.choice((("ring_size", (128, 256, 512)), ("netns", ('"near"', '"other"')),
                                  ("handover", ('"auto"', '"inline"', '"thread"'))))
        m.ifaces[rng.choice(list(m.ifaces))][key] = rng.choice(values)


def add_job(m, rng):
    kinds = []
    ports, ifaces = free_ports(m), free_ifaces(m)
    punts = [p for p in ports if m.iface_of(p)]
    if punts:
        kinds.append(("punt", punts, 1))
    if len(ports) >= 2:
        kinds.append(("xconnect", ports, 2))
    if len(ifaces) >= 2:
        kinds.append(("join", ifaces, 2))
    if kinds:
        mode, names, n = rng.choice(kinds)
        m.jobs.append({"mode": mode, "ends": rng.sample(names, n), "workers": some_workers(rng)})


def remove_job(m, rng):
    if m.jobs:
        m.jobs.remove(rng.choice(m.jobs))


def job_workers(m, rng):
    if m.jobs:
        rng.choice(m.jobs)["workers"] = some_workers(rng)


def order(m, rng):
    """Another order in the file, which is no change."""
    rng.shuffle(m.jobs)
    for name in ("ports", "ifaces"):
        items = list(getattr(m, name).items())
        rng.shuffle(items)
        setattr(m, name, dict(items))


def worker_lcore(m, rng):
    worker = rng.randrange(MAX_WORKERS)
    m.workers[worker]["lcore"] = rng.choice((1 + worker, 11 + worker))


def worker_key(m, rng):
    key, values = rng.choice((("idle", ('"adaptive"', '"adaptive"', '"poll"')),
                              ("burst", (4, 32, 64, 256))))
    m.workers[rng.randrange(MAX_WORKERS)][key] = rng.choice(values)


def eal_key(m, rng):
    key, values = rng.choice((("attach_timeout", (30, 31)),
                              ("log_level", ('"notice"', '"info"'))))
    m.eal[key] = rng.choice(values)


WAYS = (add_port, add_port, remove_port, other_device, port_key, port_key, toggle_iface, add_free,
        remove_free, iface_key, add_job, add_job, remove_job, job_workers, job_workers, order,
        worker_lcore, worker_key, eal_key)


def mutate(m, rng):
    """Another model, one to four steps away."""
    while True:
        other = m.copy()
        for _ in range(rng.choice((1, 1, 2, 3, 4))):
            rng.choice(WAYS)(other, rng)
            if not other.tidy():
                break
        if other.tidy():
            return other


def first(rng):
    """Where a run begins, and comes back to: something of everything."""
    m = Model()
    for name in PORTS[:4]:
        m.ports[name] = {"rx_desc": 32, "tx_desc": 64, "mtu": 1500}
        tap_device(m.ports[name], name, 0)
    m.ifaces = {"kpa": new_iface(rng, "pa"), "ja": new_iface(rng), "jb": new_iface(rng)}
    m.jobs = [{"mode": "punt", "ends": ["pa"], "workers": [0, 1]},
              {"mode": "xconnect", "ends": ["pb", "pc"], "workers": [0]},
              {"mode": "join", "ends": ["ja", "jb"], "workers": [1]}]
    return m


def group(keys):
    return "{ " + " ".join(f"{k} = {v};" for k, v in keys.items()) + " }"


def rule(job):
    ends = job["ends"]
    if job["mode"] == "punt":
        return group({"mode": '"punt"', "port": f'"{ends[0]}"'})
    key = "interfaces" if job["mode"] == "join" else "ports"
    return group({"mode": '"xconnect"', key: f'["{ends[0]}", "{ends[1]}"]'})


def render(m, prefix, cpu):
    """The file."""
    def listed(items):
        return "(\n\t" + ",\n\t".join(items) + "\n)"

    sections = {"eal": {"prefix": f'"{prefix}"', "lcore": 0, "cpus": '"0"', "iova": '"va"',
                        "headroom": 24, "max_workers": MAX_WORKERS},
                "mempool": {"extra": 1024, "headroom": 12288},
                "tap": {"cpus": '"0"'},
                "watch": {"buffer": 128},
                "control": {"lcore": 20, "cpus": '"0"'}}
    sections["eal"].update(m.eal)
    for (section, key), value in m.start.items():
        sections[section][key] = value
    text = [f"{name} = {group(keys)};" for name, keys in sections.items()]
    ports = [group({"name": f'"{n}"', **{k: v for k, v in keys.items()
                                         if k not in ("null", "variant")}})
             for n, keys in m.ports.items()]
    ifaces = [group({"name": f'"{n}"', **keys}) for n, keys in m.ifaces.items()]
    workers = []
    for i in m.present():
        rules = [rule(job) for job in m.jobs if i in job["workers"]]
        workers.append(group({"id": i, "cpus": f'"{cpu}"', **m.workers[i],
                              "forward": listed(rules)}))
    text += [f"ports = {listed(ports)};", f"interfaces = {listed(ifaces)};",
             f"workers = {listed(workers)};"]
    return "\n".join(text) + "\n"


# Files that are no good: each takes a model and returns one, or text to put into the file in place
# of another. The exit code is 3 for a file with errors, 1 for a change that can't be made.

def broken_text(old, new):
    return lambda m, rng: (m, lambda text: text.replace(old, new, 1))


def unknown_port(m, rng):
    m.jobs.append({"mode": "xconnect", "ends": ["pz", "py"], "workers": [0]})
    return m, None


def unknown_port_of_iface(m, rng):
    m.ifaces["kz"] = new_iface(rng, "pz")
    return m, None


def two_ifaces(m, rng):
    m.ports.setdefault("pa", new_port(rng, "pa"))
    m.ifaces["kpa"] = new_iface(rng, "pa")
    m.ifaces["kz"] = new_iface(rng, "pa")
    return m, None


def two_rules(m, rng):
    """Two workers do different things with one port."""
    for name in ("pa", "pb"):
        m.ports.setdefault(name, new_port(rng, name))
        m.ifaces["k" + name] = new_iface(rng, name)
    m.jobs = [j for j in m.jobs if not {"pa", "pb"} & set(j["ends"])]
    m.jobs += [{"mode": "punt", "ends": ["pa"], "workers": [0]},
               {"mode": "xconnect", "ends": ["pb", "pa"], "workers": [rng.choice((0, 1))]}]
    return m, None


def start_key(section, key, value):
    def way(m, rng):
        m.start[(section, key)] = value
        return m, None
    return way


def no_netns_iface(m, rng):
    m.ifaces["jz"] = {**new_iface(rng), "netns": '"nowhere"'}
    return m, None


def no_netns_port(m, rng):
    m.ports["pz"] = {"device": '"net_tap30,iface=pz0"', "netns": '"nowhere"'}
    return m, None


def no_driver(m, rng):
    m.ports["pz"] = {"device": '"net_nosuch0"'}
    return m, None


def name_taken(m, rng):
    """The namespace has a device of that name."""
    m.ifaces["taken"] = {**new_iface(rng), "netns": '"near"'}
    return m, None


def too_long(m, rng):
    """What the driver says only once it is there."""
    m.ports["pz"] = {"device": '"net_tap30,iface=pz0"', "netns": '"far"', "rx_desc": 16,
                     "tx": '"fast"', "mtu": 9000}
    return m, None


SPOILT = (
    (3, "syntax", broken_text("ports = (", "ports = ((")),
    (3, "mode", broken_text('mode = "', 'mode = "no')),
    (3, "unknown key", broken_text("lcore = 20;", "lcores = 20;")),
    (3, "range", broken_text("lcore = 20;", "lcore = 200;")),
    (3, "lcore twice", broken_text("lcore = 20;", "lcore = 0;")),
    (3, "unknown port", unknown_port),
    (3, "unknown port of an interface", unknown_port_of_iface),
    (3, "two interfaces of a port", two_ifaces),
    (3, "two rules for a port", two_rules),
    (1, "eal.memory", start_key("eal", "memory", 300)),
    (1, "mempool.extra", start_key("mempool", "extra", 2048)),
    (1, "eal.max_workers", start_key("eal", "max_workers", MAX_WORKERS + 1)),
    (1, "tap.kthread_mode", start_key("tap", "kthread_mode", '"multiple"')),
    (1, "no such namespace for an interface", no_netns_iface),
    (1, "no such namespace for a port", no_netns_port),
    (1, "no such driver", no_driver),
    (1, "the name is taken", name_taken),
    (1, "an MTU that no port has", too_long),
)


def spoil(m, rng):
    """(exit code, what is wrong, model, what to do with the text or None)"""
    code, what, way = rng.choice(SPOILT)
    other, edit = way(m.copy(), rng)
    return code, what, other, edit


# Paths of packets: between which devices packets pass by a job.

def device_of(m, end):
    """(namespace, device) where packets for a port or interface come in; None: nowhere."""
    if end in m.ifaces:
        return m.ifaces[end]["netns"].strip('"'), end
    keys = m.ports[end]
    return None if keys["null"] else ("far", f"{end}{keys['variant']}")


def path_of(m, job):
    """Both ends, or None."""
    ends = list(job["ends"])
    if job["mode"] == "punt":
        ends.append(m.iface_of(ends[0]))
    both = tuple(device_of(m, end) for end in ends)
    return None if None in both else both


def share(m, job):
    """All that a job's packets depend on. If it is the same in two models nothing may be lost."""
    ports, ifaces = [], []
    for end in job["ends"]:
        if job["mode"] == "join":
            ifaces.append((end, m.ifaces[end]))
            continue
        ports.append((end, {k: v for k, v in m.ports[end].items() if k not in LIVE_PORT_KEYS}))
        name = m.iface_of(end)
        ifaces.append((name, m.ifaces[name] if name else None))
    return {"mode": job["mode"], "ends": job["ends"], "ports": ports, "ifaces": ifaces,
            "workers": [(w, m.workers[w]["lcore"]) for w in job["workers"]]}


def untouched(a, b):
    """The jobs of a that no change to b concerns."""
    there = [share(b, job) for job in b.jobs if b.possible(job)]
    return [job for job in a.jobs if share(a, job) in there]
