"""A loopback stand-in for the hosts akshare talks to: unmodified akshare, answers of our own.

`server` is a proxy that terminates TLS; `replies` renders a `market` in each vendor's shape;
`faults` spoils what is rendered. Nothing here is reached but over the loopback interface.
"""
