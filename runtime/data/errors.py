"""
Errors about data, the lowest part of the tree that plugin authors see.

ConnectError
└── DataError
"""

from typing import ClassVar


class ConnectError(Exception):
    """Root of everything a plugin or the engine raises on purpose."""

    java_name: ClassVar[str] = "org.apache.kafka.connect.errors.ConnectException"
    """The exception a Java worker would name, for dead-letter headers and status traces."""


class DataError(ConnectError):
    """This value does not fit its schema or its format; another record may."""

    java_name = "org.apache.kafka.connect.errors.DataException"
