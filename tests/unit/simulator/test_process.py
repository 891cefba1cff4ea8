from simulator.stack.process import KERNEL_PORTS, free_port


def test_free_port_is_none_that_the_kernel_gives_to_others() -> None:
    first, last = map(int, KERNEL_PORTS.read_text().split())

    ports = {free_port() for _ in range(50)}

    assert not ports & set(range(first, last + 1))
    assert len(ports) > 1
