"""How many requests a second one client is answered."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network

REMEMBERED = 1 << 14  # clients; who has been quiet longest is forgotten first


class RateLimit:
    """A bucket of requests for each client: it holds those of a second and fills at that rate.

    Parameters
    ----------
    rate : requests a second
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """Take a request of a client; return 0, or after how many seconds there is one to take.

        Parameters
        ----------
        now : seconds of a clock that never goes back

        Examples
        --------
        >>> limit = RateLimit(2)
        >>> [limit.take("192.0.2.1", now) for now in (0.0, 0.0, 0.0, 0.5)]
        [0.0, 0.0, 0.5, 0.0]
        """
        left, since = self._buckets.pop(client, (float(self.rate), now))
        left = min(self.rate, left + (now - since) * self.rate)
        taken = left >= 1.0
        self._buckets[client] = (left - taken, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1.0 - left) / self.rate


def client_of(address: str) -> str:
    """Return whose an address is: in IPv6 one client has a network of 64 bits.

    Examples
    --------
    >>> client_of("192.0.2.1"), client_of("2001:db8::7:1"), client_of("")
    ('192.0.2.1', '2001:db8::/64', '')
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
