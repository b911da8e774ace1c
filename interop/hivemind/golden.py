"""Writes golden.json: bytes that the Python package makes, which the codecs of src/swarm/hivemind are held to.

Run: python interop/hivemind/golden.py > interop/hivemind/golden.json   (needs `pip install hivemind`)
"""

import json
import sys

import hivemind
import msgpack
from hivemind.dht.protocol import DHTProtocol
from hivemind.dht.routing import DHTID
from hivemind.dht.storage import DictionaryDHTValue
from hivemind.p2p import PeerID
from hivemind.proto import dht_pb2, p2pd_pb2
from hivemind.utils import MSGPackSerializer

INF = float("inf")


def tagged(value):
    """JSON that tells types apart: i integer, f float, b bytes, t tuple, m map."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": "inf" if value == INF else "-inf" if value == -INF else value}
    if isinstance(value, bytes):
        return {"b": value.hex()}
    if isinstance(value, tuple):
        return {"t": [tagged(item) for item in value]}
    if isinstance(value, list):
        return [tagged(item) for item in value]
    return {"m": [[tagged(key), tagged(item)] for key, item in value.items()]}


def delimited(message):
    data, size, prefix = message.SerializeToString(), message.ByteSize(), bytearray()
    while size > 127:
        prefix.append(size & 127 | 128)
        size >>= 7
    prefix.append(size)
    return (bytes(prefix) + data).hex()


PEER = PeerID.from_base58("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
RSA_PEER = PeerID.from_base58("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
SERVER = (
    2,
    360.0,
    {
        "start_block": 0,
        "end_block": 32,
        "public_name": "Käthe",
        "version": "kwaai-0.4.1",
        "torch_dtype": "float16",
        "using_relay": False,
        "cache_tokens_left": 100000,
        "adapters": [],
        "next_pings": {},
        "peer_id": PEER.to_base58(),
        "lease_v1": True,
    },
)
VALUES = [
    None, True, False,
    0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1,
    -1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**53), -(2**63),
    0.0, -0.0, 1.0, 1.5, -2.25, 1e300, 5e-324, 1700000000.123456, INF, -INF,
    "", "a", "x" * 31, "x" * 32, "y" * 255, "y" * 256, "z" * 65536, "Käthe \U0001f985",
    b"", b"\x00", b"\xff" * 255, b"\xfe" * 256, b"\xfd" * 65536,
    [], [1, 2, 3], list(range(15)), list(range(16)), [[[]]], [None] * 65536,
    {}, {"a": 1}, {f"k{i}": i for i in range(15)}, {f"k{i}": i for i in range(16)}, {b"k": "v"},
    (), (1,), (1, 2), (1, 2, 3), (1, "a"), ("a", (1.0, [()])), (b"\x00" * 300,), (b"\x01" * 70000,),
    SERVER,
    {"repository": "https://huggingface.co/meta-llama/Llama-3.1-8B", "num_blocks": 32},
]
KEYS = ["_petals.models", "_kwaai.inference.nodes", "Llama-3-1-8B-Instruct-hf.0", "", "Käthe", 7, ("a", 1), b"raw bytes", None]


def dictionary(entries, maxsize=None):
    value = DictionaryDHTValue(maxsize)
    with value.freeze():
        for subkey, item, expiration in entries:
            value.store(subkey, item, expiration)
        # Frozen, it keeps what has expired.
        return MSGPackSerializer.dumps(value)


def packed(value):
    return MSGPackSerializer.dumps(value)


DICTIONARIES = [
    ([], None),
    ([("a", packed(1), 1700000000.5)], None),
    ([(PEER.to_base58(), packed(SERVER), 1700000360.0), (RSA_PEER.to_base58(), packed(SERVER), 1700000300.25)], None),
    ([(7, packed("seven"), 5.0), (b"raw", packed(None), 4.0), (("t", 1), packed([1]), 6.0)], 16),
]
key_a, key_b = DHTID.generate("a").to_bytes(), DHTID.generate("b").to_bytes()
node = DHTID.generate("node").to_bytes()
info = dht_pb2.NodeInfo(node_id=node)
none = dht_pb2.NodeInfo()
MESSAGES = {
    "pingRequestOfClient": dht_pb2.PingRequest(peer=none, validate=False),
    "pingRequestOfNode": dht_pb2.PingRequest(peer=info, validate=True),
    "pingResponse": dht_pb2.PingResponse(peer=info, dht_time=1700000000.5, available=True),
    "pingResponseOfClient": dht_pb2.PingResponse(peer=none, dht_time=1700000000.0),
    "storeRequest": dht_pb2.StoreRequest(
        keys=[key_a, key_b, key_b],
        subkeys=[DHTProtocol.IS_REGULAR_VALUE, packed("peer"), DHTProtocol.IS_DICTIONARY],
        values=[packed("value"), packed(SERVER), dictionary(*DICTIONARIES[1])],
        expiration_time=[1700000360.0, 1700000360.5, 1700000361.0],
        in_cache=[False, True, False],
        peer=info,
    ),
    "storeResponse": dht_pb2.StoreResponse(store_ok=[True, False, True], peer=info),
    "findRequest": dht_pb2.FindRequest(keys=[key_a, key_b], peer=none),
    "findResponse": dht_pb2.FindResponse(
        results=[
            dht_pb2.FindResult(
                type=dht_pb2.FOUND_REGULAR,
                value=packed("value"),
                expiration_time=1700000360.0,
                nearest_node_ids=[key_a, key_b],
                nearest_peer_ids=[PEER.to_bytes(), RSA_PEER.to_bytes()],
            ),
            dht_pb2.FindResult(
                type=dht_pb2.FOUND_DICTIONARY, value=dictionary(*DICTIONARIES[2]), expiration_time=1700000360.0
            ),
            dht_pb2.FindResult(type=dht_pb2.NOT_FOUND, nearest_node_ids=[key_b], nearest_peer_ids=[PEER.to_bytes()]),
        ],
        peer=info,
    ),
}
CALL_ID = bytes(range(16))
call = MESSAGES["findRequest"].SerializeToString()
answer = MESSAGES["findResponse"].SerializeToString()
FRAMES = {
    "call": p2pd_pb2.PersistentConnectionRequest(
        callId=CALL_ID,
        callUnary=p2pd_pb2.CallUnaryRequest(peer=PEER.to_bytes(), proto="DHTProtocol.rpc_find", data=call),
    ),
    "emptyCall": p2pd_pb2.PersistentConnectionRequest(
        callId=CALL_ID, callUnary=p2pd_pb2.CallUnaryRequest(peer=b"", proto="DHTProtocol.rpc_ping", data=b"")
    ),
    "reply": p2pd_pb2.PersistentConnectionRequest(
        callId=CALL_ID, unaryResponse=p2pd_pb2.CallUnaryResponse(response=answer)
    ),
    "emptyReply": p2pd_pb2.PersistentConnectionRequest(
        callId=CALL_ID, unaryResponse=p2pd_pb2.CallUnaryResponse(response=b"")
    ),
    "error": p2pd_pb2.PersistentConnectionRequest(
        callId=CALL_ID, unaryResponse=p2pd_pb2.CallUnaryResponse(error=b"ValueError('no')")
    ),
}

json.dump(
    {
        "source": {
            "hivemind": hivemind.__version__,
            "msgpack": ".".join(map(str, msgpack.version)),
            "python": sys.version.split()[0],
        },
        "values": [{"value": tagged(value), "bytes": packed(value).hex()} for value in VALUES if len(packed(value)) < 2000],
        # Long ones by their first bytes and their length.
        "long": [
            {"value": type(value).__name__, "length": len(packed(value)), "head": packed(value)[:12].hex()}
            for value in VALUES
            if len(packed(value)) >= 2000
        ],
        "keys": [{"key": tagged(key), "id": DHTID.generate(key).to_bytes().hex()} for key in KEYS if key is not None],
        "dictionaries": [
            {
                "maxsize": maxsize,
                "entries": [[tagged(subkey), value.hex(), expiration] for subkey, value, expiration in entries],
                "bytes": dictionary(entries, maxsize).hex(),
            }
            for entries, maxsize in DICTIONARIES
        ],
        "peers": [{"text": peer.to_base58(), "bytes": peer.to_bytes().hex()} for peer in (PEER, RSA_PEER)],
        "tags": {"regular": DHTProtocol.IS_REGULAR_VALUE.hex(), "dictionary": DHTProtocol.IS_DICTIONARY.hex()},
        "messages": {name: message.SerializeToString().hex() for name, message in MESSAGES.items()},
        "frames": {name: delimited(message) for name, message in FRAMES.items()},
    },
    sys.stdout,
    indent=1,
    ensure_ascii=False,
)
print()
