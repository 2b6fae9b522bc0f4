"""kafka-python's connections, mended: why they failed is heard and kept, and each handshake ends."""

import ssl
from functools import partial
from typing import Any

from kafka.errors import KafkaConnectionError, KafkaError
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import create_connection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from daemon.adapters.kafka.refusals import is_refusal


class Connections(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python is untyped
    """Connections of one client.

    While a client is opened, kafka-python 3.0.12 logs why a connection failed, tries again until its time
    is up, and says only that it was.

    Attributes:
        opening: True until the client is there; until then it gives up once all addresses have refused us.
        failures: address (node id) -> why the last connection to it failed while opening, or was refused.
    """

    def __init__(self, net: Any, **config: Any) -> None:
        self.opening = True
        self.failures: dict[str, Exception] = {}
        super().__init__(net, **config)

    def get_connection(self, node_id: Any, *args: Any, **options: Any) -> Any:
        """As kafka-python's. Raises the refusal where nobody is left who might let us in."""
        if not self.opening:
            return super().get_connection(node_id, *args, **options)
        self._give_up_if_refused()
        connection = super().get_connection(node_id, *args, **options)
        connection.init_future.add_errback(partial(self._note, node_id))
        return connection

    def _note(self, node_id: str, error: Exception) -> None:
        # A refusal may be followed by a connection that is merely cut: it says more, and is kept.
        known = self.failures.get(node_id)
        if known is None or not is_refusal(known):
            self.failures[node_id] = error

    def _give_up_if_refused(self) -> None:
        asked = [self.failures.get(broker.node_id) for broker in self.cluster.bootstrap_brokers()]
        refusals = [error for error in asked if error is not None and is_refusal(error)]
        if asked and len(refusals) == len(asked):
            raise refusals[0]

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        options = self.config["socket_options"]
        socket = await create_connection(self._net, node.host, node.port, options, timeout_at=timeout_at)
        if not self.ssl_enabled:
            return _Transport(self._net, socket, host=node.host)
        transport = _TlsTransport(self._net, socket, node.host, self.config["ssl_context"], timeout_at)
        try:
            await transport.handshake()
        except (OSError, KafkaError) as error:
            transport.close()
            raise KafkaConnectionError(f"TLS handshake failed: {error}") from error
        return transport


class _LastWords:
    """What a broker says before it hangs up is heard: kafka-python 3.0.12 drops it where both come at once.

    So it never hears that a login was refused.
    """

    def _sock_recv(self) -> tuple[bytes, Exception | None]:
        data, error = super()._sock_recv()  # type: ignore[misc]
        return data, None if data else error  # what went wrong is met again by the next read


class _Transport(_LastWords, KafkaTCPTransport):  # type: ignore[misc]
    pass


class _TlsTransport(_LastWords, KafkaSSLTransport):  # type: ignore[misc]
    """A handshake that ends: kafka-python 3.0.12 waits for ever for whoever accepts and says nothing."""

    def __init__(
        self, net: Any, socket: Any, host: str, context: ssl.SSLContext, timeout_at: float | None
    ) -> None:
        super().__init__(net, socket, host=host, ssl_context=context)
        self._timeout_at = timeout_at

    async def handshake(self) -> None:
        """Raises OSError (of which ssl's are some) or KafkaTimeoutError."""
        while True:
            try:
                self._sock.do_handshake()
            except ssl.SSLWantReadError:
                await self._net.wait_read(self._sock, self._timeout_at)
            except ssl.SSLWantWriteError:
                await self._net.wait_write(self._sock, self._timeout_at)
            else:
                return


def net_client(**config: Any) -> KafkaNetClient:
    """What kafka-python's clients work with, on connections of ours (`Connections`, its `_manager`)."""
    net = NetworkSelector(**config)
    return KafkaNetClient(net, Connections(net, **config), **config)
