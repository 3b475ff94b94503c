"""Reads a compiled image into `toolchain.contract`."""

from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from toolchain.contract import (
    Contract,
    Enum,
    EnumValue,
    Field,
    HttpBinding,
    Message,
    Policy,
    Rate,
    Rpc,
    Service,
    area_of,
)
from toolchain.image import Image

POLICY = "blytz.options.v1.policy"
HTTP = "google.api.http"
VALIDATED_FIELD = "buf.validate.field"
VALIDATED_MESSAGE = "buf.validate.message"

# The numbers of descriptor.proto's own fields, which address a comment in a file.
MESSAGE, ENUM, SERVICE = 4, 5, 6
FIELD_OF_MESSAGE, MESSAGE_OF_MESSAGE, ENUM_OF_MESSAGE = 2, 3, 4
METHOD_OF_SERVICE, VALUE_OF_ENUM = 2, 2

type_names = FieldDescriptorProto.Type


def read_contract(image: Image) -> Contract:
    """Return the contract that the image's own files state."""
    services: list[Service] = []
    messages: dict[str, Message] = {}
    enums: dict[str, Enum] = {}
    for file in image.files.file:
        if file.name in image.own_files:
            reader = _FileReader(image, file)
            services.extend(reader.services())
            messages.update(reader.messages())
            enums.update(reader.enums())
    return Contract(services=tuple(services), messages=messages, enums=enums)


class _FileReader:
    """Reads one file; comments are found by their path in the descriptor."""

    def __init__(self, image: Image, file: Any) -> None:
        self._file = file
        self._pool = image.pool
        self._comments = {
            tuple(place.path): _paragraphs(place.leading_comments)
            for place in file.source_code_info.location
        }

    def services(self) -> list[Service]:
        """Return the file's services."""
        return [self._service(index, proto) for index, proto in enumerate(self._file.service)]

    def messages(self) -> dict[str, Message]:
        """Return the file's messages by full name, nested ones included."""
        found: dict[str, Message] = {}
        for index, proto in enumerate(self._file.message_type):
            self._add_message(found, self._file.package, (MESSAGE, index), proto)
        return found

    def enums(self) -> dict[str, Enum]:
        """Return the file's enums by full name, nested ones included."""
        found: dict[str, Enum] = {}
        for index, proto in enumerate(self._file.enum_type):
            self._add_enum(found, self._file.package, (ENUM, index), proto)
        for index, proto in enumerate(self._file.message_type):
            self._add_nested_enums(found, self._file.package, (MESSAGE, index), proto)
        return found

    def _service(self, index: int, proto: Any) -> Service:
        full_name = f"{self._file.package}.{proto.name}"
        path = (SERVICE, index)
        return Service(
            full_name=full_name,
            area=area_of(full_name),
            comment=self._comments.get(path, ""),
            rpcs=tuple(
                self._rpc(full_name, (*path, METHOD_OF_SERVICE, number), method)
                for number, method in enumerate(proto.method)
            ),
        )

    def _rpc(self, service: str, path: tuple[int, ...], proto: Any) -> Rpc:
        return Rpc(
            service=service,
            name=proto.name,
            area=area_of(service),
            comment=self._comments.get(path, ""),
            request=proto.input_type.removeprefix("."),
            response=proto.output_type.removeprefix("."),
            client_streaming=proto.client_streaming,
            server_streaming=proto.server_streaming,
            http=_http_bindings(self._option(proto, HTTP)),
            policy=_policy(self._option(proto, POLICY)),
        )

    def _add_message(
        self, found: dict[str, Message], scope: str, path: tuple[int, ...], proto: Any
    ) -> None:
        full_name = f"{scope}.{proto.name}"
        if not proto.options.map_entry:
            found[full_name] = Message(
                full_name=full_name,
                comment=self._comments.get(path, ""),
                rules=self._rules(proto, VALIDATED_MESSAGE),
                fields=tuple(
                    self._field((*path, FIELD_OF_MESSAGE, index), field, proto)
                    for index, field in enumerate(proto.field)
                ),
            )
        for index, nested in enumerate(proto.nested_type):
            self._add_message(found, full_name, (*path, MESSAGE_OF_MESSAGE, index), nested)

    def _field(self, path: tuple[int, ...], proto: Any, message: Any) -> Field:
        alternative = proto.HasField("oneof_index") and not proto.proto3_optional
        scalar = type_names.Name(proto.type).removeprefix("TYPE_").lower()
        return Field(
            name=proto.name,
            type_name=proto.type_name.removeprefix(".") or scalar,
            repeated=proto.label == FieldDescriptorProto.LABEL_REPEATED,
            oneof=message.oneof_decl[proto.oneof_index].name if alternative else "",
            comment=self._comments.get(path, ""),
            rules=self._rules(proto, VALIDATED_FIELD),
        )

    def _add_nested_enums(
        self, found: dict[str, Enum], scope: str, path: tuple[int, ...], proto: Any
    ) -> None:
        full_name = f"{scope}.{proto.name}"
        for index, nested in enumerate(proto.enum_type):
            self._add_enum(found, full_name, (*path, ENUM_OF_MESSAGE, index), nested)
        for index, nested in enumerate(proto.nested_type):
            self._add_nested_enums(found, full_name, (*path, MESSAGE_OF_MESSAGE, index), nested)

    def _add_enum(
        self, found: dict[str, Enum], scope: str, path: tuple[int, ...], proto: Any
    ) -> None:
        full_name = f"{scope}.{proto.name}"
        found[full_name] = Enum(
            full_name=full_name,
            comment=self._comments.get(path, ""),
            values=tuple(
                EnumValue(
                    name=value.name,
                    number=value.number,
                    comment=self._comments.get((*path, VALUE_OF_ENUM, index), ""),
                )
                for index, value in enumerate(proto.value)
            ),
        )

    def _rules(self, described: Any, option: str) -> tuple[str, ...]:
        rules = self._option(described, option)
        return () if rules is None else tuple(_flattened(rules))

    def _option(self, described: Any, name: str) -> Any | None:
        """Return an option by its name; None where it is not set or nothing imports it."""
        try:
            extension = self._pool.FindExtensionByName(name)
        except KeyError:
            return None
        options = described.options
        return options.Extensions[extension] if options.HasExtension(extension) else None


