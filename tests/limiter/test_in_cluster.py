"""The same limits kept by a cluster, and by a server that Sentinel replaces when it is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("redis", reason="the extra `redis` is not installed")

import redis_cluster
from redis_cluster import Cluster, Guarded
from redis_server import PASSWORD
from tokenfare.errors import InvalidRequestError, LimiterUnreachable
from tokenfare.limiter import Change, Claim, InMemory, InRedis, Limiter, Window

SECOND = (Window(1.0, 20, 1_000),)
MINUTE = Window(60.0, 1, None)
_namespaces = count()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with redis_cluster.running() as found:
        yield found


@pytest.fixture
def namespace() -> str:
    return f"test-{next(_namespaces)}"


@pytest.fixture
def store(cluster: Cluster, namespace: str) -> Iterator[InRedis]:
    found = InRedis(cluster.url(), namespace=namespace)
    yield found
    found.close()


def get_through(limiter: Limiter, claim: Claim, seconds: float, key: str = "m") -> None:
    place = limiter.enter(key, SECOND, claim)
    give_up = time.monotonic() + seconds
    try:
        while pause := limiter.ask(place):
            assert time.monotonic() < give_up
            time.sleep(pause)
    except LimiterUnreachable:
        limiter.leave(place)
        raise


def test_each_model_is_kept_by_one_node_and_all_nodes_have_some(
    cluster: Cluster, store: InRedis, namespace: str
) -> None:
    """Thirty models: every script's keys are of one slot, or the cluster would refuse it."""
    before = cluster.keys()
    for number in range(30):
        taken = store.take(f"qwen-{number} at https://x/v1", [*SECOND, MINUTE], [(1, 1)] * 2, 0.0)
        assert taken.pause == 0
    grown = [now - then for now, then in zip(cluster.keys(), before, strict=True)]
    assert sum(grown) == 30 * 2
    assert min(grown) > 0


def test_it_says_what_memory_says(store: InRedis) -> None:
    """The same calls at the same moments, with giving back, over windows that slide many times."""
    chance, memory = random.Random(11), InMemory()  # noqa: S311 - an example
    windows = [Window(0.2, 9, 900), Window(0.02, 3, None), Window(5.0, None, 9_000, 0.1, "written")]
    booked: list[tuple[Window, int]] = []
    outcomes = [0, 0]
    end = time.monotonic() + 2
    while time.monotonic() < end:
        asked = [(1, chance.randint(0, 200)) for _ in windows]
        taken = store.take("m", windows, asked, 0.0)
        expected = memory.take("m", windows, asked, taken.moment)
        assert taken.pause == pytest.approx(min(max(expected.pause, 0), 0.05), abs=1e-6)
        outcomes[taken.pause > 0] += 1
        if taken.pause == 0:
            booked += [(window, window.slot(taken.moment)) for window in windows]
        if booked and chance.random() < 0.5:
            changes = [
                Change(window, slot, (-chance.randint(0, 1), chance.randint(-300, 50)))
                for window, slot in chance.sample(booked, k=min(3, len(booked)))
            ]
            store.book("m", changes, 0.0)
            memory.book("m", changes, taken.moment)
        time.sleep(chance.choice([0, 0.001, 0.01]))
    assert min(outcomes) > 20


def test_two_machines_keep_one_limit(cluster: Cluster, store: InRedis, namespace: str) -> None:
    """They name different nodes of the same cluster."""
    other = InRedis(cluster.url(nodes=1), namespace=namespace)
    assert store.take("m", [MINUTE], [(1, 1)], 0.0).pause == 0
    assert other.take("m", [MINUTE], [(1, 1)], 0.0).pause > 0
    other.close()


def test_a_clients_own_cluster_is_taken(cluster: Cluster, store: InRedis, namespace: str) -> None:
    from redis import RedisCluster

    own: Any = RedisCluster(host="127.0.0.1", port=cluster.nodes[2].port, password=PASSWORD)
    other = InRedis(own, namespace=namespace)
    assert store.take("m", [MINUTE], [(1, 1)], 0.0).pause == 0
    assert other.take("m", [MINUTE], [(1, 1)], 0.0).pause > 0
    assert "pass:word" not in f"{other!r} {other.address}"
    own.close()


def test_of_a_node_that_is_lost_its_models_are_not_called_and_the_others_are(
    namespace: str,
) -> None:
    """Said within the time that the address says, without the password; over when it is back."""
    with redis_cluster.running() as cluster:
        store = InRedis(cluster.url("?socket_timeout=0.5", nodes=3), namespace=namespace)
        limiter = Limiter(store)
        models = {
            cluster.node_of(f"{namespace}:limiter:{{m{n}}}:turns"): f"m{n}" for n in range(30)
        }
        for model in models.values():
            get_through(limiter, Claim(1, 1), 5, model)
        cluster.nodes[1].end()
        place = limiter.enter(models[1], SECOND, Claim(1, 1))
        began = time.monotonic()
        with pytest.raises(LimiterUnreachable) as caught:
            limiter.ask(place)
        limiter.leave(place)
        assert time.monotonic() - began < 5
        assert caught.value.address == (
            ", ".join(f"127.0.0.1:{node.port}" for node in cluster.nodes) + " (a cluster)"
        )
        assert "pass:word" not in f"{caught.value} {caught.value!r} {store!r}"
        assert caught.value.__cause__ is caught.value.__context__ is None
        for node in (0, 2):
            get_through(limiter, Claim(1, 1), 5, models[node])
        cluster.nodes[1].start()
        deadline = time.monotonic() + 20
        while True:
            try:
                get_through(limiter, Claim(1, 1), 5, models[1])
                break
            except LimiterUnreachable:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        store.close()


