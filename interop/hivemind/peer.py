"""A node of a Hivemind DHT for tests: one JSON command on each line of stdin, one JSON answer on each line of stdout.

Arguments: multiaddrs of nodes to join. The first line tells {"ready": [multiaddrs], "version": "..."}.
Values cross as strings of Python (repr), so that no type is lost.
"""

import ast
import json
import os
import sys

answers = os.fdopen(os.dup(1), "w")
# What libraries print must not get between the answers.
os.dup2(2, 1)


def say(message):
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def unpacked(found):
    if found is None:
        return None
    value, expiration = found
    if isinstance(value, dict):
        value = {key: (item.value, item.expiration_time) for key, item in value.items()}
    return {"value": repr(value), "expiration": expiration}


def main():
    import hivemind
    from hivemind.utils import get_dht_time

    dht = hivemind.DHT(start=True, host_maddrs=["/ip4/127.0.0.1/tcp/0"], initial_peers=sys.argv[1:], num_workers=2)
    say({"ready": [str(address) for address in dht.get_visible_maddrs()], "version": hivemind.__version__})
    for line in sys.stdin:
        asked = json.loads(line)
        key = ast.literal_eval(asked["key"])
        if asked["do"] == "store":
            subkey = ast.literal_eval(asked["subkey"]) if asked.get("subkey") else None
            expiration = asked.get("expiration") or get_dht_time() + 300
            value = ast.literal_eval(asked["value"])
            stored = dht.store(key, value, expiration_time=expiration, subkey=subkey)
            say({"stored": bool(stored), "expiration": expiration})
        else:
            # Its own cache would answer with what it saw before.
            say({"found": unpacked(dht.get(key, latest=True))})
    dht.shutdown()


if __name__ == "__main__":
    main()
