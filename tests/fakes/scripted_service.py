"""A service of the contract whose answers are written by each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from servicekit.call import Call
from servicekit.contract import methods_of

Answer = Callable[[Any, Call], Any]


class ScriptedService:
    """Has every RPC of ``descriptor``; without a script an RPC answers with an empty message."""

    def __init__(self, descriptor: ServiceDescriptor) -> None:
        self.descriptor = descriptor
        self.scripts: dict[str, Answer] = {}
        self.calls: list[Call] = []
        for method in methods_of(descriptor):
            streams = method.server_streaming
            rpc = self._stream(method.name) if streams else self._unary(method.name)
            setattr(self, method.name, rpc)
        self._classes = {m.name: m.response_class for m in methods_of(descriptor)}

    def _unary(self, name: str) -> Callable[[Any, Call], Awaitable[Any]]:
        async def answer(request: Any, call: Call) -> Any:
            self.calls.append(call)
            if name in self.scripts:
                return await self.scripts[name](request, call)
            return self._classes[name]()

        return answer

    def _stream(self, name: str) -> Callable[[Any, Call], AsyncIterator[Any]]:
        async def answer(request: Any, call: Call) -> AsyncIterator[Any]:
            self.calls.append(call)
            if name in self.scripts:
                async for message in self.scripts[name](request, call):
                    yield message

        return answer
