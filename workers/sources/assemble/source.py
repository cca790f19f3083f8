"""What a source of facts implements, and what it gets for that: every part."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from handlers.model.cluster import Pod
from handlers.model.flow import FlowLog, RelayStatus
from handlers.model.manifest_yaml import ManifestError
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from workers.sources.assemble import resources as api
from workers.sources.assemble.agents import agent_part
from workers.sources.assemble.cilium_pods import CiliumPods
from workers.sources.assemble.commands import AgentCommand, Output
from workers.sources.assemble.entrances import entrances
from workers.sources.assemble.foreign import foreign_policies
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.logs import LogOf, agent_log
from workers.sources.assemble.objects import MADE_OF_OBJECTS, Reading
from workers.sources.assemble.resources import Resource, Select
from workers.sources.convert.reading import MalformedError, each
from workers.sources.deadline import Deadline
from workers.sources.unread import ExpiredError, UnreadError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Manifests:
    """Objects of one kind as plain JSON, whole, and where they were read."""

    bodies: Iterable[Any]
    """Gone through once, each object let go of when it has been converted. May raise UnreadError on the way; only when
    it ends without, the list is whole."""
    origin: str


class AssembledSource(ABC):
    """A source of which only three things are its own: it lists a resource, asks an agent, reads flows.

    All three raise UnreadError with the reason where they cannot, and never give less than was asked for. A source that
    cannot ask agents or read flows at all leaves that method as it is.
    """

    def __init__(
        self, *, cilium_namespace: str | None = None, threads: "Executor | None" = None, is_archive: bool = False
    ) -> None:
        """Set up the assembling.

        ``threads`` make several calls side by side; without them one follows another. An archive never changes: it is
        asked once for each kind and each output, always for all of the kind.
        """
        self.cilium_pods = CiliumPods(cilium_namespace)
        self._threads = threads
        self._archived = _Once() if is_archive else None
        self._under_way = _UnderWay()

    @property
    @abstractmethod
    def title(self) -> str:
        """What is looked at, in words."""

    @abstractmethod
    def now(self) -> datetime:
        """Return "now" for everything judged."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections and files."""

    @abstractmethod
    def manifests(self, resource: Resource[object], select: Select, deadline: Deadline) -> Manifests:
        """Return the objects of a kind that are selected, or more of them.

        Raises:
            UnreadError: if the list is not proven to be whole. UnprovenError if one object was asked for by its name,
                and the answer does not say that this very object does not exist.
        """

    def api_groups(self, deadline: Deadline) -> Mapping[str, tuple[str, ...]] | None:
        """Return the API groups that the cluster serves, each with its versions, None where nothing tells.

        Raises:
            UnreadError: if discovery does not answer.
        """
        return None

    def output(self, node: str, command: AgentCommand, deadline: Deadline) -> Output:
        """Return what a command prints in the agent of a node.

        Raises:
            UnreadError: if it cannot be had, or the command failed. NotKeptError if another command may be asked
                instead.
        """
        raise UnreadError(Gap.NOT_IN_DUMP, f"{self.title} holds nothing that agents say", "Ask the live cluster.")

    def flows(self, query: FlowQuery, first: Sequence[str], deadline: Deadline) -> FlowLog:
        """Return the flows that a query wants, and which nodes were heard; ``first`` are the nodes that matter most.

        Raises:
            UnreadError: if nothing was heard at all.
        """
        raise UnreadError(Gap.NOT_IN_DUMP, f"{self.title} holds no flows", "Ask the live cluster.")

    def log(self, pod: Pod, container: str, deadline: Deadline, *, previous: bool) -> Sequence[str]:
        """Return the last lines that a container wrote, oldest first; ``previous``: before it was last started.

        Raises:
            UnreadError: if they cannot be had.
        """
        raise UnreadError(Gap.NOT_IN_DUMP, f"{self.title} holds no logs", "Ask the live cluster.")

    def relay(self, deadline: Deadline) -> RelayStatus:
        """Return relay's view of its peers.

        Raises:
            UnreadError: if it does not answer.
        """
        raise UnreadError(Gap.NOT_IN_DUMP, f"{self.title} holds no state of relay", "Ask the live cluster.")

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Read one part; what cannot be read whole is Missing with its reason and remedy."""
        try:
            value, origin = self._value(ask, Deadline.after(timeout))
            return Known(value, self.now(), origin)
        except UnreadError as error:
            return error.missing
        except (MalformedError, ManifestError) as error:
            return Missing(Gap.MALFORMED, str(error))
        except ValueError as error:
            return Missing(Gap.FAILED, str(error))

    def lists(self, deadline: Deadline) -> Lists:
        """Return the objects of this source, to be read within a deadline."""
        return Lists(self._objects, deadline, self._threads, is_archive=self._archived is not None)

    def _value(self, ask: Ask, deadline: Deadline) -> tuple[object, str]:
        part, scope = ask.part, ask.scope
        if part.is_per_node:
            if ask.node is None:
                raise UnreadError(Gap.NOT_ASKED, "it is not known yet which node to read")
            return self._of_agent(part, ask.node, deadline)
        if not (part.width.is_condition or part.width.is_known(scope)):
            raise UnreadError(Gap.NOT_ASKED, f"it is not known yet how much of {part.in_words} to read")
        if part is Part.FLOWS and scope.flows is not None:
            return self.flows(scope.flows, scope.nodes or (), deadline), "hubble"
        if part is Part.RELAY:
            return self.relay(deadline), "hubble"
        lists = self.lists(deadline)
        if part is Part.FOREIGN_POLICIES:
            return foreign_policies(lists, self.api_groups(deadline)), lists.origin or "discovery"
        if part is Part.ENTRANCES:
            return entrances(lists, self.api_groups(deadline)), lists.origin or "discovery"
        value = MADE_OF_OBJECTS[part](Reading(scope, lists, self.cilium_pods, self._log_of(deadline)))
        return part.width.narrowed(scope, value) if isinstance(value, tuple) else value, lists.origin

    def _of_agent(self, part: AnyPart, node: str, deadline: Deadline) -> tuple[object, str]:
        def ask(command: AgentCommand) -> Output:
            return self.output(node, command, deadline)

        if part is Part.AGENT_LOG:
            lists = self.lists(deadline)
            return agent_log(node, lists, self.cilium_pods, self._log_of(deadline)), "logs"

        def pods() -> tuple[Pod, ...]:
            return tuple(pod for pod in self.lists(deadline).every(api.PODS) if pod.node == node)

        return self._once((part, node), lambda: agent_part(part, ask, pods))

    def _log_of(self, deadline: Deadline) -> LogOf:
        return lambda pod, container, previous: self.log(pod, container, deadline, previous=previous)

    def _objects(self, resource: Resource[T], select: Select, deadline: Deadline) -> tuple[tuple[T, ...], str]:
        if self._archived is not None:
            return self._archived.get(resource, lambda: self._converted(resource, select, deadline))
        return self._under_way.get((resource, select), lambda: self._converted(resource, select, deadline))

    def _converted(self, resource: Resource[T], select: Select, deadline: Deadline) -> tuple[tuple[T, ...], str]:
        def read() -> tuple[tuple[T, ...], str]:
            found = self.manifests(resource, select, deadline)
            return each(resource.kind, found.bodies, resource.read), found.origin

        try:
            return read()
        except ExpiredError:
            return read()

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        return make() if self._archived is None else self._archived.get(key, make)


class _Once:
    """Values made once, whichever thread asks first; a failure is remembered too."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}
        self._failed: dict[Hashable, Exception] = {}
        self._lock = threading.RLock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._made and key not in self._failed:
                try:
                    self._made[key] = make()
                except (UnreadError, MalformedError, ManifestError) as error:
                    self._failed[key] = error
        if key in self._failed:
            raise self._failed[key]
        made: T = self._made[key]
        return made


class _UnderWay:
    """Calls that several threads make at about the same time, made once: two parts may be made of one long list.

    Nothing is kept after its call has ended, so whoever asks later gets what is there by then.
    """

    _JOINED_SECONDS = 0.5
    """How old a call may be for another thread to take its answer as one of its own."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, tuple[float, Future[Any]]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        from concurrent.futures import Future

        now = time.monotonic()
        with self._lock:
            begun, call = self._calls.get(key, (0.0, None))
            is_own = call is None or now - begun > self._JOINED_SECONDS
            if call is None or is_own:
                call = Future()
                self._calls[key] = (now, call)
        if is_own:
            try:
                call.set_result(make())
            except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait get it
                call.set_exception(error)
            finally:
                with self._lock:
                    if self._calls.get(key, (0.0, None))[1] is call:
                        del self._calls[key]
        made: T = call.result()
        return made
