"""How Kafka is reached and which topics are used."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le, MinLen

Name = Annotated[str, MinLen(1)]


@dataclass(frozen=True, slots=True)
class TopicNames:
    """Topics of one task. `items` is read, and `votes` where a tier is answered there; others are written."""

    items: Name = "items"
    labels: Name = "labels"
    questions: Name = "questions"
    dead_letters: Name = "dead-letters"
    votes: Name = "votes"

    def all(self) -> tuple[str, ...]:
        """Every topic that `labelloop run` needs, the one that is read first."""
        return (self.items, self.labels, self.questions, self.dead_letters)

    def __post_init__(self) -> None:
        names = (*self.all(), self.votes)
        if len(set(names)) < len(names):
            raise ValueError(f"topics: two of {', '.join(names)} are the same; each needs its own topic")


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """Encryption and login.

    Files are named relative to the configuration file, and are PEM.

    Attributes:
        protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        sasl_mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; needed with the SASL protocols.
        username: to log in with.
        password_env: name of the environment variable that holds the password.
        ca_file: certificate of the authority that signed the brokers' certificates; None for the system's.
        certificate_file: our certificate, for brokers that want one; with those between it and its authority.
        key_file: key of that certificate, without a passphrase; None if it stands in certificate_file.
    """

    protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    username: str | None = None
    password_env: str | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    @property
    def sasl(self) -> bool:
        """True if there is a login."""
        return self.protocol.startswith("SASL_")

    @property
    def tls(self) -> bool:
        """True if the connection is encrypted."""
        return self.protocol.endswith("SSL")

    def beside(self, folder: Path) -> "SecuritySettings":
        """With the full paths of files that are named relative to a folder."""
        ca, certificate, key = (
            None if name is None else str(folder / name)
            for name in (self.ca_file, self.certificate_file, self.key_file)
        )
        return replace(self, ca_file=ca, certificate_file=certificate, key_file=key)

    def __post_init__(self) -> None:
        protocols = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
        if self.protocol not in protocols:
            raise ValueError(f"protocol: {self.protocol!r} is none of {', '.join(protocols)}")
        self._check_login()
        if self.key_file and not self.certificate_file:
            raise ValueError("certificate_file: key_file is its key; name both")
        if not self.tls and (self.ca_file or self.certificate_file):
            encrypted = "SASL_SSL" if self.sasl else "SSL"
            raise ValueError(f"protocol: {self.protocol} has no certificates; did you mean {encrypted}?")

    def _check_login(self) -> None:
        if self.sasl:
            self._check_sasl()
        if self.password_env and not self.password_env.replace("_", "a").isalnum():
            raise ValueError(
                "password_env: is no name of a variable; give the variable's name, never the password"
            )
        if not self.sasl and (self.sasl_mechanism or self.username or self.password_env):
            raise ValueError(f"protocol: {self.protocol} has no login; did you mean SASL_SSL?")

    def _check_sasl(self) -> None:
        mechanisms = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
        if self.sasl_mechanism not in mechanisms:
            raise ValueError(f"sasl_mechanism: {self.protocol} needs one of {', '.join(mechanisms)}")
        if not (self.username and self.password_env):
            raise ValueError(f"username, password_env: {self.protocol} needs both")


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How Kafka is reached and used.

    Attributes:
        bootstrap: `host:port`, several with commas; None for the embedded broker.
        group: consumer group that the stream workers share.
        partitions: of topics that are made here.
        create_topics: make topics that are missing.
        session_seconds: a worker silent for this long loses its partitions to the others.
        max_poll_seconds: a worker whose work stands still for this long does, too.
        connect_seconds: how long to try at the start before giving up.
        publish_seconds: how long to wait for an acknowledgement before it counts as failed.
        max_request_bytes: largest message published; the topics' max.message.bytes must allow it.
        fetch_bytes: most bytes fetched at once from one broker.
        partition_fetch_bytes: most bytes fetched at once from one partition; a larger message still comes.
        end_offsets_exact: false for brokers whose end offsets are wrong, as the embedded one's are: then no
            lag is shown.
    """

    bootstrap: str | None = None
    group: Name = "labelloop"
    topics: TopicNames = field(default_factory=TopicNames)
    partitions: Annotated[int, Ge(1), Le(10_000)] = 6
    create_topics: bool = True
    session_seconds: Annotated[float, Ge(6), Le(1_800)] = 10.0
    max_poll_seconds: Annotated[float, Ge(10), Le(86_400)] = 300.0
    connect_seconds: Annotated[float, Ge(1), Le(600)] = 15.0
    publish_seconds: Annotated[float, Ge(1), Le(600)] = 30.0
    max_request_bytes: Annotated[int, Ge(65_536)] = 1_000_000
    fetch_bytes: Annotated[int, Ge(65_536)] = 16_000_000
    partition_fetch_bytes: Annotated[int, Ge(65_536)] = 4_000_000
    end_offsets_exact: bool = True
    security: SecuritySettings = field(default_factory=SecuritySettings)

    def __post_init__(self) -> None:
        if self.max_poll_seconds < self.session_seconds:
            raise ValueError("max_poll_seconds: must not be below session_seconds")
        if self.bootstrap is None and self.security.protocol != "PLAINTEXT":
            raise ValueError(
                f"bootstrap: {self.security.protocol} needs the address of a broker; the embedded one has "
                "neither encryption nor logins"
            )

    @property
    def publishing_id(self) -> str:
        """The transactional id under which one process of the group publishes at a time."""
        return f"{self.group}-publishing"

    @property
    def publish_ms(self) -> int:
        """Milliseconds until a message that is not acknowledged counts as failed."""
        return round(self.publish_seconds * 1000)

    @property
    def request_ms(self) -> int:
        """Of these, what one request may take: then there is time for another."""
        return max(500, self.publish_ms // 2)

    @property
    def topic_ms(self) -> int:
        """And what a topic that nobody knows yet is waited for."""
        return min(10_000, self.publish_ms)

    def of_votes(self) -> "KafkaSettings":
        """For a source of topic `votes`, in a group of its own."""
        swapped = replace(self.topics, items=self.topics.votes, votes=self.topics.items)
        return replace(self, topics=swapped, group=f"{self.group}-votes")