def _policy(option: Any | None) -> Policy | None:
    if option is None:
        return None
    rate = Rate(per_second=option.rate.per_second, burst=option.rate.burst)
    return Policy(
        callers=tuple(
            _short_name(option, "callers", number, "CALLER_") for number in option.callers
        ),
        access=_short_name(option, "access", option.access, "ACCESS_"),
        timeout_ms=option.timeout_ms,
        idempotency=_short_name(option, "idempotency", option.idempotency, "IDEMPOTENCY_"),
        rate=rate if option.HasField("rate") else None,
        route_by=option.route_by,
        cache_max_age_s=option.cache_max_age_s,
    )


def _short_name(option: Any, field: str, number: int, prefix: str) -> str:
    """Return an enum value's name without its prefix, as policies are spoken of."""
    enum = option.DESCRIPTOR.fields_by_name[field].enum_type
    name: str = enum.values_by_number[number].name
    return name.removeprefix(prefix)


def _http_bindings(rule: Any | None) -> tuple[HttpBinding, ...]:
    if rule is None:
        return ()
    kind = rule.WhichOneof("pattern")
    if kind == "custom":
        method, path = rule.custom.kind, rule.custom.path
    else:
        method, path = kind.upper(), getattr(rule, kind)
    first = HttpBinding(method=method, path=path, body=rule.body)
    others = (binding for more in rule.additional_bindings for binding in _http_bindings(more))
    return (first, *others)


def _flattened(rules: Any, prefix: str = "") -> list[str]:
    """Return validation rules as short lines, for example `string.max_len = 120`."""
    lines: list[str] = []
    for field, value in rules.ListFields():
        name = f"{prefix}{field.name}"
        if field.name in {"cel", "cel_expression"}:
            lines.extend(_spoken(rule) for rule in value)
        elif field.message_type is None or field.is_repeated:
            lines.append(f"{name} = {_literal(field, value)}")
        elif field.message_type.full_name.startswith("buf.validate."):
            lines.extend(_flattened(value, f"{name}."))
        else:
            lines.append(f"{name} = {text_format.MessageToString(value, as_one_line=True)}")
    return lines


def _spoken(rule: Any) -> str:
    """Return what a CEL rule says to people."""
    return str(getattr(rule, "message", "") or getattr(rule, "expression", rule))


def _literal(field: Any, value: Any) -> str:
    if field.is_repeated:
        return "[" + ", ".join(_scalar(field, each) for each in value) + "]"
    return _scalar(field, value)


def _scalar(field: Any, value: Any) -> str:
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _paragraphs(comment: str) -> str:
    """Return a comment without its margin: lines of a paragraph joined, paragraphs kept."""
    paragraphs = "\n".join(line.strip() for line in comment.strip().splitlines()).split("\n\n")
    return "\n\n".join(" ".join(paragraph.splitlines()) for paragraph in paragraphs)
