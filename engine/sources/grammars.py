"""What each tree-sitter grammar calls a function, a class, and what only wraps them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Grammar:
    """Node types of one language. `definitions` and `containers` map a node type to the word in its title.

    A container is a definition whose members become sections of their own when it is large. A `wrapper` is replaced by
    the definition it holds (decorators, `export`, `template <...>`); a `passage` is walked through as if its children
    stood in its place (include guards, `extern "C"`). `prefixes` belong to what follows them, as comments do.
    """

    module: str
    definitions: dict[str, str]
    containers: dict[str, str]
    wrappers: frozenset[str] = frozenset()
    passages: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    function: str = "language"


_ECMA = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "method_definition": "method",
}
_TYPESCRIPT = Grammar(
    "tree_sitter_typescript",
    {
        **_ECMA,
        "function_signature": "function",
        "interface_declaration": "interface",
        "type_alias_declaration": "type",
        "enum_declaration": "enum",
    },
    {
        "class_declaration": "class",
        "abstract_class_declaration": "class",
        "internal_module": "namespace",
        "module": "module",
    },
    wrappers=frozenset({"export_statement", "ambient_declaration", "expression_statement"}),
    prefixes=frozenset({"decorator"}),
    function="language_typescript",
)
_C_DEFINITIONS = {
    "function_definition": "",
    "struct_specifier": "struct",
    "union_specifier": "union",
    "enum_specifier": "enum",
    "type_definition": "typedef",
}
_C_PASSAGES = frozenset(
    {"preproc_ifdef", "preproc_if", "preproc_else", "preproc_elif", "linkage_specification", "declaration_list"}
)

GRAMMARS = {
    "python": Grammar(
        "tree_sitter_python",
        {"function_definition": "def"},
        {"class_definition": "class"},
        wrappers=frozenset({"decorated_definition"}),
    ),
    "javascript": Grammar(
        "tree_sitter_javascript",
        _ECMA,
        {"class_declaration": "class"},
        wrappers=frozenset({"export_statement", "expression_statement"}),
        prefixes=frozenset({"decorator"}),
    ),
    "typescript": _TYPESCRIPT,
    "tsx": Grammar(
        _TYPESCRIPT.module,
        _TYPESCRIPT.definitions,
        _TYPESCRIPT.containers,
        _TYPESCRIPT.wrappers,
        prefixes=_TYPESCRIPT.prefixes,
        function="language_tsx",
    ),
    "java": Grammar(
        "tree_sitter_java",
        {
            "method_declaration": "method",
            "constructor_declaration": "constructor",
            "compact_constructor_declaration": "constructor",
            "annotation_type_declaration": "@interface",
        },
        {
            "class_declaration": "class",
            "interface_declaration": "interface",
            "enum_declaration": "enum",
            "record_declaration": "record",
        },
        passages=frozenset({"enum_body_declarations"}),
    ),
    "go": Grammar(
        "tree_sitter_go",
        {"function_declaration": "func", "method_declaration": "func", "type_declaration": "type"},
        {},
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        {
            "function_item": "fn",
            "struct_item": "struct",
            "enum_item": "enum",
            "union_item": "union",
            "macro_definition": "macro",
        },
        {"impl_item": "", "trait_item": "trait", "mod_item": "mod"},
        passages=frozenset({"foreign_mod_item"}),
        prefixes=frozenset({"attribute_item"}),
    ),
    "c": Grammar("tree_sitter_c", _C_DEFINITIONS, {}, passages=_C_PASSAGES),
    "cpp": Grammar(
        "tree_sitter_cpp",
        {k: v for k, v in _C_DEFINITIONS.items() if k not in ("struct_specifier", "union_specifier")}
        | {"concept_definition": "concept"},
        {
            "class_specifier": "class",
            "struct_specifier": "struct",
            "union_specifier": "union",
            "namespace_definition": "namespace",
        },
        wrappers=frozenset({"template_declaration"}),
        passages=_C_PASSAGES,
    ),
}


@cache
def parser_for(language: str) -> Any | None:
    """A tree-sitter parser, or None when the grammar is not installed or does not fit this tree-sitter."""
    grammar = GRAMMARS.get(language)
    if grammar is None:
        return None
    try:
        from tree_sitter import Language, Parser

        return Parser(Language(getattr(import_module(grammar.module), grammar.function)()))
    except (ImportError, ValueError, AttributeError):
        return None
