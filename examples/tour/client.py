"""Calls the tour's server as any Python program would: with the standard library alone."""

import sys
import xmlrpc.client

server = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{sys.argv[1]}/")

print("methods:", ", ".join(server.system.listMethods()))
print("help:", server.system.methodHelp("divide"))
print("signature:", server.system.methodSignature("search"))

calls = xmlrpc.client.MultiCall(server)
calls.add(7, 3)
calls.subtract(7, 3)
calls.multiply(7, 3)
calls.divide(7, 3)
results = tuple(calls())
print("7 + 3, 7 - 3, 7 * 3, 7 / 3:", results)
assert results == (10, 4, 21, 2), results

assert server.woca() == "Hello, world!"
assert server.woca("Ada") == "Hello, Ada!"
assert server.checksum(xmlrpc.client.Binary(b"123456789")) == 0xCBF43926
assert [person["first_name"] for person in server.search("555-0100")] == ["Ada"]

try:
    server.divide(7, 0)
except xmlrpc.client.Fault as fault:
    print("7 / 0:", fault.faultString)
    assert fault.faultCode == 1, fault
else:
    sys.exit("dividing by zero is no fault?")
