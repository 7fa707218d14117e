"""Connections to run a script on: a Redis server, the one that Sentinel names, or a cluster.

A script is never sent again after an error, since releasing a booking twice would let too much
through. Names of servers never contain the password.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from tokenfare.errors import InvalidRequestError
from tokenfare.extras import required

if TYPE_CHECKING:
    from redis import Redis, RedisCluster

    Client: TypeAlias = "Redis | RedisCluster"

ANSWER_SECONDS = 5.0

_CLUSTER = "+cluster"
_FORMS = (
    "limiter: no address of a Redis server; they look like redis://HOST:PORT/DB, "
    "redis://:PASSWORD@HOST:PORT/DB (with percent signs for what an address cannot hold), "
    "rediss://… with TLS, redis+cluster://HOST:PORT,HOST:PORT for a cluster, unix:///PATH?db=DB; "
    "one behind Sentinel is a client of redis-py that you make; a file is named by its path alone"
)


class Server(Protocol):
    """A server that runs scripts."""

    @property
    def name(self) -> str:
        """Its address, without the password."""

    @property
    def password(self) -> object:
        """The password, to remove it from errors; empty if there is none."""

    def run(self, script: str, keys: Sequence[str], words: Sequence[str]) -> Any:
        """Run a script on keys, atomically. Raises what redis-py raises."""

    def close(self) -> None:
        """Close the connections; they are opened again if need be."""


def server_of(given: str | Client) -> Server:
    """The server at an address, or behind a client of redis-py; nothing is sent yet.

    Raises `MissingExtra` without redis-py and `InvalidRequestError` for what is no address.
    """
    if isinstance(given, str):
        scheme, signs, rest = given.partition("://")
        if scheme.lower().endswith(_CLUSTER):
            return _cluster_at(scheme[: -len(_CLUSTER)] + signs + rest)
        return _Single(_client_at(given))
    if hasattr(given, "nodes_manager"):  # `RedisCluster`, without importing it
        return _Cluster(lambda: given, _nodes_of(given), _password_of(given))
    return _Single(given)


class _Single:
    """One server, or the current one of Sentinel, whose client follows a failover."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._scripts: dict[str, Any] = {}
        self._known = client.connection_pool.connection_kwargs

    @property
    def name(self) -> str:
        """Its host, port and database, or socket; behind Sentinel, its name there."""
        database = self._known.get("db") or 0
        if service := getattr(self._client.connection_pool, "service_name", None):
            return f"{service} (of Sentinel)/{database}"
        place = self._known.get("path") or f"{self._known.get('host')}:{self._known.get('port')}"
        return f"{place}/{database}"

    @property
    def password(self) -> object:
        """The password of the client."""
        return self._known.get("password")

    def run(self, script: str, keys: Sequence[str], words: Sequence[str]) -> Any:
        """See `Server.run`."""
        known = self._scripts.get(script)
        if known is None:
            known = self._scripts[script] = self._client.register_script(script)
        return known(keys=keys, args=words)

    def close(self) -> None:
        """See `Server.close`."""
        self._client.close()


class _Cluster:
    """A cluster. Its client is made on first use.

    redis-py queries the nodes for their keys when the client is made, and fails if none answers.
    """

    def __init__(self, make: Callable[[], Any], name: str, password: object) -> None:
        self._make = make
        self._name = name
        self._password = password
        self._lock = threading.Lock()
        self._client: Any = None
        self._scripts: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The nodes that were named."""
        return f"{self._name} (a cluster)"

    @property
    def password(self) -> object:
        """The password in the address."""
        return self._password

    def run(self, script: str, keys: Sequence[str], words: Sequence[str]) -> Any:
        """See `Server.run`; the keys are of one hash slot, so of one node."""
        with self._lock:
            if self._client is None:
                self._client = self._make()
            known = self._scripts.get(script)
            if known is None:
                known = self._scripts[script] = self._client.register_script(script)
        return known(keys=keys, args=words)

    def close(self) -> None:
        """See `Server.close`."""
        with self._lock:
            if self._client is not None:
                self._client.close()


def _client_at(url: str) -> Redis:
    redis = _redis()
    try:
        client: Redis = redis.Redis.from_url(url, **_no_retries(redis))
        # Nothing is opened. redis-py would refuse an option that it does not know at the first use.
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
    except (ValueError, TypeError):  # it may quote a part of the password
        pass
    else:
        return client
    raise InvalidRequestError(_FORMS)


def _cluster_at(url: str) -> _Cluster:
    """A cluster by the addresses of some of its nodes, `redis://:PASSWORD@HOST:PORT,HOST:PORT`."""
    redis = _redis()
    nodes, known = _nodes_in(url)
    if not nodes or known.pop("db", 0):
        raise InvalidRequestError(f"{_FORMS}; a cluster has the database 0 alone")
    if known.pop("connection_class", None) is not None:  # `parse_url`'s word for TLS
        known["ssl"] = True

    def make() -> Any:
        named = [redis.cluster.ClusterNode(host, port) for host, port in nodes]
        return redis.RedisCluster(
            startup_nodes=named, **{**_no_retries(redis, cluster=True), **known}
        )

    name = ", ".join(f"{host}:{port}" for host, port in nodes)
    return _Cluster(make, name, known.get("password"))


def _nodes_in(url: str) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    """The nodes in a cluster's address, and the options; no nodes for another address."""
    connection: Any = importlib.import_module("redis.connection")
    try:
        parts = urlsplit(url)
        login, at, hosts = parts.netloc.rpartition("@")
        nodes = [_place(host) for host in hosts.split(",")]
        first = parts._replace(netloc=f"{login}{at}{hosts.partition(',')[0]}").geturl()
        _client_at(first)  # which checks the options
        known: dict[str, Any] = connection.parse_url(first)
    except (ValueError, TypeError):  # it may quote a part of the password
        return [], {}
    beside = {name: value for name, value in known.items() if name not in {"host", "port"}}
    return nodes, beside


def _place(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or 6379


def _nodes_of(client: Any) -> str:
    return ", ".join(node.name for node in client.nodes_manager.startup_nodes.values())


def _password_of(client: Any) -> object:
    return client.nodes_manager.connection_kwargs.get("password")


def _no_retries(redis: Any, *, cluster: bool = False) -> dict[str, Any]:
    """Options of a client with short timeouts that never retries by itself."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    found: dict[str, Any] = {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    if cluster and int(redis.VERSION[0]) < _RETRY_IS_OF_CLUSTERS_TOO:
        found["cluster_error_retry_attempts"] = 0
    return found


def _redis() -> Any:
    return required("redis", "keeping rates over several machines", "redis")


_RETRY_IS_OF_CLUSTERS_TOO = 6
"""The version of redis-py from which `retry` says it all."""
