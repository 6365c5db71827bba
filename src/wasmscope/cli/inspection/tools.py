"""The custom sections that toolchains leave (github.com/WebAssembly/tool-conventions)."""

from __future__ import annotations

from wasmscope.cli.inspection.model import Producer
from wasmscope.errors import DecodeError
from wasmscope.wasm.escape import escaped
from wasmscope.wasm.module import Module
from wasmscope.wasm.reader import Reader
from wasmscope.wasm.sections import SectionId

_MOST = 1000
"""Entries of one section: nobody reads more."""


class CustomSections:
    """Reads them; what is malformed is noted in `problems`, and absent."""

    def __init__(self, module: Module) -> None:
        self.problems: list[str] = []
        self._module = module
        self._sections = {item.name: item for item in module.sections if item.id == SectionId.CUSTOM}

    def producers(self) -> tuple[Producer, ...]:
        """The producers section (`ProducersSection.md`)."""
        reader = self._reader("producers")
        found: list[Producer] = []
        try:
            for _ in range(reader.count(_MOST, "fields") if reader is not None else 0):
                assert reader is not None
                field = reader.name()
                for _ in range(reader.count(_MOST, "values")):
                    found.append(Producer(escaped(field), escaped(reader.name()), escaped(reader.name())))
        except DecodeError as error:
            self.problems.append(f"producers section: {error}")
        return tuple(found)

    def target_features(self) -> tuple[str, ...]:
        """The target features section (`Linking.md`): what the compiler was allowed to use, `+` before each."""
        reader = self._reader("target_features")
        found: list[str] = []
        try:
            for _ in range(reader.count(_MOST, "features") if reader is not None else 0):
                assert reader is not None
                prefix = chr(reader.u8())
                found.append(escaped(prefix + reader.name()))
        except DecodeError as error:
            self.problems.append(f"target_features section: {error}")
        return tuple(found)

    def build_id(self) -> str | None:
        """The build id (`BuildId.md`), in hexadecimal."""
        reader = self._reader("build_id")
        try:
            return reader.bytes(reader.u32()).hex() if reader is not None else None
        except DecodeError as error:
            self.problems.append(f"build_id section: {error}")
            return None

    def url(self, name: str) -> str | None:
        """The address in a section that holds just that: `sourceMappingURL`, `external_debug_info`."""
        reader = self._reader(name)
        try:
            return escaped(reader.name()) if reader is not None else None
        except DecodeError as error:
            self.problems.append(f"{name} section: {error}")
            return None

    def _reader(self, name: str) -> Reader | None:
        section = self._sections.get(name)
        return Reader(self._module.bytecode, section.payload_start, section.end) if section is not None else None
