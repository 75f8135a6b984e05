"""The relay sends a key where every other client would, and a partition's rows in their order."""

import random
from uuid import UUID

import pytest
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from shared.relay import PartitionBatch, hashes_of

IDS = st.uuids().map(lambda one: str(one).encode())


@given(st.lists(IDS | st.binary(min_size=36, max_size=36), max_size=40))
def test_keys_as_long_as_an_id_are_hashed_together_as_each_alone(keys: list[bytes]) -> None:
    assert [*hashes_of(keys)] == [murmur2(key) for key in keys]


@given(st.lists(IDS | st.binary(max_size=70), max_size=10))
def test_among_them_may_be_keys_of_any_length(keys: list[bytes]) -> None:
    assert [*hashes_of(keys)] == [murmur2(key) for key in keys]


def test_a_whole_round_of_ids_is_hashed_as_the_library_hashes() -> None:
    chance = random.Random(5)
    keys = [str(UUID(int=chance.getrandbits(128))).encode() for _ in range(1000)]
    assert [*hashes_of(keys)] == [murmur2(key) for key in keys]


def test_words_of_all_ones_carry_nothing_into_their_neighbours() -> None:
    keys = [bytes([0xFF]) * 36, bytes(36)] * 20
    assert [*hashes_of(keys)] == [murmur2(key) for key in keys]


@pytest.mark.parametrize(
    ("key", "hash_"),
    [
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
    ],
)
def test_the_hash_is_the_one_of_kafkas_own_clients(key: bytes, hash_: int) -> None:
    """Values of Apache Kafka's own test of it, where numbers have a sign."""
    assert hashes_of([key])[0] == hash_ % 2**32


def test_a_small_row_never_overtakes_a_large_one_that_had_no_room() -> None:
    builder = BatchBuilder(1_500, 0)
    batch = PartitionBatch("registry.events", 0, builder)
    for place, size in enumerate((500, 500, 500, 10)):
        batch.add(place, b"one-aggregate", {"headers": {}, "body": bytes(size)})
    assert batch.places == [0, 1]
