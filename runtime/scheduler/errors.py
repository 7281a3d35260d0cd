"""
Why a request cannot be carried out; REST gives each its status (contract 1.0).

RequestFault
├── BadRequest      the request makes no sense                                         400
├── NotFound        no such connector, task or plugin                                  404
├── AlreadyExists   the connector is there                                             409
├── Conflict        not now: the cluster is changing                                   409
├── NotReady        the worker cannot: Kafka is away, authors' code hangs or fails     500
"""


class RequestFault(Exception):
    """Root of the reasons."""


class BadRequest(RequestFault):
    """The request makes no sense, or asks for a configuration that is wrong."""


class NotFound(RequestFault):
    """There is no such connector, task or plugin."""


class AlreadyExists(RequestFault):
    """There is a connector of that name."""


class Conflict(RequestFault):
    """Not now; asking again soon may work."""


class NotReady(RequestFault):
    """This worker cannot do it now."""
