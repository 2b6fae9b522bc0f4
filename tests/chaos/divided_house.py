"""A house with one worker in a network of its own, whose lines to the broker and the database can be cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from far_room import FarRoom
from house import House
from private_postgres import PrivatePostgres

from daemon.adapters.broker.apache import ApacheKafka
from daemon.adapters.starting import free_port

NEAR, FAR = "run-near", "run-far"
TO_KAFKA, TO_POSTGRES = "kafka", "postgres"

LISTENERS = """
listeners=PLAINTEXT://127.0.0.1:{near},FAR://{address}:{far},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{near},FAR://{address}:{far}
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,FAR:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
"""
"""A broker tells its clients where it is: the far one is told of the address at the end of its line."""


@dataclass(kw_only=True)
class DividedHouse(House):
    """`room` is the far worker's, with lines `TO_KAFKA` and `TO_POSTGRES`."""

    room: FarRoom

    def new_kafka(self, port: int) -> ApacheKafka:
        """Listens at the end of the line, too."""
        address, self._far_port = self.room.lines[TO_KAFKA].address, free_port()
        listeners = LISTENERS.format(near=port, address=address, far=self._far_port, controller=free_port())
        return ApacheKafka(self.kafka_home, self.folder / "kafka", port, listeners)

    def new_postgres(self) -> PrivatePostgres:
        """Listens at the end of the line, too."""
        return PrivatePostgres(self.binaries, beside=(self.room.lines[TO_POSTGRES].address,))

    def place(self, name: str) -> tuple[Sequence[str], Mapping[str, str]]:
        """The far worker is in the room, and knows no other way."""
        if name != FAR:
            return super().place(name)
        bootstrap = f"{self.room.lines[TO_KAFKA].address}:{self._far_port}"
        url = self.postgres.url_at(self.room.lines[TO_POSTGRES].address)
        return self.room.within, {"LABELLOOP_KAFKA__BOOTSTRAP": bootstrap, "LABELLOOP_DATABASE__URL": url}

    def done_by(self, name: str) -> int:
        """Items that this process has stored since it was last started, as it says itself."""
        pid = self.processes[name].pid
        return self.count(f"SELECT report::json->>'items' FROM processes WHERE name LIKE '%-{pid}'")