def test_a_cluster_is_reached_with_tls_at_every_node(tmp_path: Path, namespace: str) -> None:
    """The nodes that are not in the address are found by what the others say, and speak TLS too."""
    pytest.importorskip("cryptography", reason="it makes the certificate")
    with redis_cluster.running(tmp_path) as secured:
        untrusting = InRedis(secured.secured_url(), namespace=namespace)
        with pytest.raises(LimiterUnreachable, match=r"(?i)certificate") as caught:
            untrusting.take("m", [MINUTE], [(1, 1)], 0.0)
        assert "pass:word" not in str(caught.value)
        store = InRedis(
            secured.secured_url(f"?ssl_ca_certs={tmp_path / 'ca.pem'}"), namespace=namespace
        )
        for number in range(30):
            assert store.take(f"qwen-{number}", [MINUTE], [(1, 1)], 0.0).pause == 0
        assert store.take("qwen-0", [MINUTE], [(1, 1)], 0.0).pause > 0
        assert min(secured.keys()) > 0
        store.close()


def test_a_cluster_that_is_not_there_is_said_when_it_is_asked() -> None:
    store = InRedis(f"redis+cluster://:secret@127.0.0.1:{redis_cluster.free_port()}")
    place = Limiter(store).enter("m", SECOND, Claim(1, 1))
    assert place.slots == ()
    with pytest.raises(LimiterUnreachable, match=r"a cluster\) cannot be asked") as caught:
        store.take("m", list(SECOND), [(1, 1)], 0.0)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "redis+cluster://",
        "redis+cluster://:secret@127.0.0.1:port",
        "redis+cluster://:secret@127.0.0.1:7000/1",
        "redis+cluster://:secret@127.0.0.1:7000,",
        "http+cluster://:secret@127.0.0.1:7000",
        "redis+cluster://:secret@127.0.0.1:7000?socket_timeout=soon",
    ],
)
def test_what_is_no_address_of_a_cluster_is_refused_without_quoting_it(address: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"redis\+cluster://HOST:PORT") as caught:
        InRedis(address)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_where_sentinel_names_another_server_calls_go_on_there(namespace: str) -> None:
    """The first is lost in the middle; what was booked is known to its replica."""
    from redis.sentinel import Sentinel

    with redis_cluster.guarded() as stand:
        stand_in: Guarded = stand
        asked: Any = Sentinel([("127.0.0.1", stand_in.sentinel.port)], socket_timeout=0.5)
        client = asked.master_for(stand_in.name, password=PASSWORD, socket_timeout=0.5)
        store = InRedis(client, namespace=namespace)
        assert store.address == f"{stand_in.name} (of Sentinel)/0"
        assert store.take("m", [MINUTE], [(1, 1)], 0.0).pause == 0
        redis_cluster.eventually(
            lambda: int(stand_in.replica.client.dbsize()) == 1, stand_in.replica.folder
        )
        stand_in.main.end()
        with pytest.raises(LimiterUnreachable, match="of Sentinel"):
            store.take("other", [MINUTE], [(1, 1)], 0.0)
        deadline = time.monotonic() + 20
        while True:
            try:
                full = store.take("m", [MINUTE], [(1, 1)], 0.0)
                break
            except LimiterUnreachable:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert full.pause > 0, "the minute is used up, as the replica knows"
        assert store.take("another", [MINUTE], [(1, 1)], 0.0).pause == 0
        client.close()


def test_with_tls_the_address_says_so(tmp_path: Path, namespace: str) -> None:
    """Real TLS before a real server; a certificate that nobody signed is refused."""
    pytest.importorskip("cryptography", reason="it makes the certificate")
    import redis_server
    from tls_before import before

    with redis_server.running() as server, before(server.port, tmp_path) as secured:
        told = server.url().replace("redis://", "rediss://").replace(str(server.port), str(secured))
        with pytest.raises(LimiterUnreachable, match=r"(?i)certificate"):
            InRedis(told, namespace=namespace).take("m", [MINUTE], [(1, 1)], 0.0)
        trusting = InRedis(f"{told}?ssl_ca_certs={tmp_path / 'ca.pem'}", namespace=namespace)
        assert trusting.take("m", [MINUTE], [(1, 1)], 0.0).pause == 0
        assert trusting.take("m", [MINUTE], [(1, 1)], 0.0).pause > 0
        trusting.close()
