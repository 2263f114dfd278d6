"""Proxies requests to a server and saves the raw requests to imba_rooms: length, newline, bytes.

python3 record.py SERVER_PORT FILE     prints the port to use; ends when stdin closes
"""
import socket, sys, threading

to, path = int(sys.argv[1]), sys.argv[2]
kept, lock = open(path, "wb"), threading.Lock()


def message(stream):
    """One request or answer with its whole body; None at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif name.lower() == b"transfer-encoding":
            raise ValueError("a body without a length")
    return head + stream.read(length)


def serve(client):
    server = socket.create_connection(("127.0.0.1", to))
    for side in client, server:
        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    requests, answers = client.makefile("rb"), server.makefile("rb")
    while (request := message(requests)) is not None:
        if b"/imba_rooms " in request.split(b"\r\n", 1)[0]:
            with lock:
                kept.write(b"%d\n" % len(request) + request)
        server.sendall(request)
        client.sendall(message(answers))
    server.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)


def accept():
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
with lock:
    kept.close()
