"""How fast a service answers under load, against the rate of its bundle without a service.

    python benchmarks/serving.py BUNDLE METADATA IMAGES [SECONDS]

Requests go over loopback alone, to a service that this starts and ends. Two loads, each of 32
clients that send one request after the other: single lesions, and patients. The rate without a
service is that of one process that scores the same lesions, with reasons or without. What each
lesion takes of the processor is what a busy machine does not change.
"""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness
import httpx2
import numpy as np
import pandas as pd

from skinlesion.dataset import metadata, stores

N_CLIENTS, EXPLAINED = 32, 50


@dataclass
class Load:
    """What came of a load."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    n_lesions: int = 0


def offline(bundle: str, csv: str, images: str, explained: int) -> dict[str, float]:
    """Score 512 lesions in patients, as often as 5 s let, in a process of its own."""
    from skinlesion.bundle import runtime

    opened, (table, tiles) = runtime.open(Path(bundle)), read(csv, images)
    table = table.iloc[:512]

    def run() -> None:
        if explained:
            opened.explained(table, tiles, n=explained)
        else:
            opened.score(table, tiles)

    run()  # to warm up
    took = harness.Took(0, 0)
    n = 0
    while took.seconds < 5:
        one = harness.took(run)
        took = harness.Took(took.seconds + one.seconds, took.cpu_seconds + one.cpu_seconds)
        n += len(table)
    return {"lesions/s": n / took.seconds, "CPU ms": 1000 * took.cpu_seconds / n}


def read(csv: str, images: str) -> tuple[pd.DataFrame, dict[str, bytes]]:
    """Read lesions and their tiles."""
    table, store = metadata.read(Path(csv)), stores.open_store(Path(images))
    return table, {i: store.read(i) for i in table["isic_id"]}


def forms(table: pd.DataFrame, tiles: dict[str, bytes], kind: str) -> list[tuple[int, Any]]:
    """Make requests, with the lesions that each has; encoded once, so that clients do little."""
    groups = table.groupby("patient_id") if kind == "patients" else table.groupby("isic_id")
    found = []
    for _, lesions in list(groups)[:200]:
        if kind == "patients":
            files = [("tiles", (f"{i}.jpg", tiles[i])) for i in lesions["isic_id"]]
            files.append(("table", ("table.csv", lesions.to_csv(index=False))))
            request = httpx2.Request("POST", "http://x", files=files)
        else:
            row = json.loads(lesions.iloc[0].to_json())
            files = [("tile", ("a.jpg", tiles[row["isic_id"]]))]
            request = httpx2.Request("POST", "http://x", files=files, data={"row": json.dumps(row)})
        found.append((len(lesions), (request.read(), request.headers["content-type"])))
    return found


def client(url: str, requests: list[tuple[int, Any]], end: float, load: Load) -> None:
    """Send one request after the other until the end."""
    chosen = random.Random(threading.get_ident())
    with httpx2.Client(timeout=120) as http:
        while time.perf_counter() < end:
            n, (body, kind) = chosen.choice(requests)
            start = time.perf_counter()
            answer = http.post(url, content=body, headers={"content-type": kind})
            load.seconds.append(time.perf_counter() - start)
            load.statuses.append(answer.status_code)
            load.n_lesions += n if answer.status_code == 200 else 0


def loaded(url: str, requests: list[tuple[int, Any]], seconds: float) -> dict[str, float]:
    """Let all clients send; return what a table shows."""
    loads = [Load() for _ in range(N_CLIENTS)]
    start = time.perf_counter()
    threads = [
        threading.Thread(target=client, args=(url, requests, start + seconds, load))
        for load in loads
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    waits = np.concatenate([load.seconds for load in loads])
    statuses = [s for load in loads for s in load.statuses]
    return {
        "requests": len(statuses),
        "answered 200": statuses.count(200),
        "answered 429": statuses.count(429),
        "p50 s": float(np.percentile(waits, 50)),
        "p95 s": float(np.percentile(waits, 95)),
        "lesions": sum(load.n_lesions for load in loads),
        "lesions/s": sum(load.n_lesions for load in loads) / took,
    }


def memory(process: subprocess.Popen[str]) -> float:
    """Resident memory of a process, MiB."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """What a process has taken of the processor so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rounded(found: dict[str, float]) -> str:
    """Write figures as JSON."""
    return json.dumps({name: round(value, 3) for name, value in found.items()})


def main(bundle: str, csv: str, images: str, seconds: float) -> None:
    """Measure, and print a line per load."""
    for n in (0, EXPLAINED):
        rate = harness.apart(offline, bundle, csv, images, n)[0]
        print(f"without service, {n} of a patient explained:", rounded(rate), flush=True)
    table, tiles = read(csv, images)
    port = free_port()
    words = ["-m", "skinlesion.cli", "serve", bundle, "--port", str(port)]
    command = [sys.executable, *words]
    paths = os.environ | {"PYTHONPATH": str(harness.ROOT / "src")}
    process = subprocess.Popen(command, env=paths, stdout=subprocess.DEVNULL, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait(url, process)
        for kind, path in (("patients", "/v1/patients"), ("lesions", "/v1/lesions")):
            requests = forms(table, tiles, kind)
            loaded(url + path, requests, 3)  # to warm up
            before, cpu = memory(process), cpu_seconds(process)
            found = loaded(url + path, requests, seconds)
            found["CPU ms"] = 1000 * (cpu_seconds(process) - cpu) / found["lesions"]
            found["MiB before"], found["MiB after"] = before, memory(process)
            print(f"{kind}:", rounded(found), flush=True)
    finally:
        process.terminate()
        print("ended with", process.wait(130))


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait(url: str, process: subprocess.Popen[str]) -> None:
    """Wait until a service is ready."""
    while process.poll() is None:
        try:
            if httpx2.get(f"{url}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.2)


if __name__ == "__main__":
    main(*sys.argv[1:4], float(sys.argv[4]) if len(sys.argv) > 4 else 60)  # type: ignore[call-arg]
