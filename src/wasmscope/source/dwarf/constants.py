"""The numbers of DWARF 5, chapter 7, that are met before pyelftools gives them names."""

from __future__ import annotations

from enum import IntEnum


class Tag(IntEnum):
    """DWARF 5, 7.5.3: the entries that are told apart while a unit's tree is read."""

    ARRAY_TYPE = 0x01
    CLASS_TYPE = 0x02
    ENUMERATION_TYPE = 0x04
    FORMAL_PARAMETER = 0x05
    LEXICAL_BLOCK = 0x0B
    MEMBER = 0x0D
    COMPILE_UNIT = 0x11
    STRUCTURE_TYPE = 0x13
    TYPEDEF = 0x16
    UNION_TYPE = 0x17
    UNSPECIFIED_PARAMETERS = 0x18
    VARIANT = 0x19
    INHERITANCE = 0x1C
    INLINED_SUBROUTINE = 0x1D
    MODULE = 0x1E
    SUBRANGE_TYPE = 0x21
    CATCH_BLOCK = 0x25
    BASE_TYPE = 0x24
    ENUMERATOR = 0x28
    SUBPROGRAM = 0x2E
    TEMPLATE_TYPE_PARAMETER = 0x2F
    TEMPLATE_VALUE_PARAMETER = 0x30
    TRY_BLOCK = 0x32
    VARIANT_PART = 0x33
    VARIABLE = 0x34
    INTERFACE_TYPE = 0x38
    NAMESPACE = 0x39
    UNSPECIFIED_TYPE = 0x3B
    PARTIAL_UNIT = 0x3C
    IMPORTED_UNIT = 0x3D


class At(IntEnum):
    """DWARF 5, 7.5.4: the attributes that are read while a unit's tree is."""

    NAME = 0x03
    STMT_LIST = 0x10
    LOW_PC = 0x11
    HIGH_PC = 0x12
    LANGUAGE = 0x13
    COMP_DIR = 0x1B
    PRODUCER = 0x25
    ABSTRACT_ORIGIN = 0x31
    DECLARATION = 0x3C
    SPECIFICATION = 0x47
    RANGES = 0x55
    LINKAGE_NAME = 0x6E
    STR_OFFSETS_BASE = 0x72
    ADDR_BASE = 0x73
    RNGLISTS_BASE = 0x74
    LOCLISTS_BASE = 0x8C
    MIPS_LINKAGE_NAME = 0x2007
    GNU_ADDR_BASE = 0x2133


class Form(IntEnum):
    """DWARF 5, 7.5.6."""

    ADDR = 0x01
    BLOCK2 = 0x03
    BLOCK4 = 0x04
    DATA2 = 0x05
    DATA4 = 0x06
    DATA8 = 0x07
    STRING = 0x08
    BLOCK = 0x09
    BLOCK1 = 0x0A
    DATA1 = 0x0B
    FLAG = 0x0C
    SDATA = 0x0D
    STRP = 0x0E
    UDATA = 0x0F
    REF_ADDR = 0x10
    REF1 = 0x11
    REF2 = 0x12
    REF4 = 0x13
    REF8 = 0x14
    REF_UDATA = 0x15
    INDIRECT = 0x16
    SEC_OFFSET = 0x17
    EXPRLOC = 0x18
    FLAG_PRESENT = 0x19
    STRX = 0x1A
    ADDRX = 0x1B
    REF_SUP4 = 0x1C
    STRP_SUP = 0x1D
    DATA16 = 0x1E
    LINE_STRP = 0x1F
    REF_SIG8 = 0x20
    IMPLICIT_CONST = 0x21
    LOCLISTX = 0x22
    RNGLISTX = 0x23
    REF_SUP8 = 0x24
    STRX1 = 0x25
    STRX2 = 0x26
    STRX3 = 0x27
    STRX4 = 0x28
    ADDRX1 = 0x29
    ADDRX2 = 0x2A
    ADDRX3 = 0x2B
    ADDRX4 = 0x2C
