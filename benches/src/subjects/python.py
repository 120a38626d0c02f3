# Python's own XML-RPC server at its best: a thread for each connection, which stays open.
import resource
import sys
import threading
import time
from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer


class Handler(SimpleXMLRPCRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rpc_paths = ("/", "/RPC2")


class Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True
    request_queue_size = 4096


def sleep(ms):
    time.sleep(ms / 1000)
    return None


def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


server = Server(("127.0.0.1", 0), Handler, logRequests=False, allow_none=True, use_builtin_types=True)
server.register_function(lambda x, y: x + y, "add")
server.register_function(lambda records: records, "records")
server.register_function(lambda blob: blob, "blob")
server.register_function(sleep, "sleep")
server.register_function(lambda length: bytes(length), "fetch")
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
for _ in sys.stdin:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = (usage.ru_utime + usage.ru_stime) * 1e6
    print('{"cpu_us":%f,"allocations":null,"bytes":null,"rss":%d}' % (cpu, rss()), flush=True)
