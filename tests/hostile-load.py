#!/usr/bin/env python3
"""Asks a server good and hostile things at once for some minutes, and holds its memory and open files to a bound.

    tests/hostile-load.py --bert target/release/bert --minutes 30 --model answers=DIR [--model feelings=DIR …]

Needs Linux and no package. Ends with 0 where every good request had its answer or a 429 or 503, the server's memory in
the last third is at most 5 % above that of the second third, and no file or thread is left over once the clients are
gone; with 1 elsewhere.
"""

import argparse
import collections
import http.client
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

HOST = "127.0.0.1"
TEXTS = json.dumps(["He came.", "\u00e9\u4f60\U0001f600", "x" * 3000, "\\u0000", " "])


def good(choice, labels):
    """A path and a body that a server with such models answers."""
    words = " ".join(choice(["Ada", "wrote", "it", "in", "1843", "the", "tower", "of", "Paris"]) for _ in range(choice([5, 60, 400])))
    requests = []
    if "question-answering" in labels:
        name = labels["question-answering"]
        requests += [
            ("/api/v1/answer", {"model": name, "question": "Who wrote it?", "passage": words}),
            ("/api/v1/answer", {"model": name, "questions": ["Who?", "When?"], "passage": words}),
            (f"/models/{name}", {"inputs": {"question": "Who?", "context": words}}),
        ]
    if "text-classification" in labels:
        name = labels["text-classification"]
        requests += [
            ("/api/v1/classify", {"model": name, "text": words, "pair": "He arrived."}),
            (f"/models/{name}", {"inputs": words}),
        ]
    if "multiple-choice" in labels:
        name = labels["multiple-choice"]
        requests += [("/api/v1/choose", {"model": name, "context": words, "endings": ["sings.", "looks."]})]
    return choice(requests)


def ask(port, labels, choice, seen):
    path, body = good(choice, labels)
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        seen[f"good {response.status}"] += 1
        if response.status == 200:
            json.loads(text)
        elif response.status not in (429, 503):
            seen["wrong"] += 1
            print(f"{path}: {response.status} {text[:200]}", file=sys.stderr)
    except OSError as error:
        seen["wrong"] += 1
        print(f"{path}: {error!r}", file=sys.stderr)
    finally:
        connection.close()


def hostile(rng):
    """Bytes that no client should send, and seconds to wait in the middle of them."""
    head = "POST /api/v1/answer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    body = '{"question": "Who?", "passage": "Ada."}'
    framed = lambda body: (head + f"Content-Length: {len(body.encode())}\r\n\r\n" + body).encode()
    deep = "[" * rng.choice([100, 10_000, 100_000])
    cases = [
        rng.randbytes(rng.choice([1, 100, 10_000])),
        b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * rng.choice([100, 10_000, 1_000_000]) + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        (head + "Content-Length: 99999999999999\r\n\r\n{").encode(),
        (head + "Content-Length: 18446744073709551616\r\n\r\n{").encode(),
        (head + "Content-Length: -1\r\n\r\n{").encode(),
        (head + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{").encode(),
        (head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\n{}}\r\n0\r\n\r\n").encode(),
        framed(deep),
        framed('{"question": ' + deep),
        framed(body[: rng.randrange(len(body))]),
        framed(body.replace("Who?", "\\ud800")),
        head.encode() + b"Content-Length: 20\r\n\r\n" + b'{"question": "\xff\xfe\x80"}',
        framed('{"question": "Who?", "passage": "' + "word " * 500_000 + '"}'),
        framed('{"questions": [' + ",".join(['"Who?"'] * 100_000) + '], "passage": "Ada."}'),
        framed(body) * 20,
        b"GET /v2/models/none/infer HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        f"OPTIONS /api/v1/answer HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n\r\n".encode(),
        f"POST /v2/models/answers/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(TEXTS)}\r\n\r\n{TEXTS}".encode(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500),
    ]
    return rng.choice(cases), rng.choice([0, 0, 0, 0.2, 3])


def attack(port, rng, seen):
    data, pause = hostile(rng)
    kind = "hostile, answered"
    try:
        with socket.create_connection((HOST, port), timeout=20) as connection:
            middle = rng.randrange(len(data) + 1) if pause else len(data)
            connection.sendall(data[:middle])
            if pause:
                time.sleep(pause)
                connection.sendall(data[middle:])
            # Some go without waiting for an answer.
            if rng.random() < 0.7:
                connection.settimeout(2)
                kind = "hostile, answered" if connection.recv(65536) else "hostile, closed"
    except (TimeoutError, ConnectionError):
        kind = "hostile, cut off"
    seen[kind] += 1


def state(pid):
    """Resident KiB, open files and threads of a process."""
    with open(f"/proc/{pid}/status") as file:
        status = file.read()
    number = lambda key: int(re.search(rf"^{key}:\s+(\d+)", status, re.M)[1])
    return number("VmRSS"), len(os.listdir(f"/proc/{pid}/fd")), number("Threads")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bert", default="target/release/bert")
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    command = [arguments.bert, "serve", "--address", f"{HOST}:0", "--device", "cpu"]
    for model in arguments.model:
        command += ["--model", model]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    port = None
    for line in server.stdout:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if found:
            port = int(found[1])
            break
    if port is None:
        sys.exit("the server did not start")
    log = collections.deque(maxlen=20)
    threading.Thread(target=lambda: log.extend(server.stdout), daemon=True).start()
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("GET", "/api/v1/models")
    models = json.loads(connection.getresponse().read())["models"]
    connection.close()
    labels = {model["task"]: model["model"]["name"] for model in models}
    seen = collections.Counter()
    ends = time.monotonic() + 60 * arguments.minutes

    def client(number):
        rng = random.Random(arguments.seed * 1000 + number)
        while time.monotonic() < ends and server.poll() is None:
            if number % 2:
                attack(port, rng, seen)
            else:
                ask(port, labels, rng.choice, seen)

    before = state(server.pid)
    clients = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in clients:
        thread.start()
    samples = []
    while time.monotonic() < ends and server.poll() is None:
        time.sleep(5)
        samples.append(state(server.pid))
    for thread in clients:
        thread.join()
    if server.poll() is not None:
        sys.exit(f"the server ended with {server.returncode}: {''.join(log)}")
    # Waiting connections are closed by their time limits.
    for _ in range(90):
        after = state(server.pid)
        if after[1] <= before[1] and after[2] <= before[2]:
            break
        time.sleep(1)
    server.terminate()
    code = server.wait(60)
    third = len(samples) // 3
    second, last = (statistics.median(kib for kib, *_ in part) for part in (samples[third : 2 * third], samples[2 * third :]))
    print(json.dumps({
        "minutes": arguments.minutes,
        "requests": dict(sorted(seen.items())),
        "resident_mib": {"start": before[0] // 1024, "second third": int(second / 1024), "last third": int(last / 1024), "most": max(kib for kib, *_ in samples) // 1024},
        "open_files": {"start": before[1], "most": max(files for _, files, _ in samples), "end": after[1]},
        "threads": {"start": before[2], "end": after[2]},
        "exit_code": code,
    }, indent=1))
    is_sound = seen["wrong"] == 0 and last <= 1.05 * second and after[1] <= before[1] and after[2] <= before[2] and code == 0
    sys.exit(0 if is_sound else 1)


main()
