"""However an IPv4 address is carried in an IPv6 one, it is judged as itself."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from monitor.net import AddressGuard

ADDRESS = st.integers(0, 2**32 - 1).map(IPv4Address) | st.sampled_from(
    ["127.0.0.1", "169.254.169.254", "10.0.0.1", "168.63.129.16", "8.8.8.8", "224.0.0.1", "0.0.0.0"]
).map(IPv4Address)
CARRIERS = {
    "compatible": lambda four: four,
    "mapped": lambda four: 0xFFFF << 32 | four,
    "translated": lambda four: 0xFFFF << 48 | four,
    "nat64": lambda four: 0x64FF9B << 96 | four,
    "6to4": lambda four: 0x2002 << 112 | four << 80,
}
LISTED = AddressGuard([ip_network("10.0.0.0/8")])
LISTED_ONLY = AddressGuard([ip_network("10.0.0.0/8")], listed_only=True)


@given(ADDRESS, st.sampled_from(sorted(CARRIERS)), st.integers(0, 2**80 - 1))
def test_carried_address_is_judged_as_itself(four: IPv4Address, carrier: str, low: int) -> None:
    six = IPv6Address(CARRIERS[carrier](int(four)) | (low if carrier == "6to4" else 0))
    for guard in (AddressGuard(), LISTED, LISTED_ONLY):
        assert guard.allows(str(six)) == guard.allows(str(four))
        assert guard.allows(six.exploded) == guard.allows(str(four))


@given(ADDRESS)
def test_listing_a_network_opens_nothing_beside_it(four: IPv4Address) -> None:
    listed = four in ip_network("10.0.0.0/8")
    assert LISTED.allows(str(four)) == (listed or AddressGuard().allows(str(four)))
    assert LISTED_ONLY.allows(str(four)) == listed


@given(ADDRESS)
def test_what_the_library_calls_private_is_refused(four: IPv4Address) -> None:
    if not four.is_global or four.is_multicast or four.is_reserved or four.is_loopback:
        assert not AddressGuard().allows(str(four))


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_the_library_calls_private_is_refused_in_ipv6(six: IPv6Address) -> None:
    special = six.is_multicast or six.is_link_local or six.is_site_local or six.is_loopback
    if special or (not six.is_global and six.ipv4_mapped is None):
        assert not AddressGuard().allows(str(six))


@given(st.text(max_size=40))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert AddressGuard().allows(text) in {True, False}
