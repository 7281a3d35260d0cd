"""Which source offsets may be committed, for every order of acknowledgements."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.tasks.inflight import InFlight, Ticket

FILE = {"filename": "a"}
OTHER = {"filename": "b"}


def sent(ledger: InFlight, *positions: tuple[dict[str, str], int]) -> Ticket:
    ticket = ledger.send(1, [(partition, {"position": at}) for partition, at in positions])
    ledger.expect(ticket, 1)
    ledger.arrived(ticket)  # handed over
    return ticket


def test_nothing_is_committable_before_it_has_landed() -> None:
    """A position whose batch is outstanding may not be committed."""
    ledger = InFlight()
    ticket = sent(ledger, (FILE, 1))
    assert [] == ledger.committable()
    ledger.arrived(ticket)
    assert [(FILE, {"position": 1})] == ledger.committable()
    assert [] == ledger.committable()


def test_a_batch_being_handed_over_has_not_landed() -> None:
    """All callbacks so far may have come while more records of the batch are still to be sent."""
    ledger = InFlight()
    ticket = ledger.send(2, [(FILE, {"position": 2})])
    ledger.expect(ticket, 1)
    ledger.arrived(ticket)
    assert [] == ledger.committable()
    ledger.arrived(ticket)
    assert [(FILE, {"position": 2})] == ledger.committable()


def test_a_failed_batch_holds_back_all_after_it() -> None:
    """What was not written is read again: no later position of its partition is ever committed."""
    ledger = InFlight()
    first, second = sent(ledger, (FILE, 1)), sent(ledger, (FILE, 2))
    other = sent(ledger, (OTHER, 7))
    ledger.arrived(first, failed=True)
    ledger.arrived(second)
    ledger.arrived(other)
    assert [(OTHER, {"position": 7})] == ledger.committable()


@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=6, max_size=6))
def test_only_the_landed_prefix_of_each_partition(order: list[int], which: list[bool]) -> None:
    """Whatever the order of acknowledgements, each partition's position is that of its contiguous landed prefix."""
    ledger = InFlight()
    partitions = [FILE if flag else OTHER for flag in which]
    tickets = [sent(ledger, (partition, at)) for at, partition in enumerate(partitions)]
    landed: set[int] = set()
    committed: dict[str, int] = {}
    for at in order:
        ledger.arrived(tickets[at])
        landed.add(at)
        for partition, offset in ledger.committable():
            assert offset is not None
            committed[partition["filename"]] = offset["position"]
        for name in ("a", "b"):
            mine = [number for number, partition in enumerate(partitions) if partition["filename"] == name]
            prefix = -1
            for number in mine:
                if number not in landed:
                    break
                prefix = number
            assert prefix == committed.get(name, -1)
    assert ledger.settled()
